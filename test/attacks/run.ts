import { join } from "node:path";
import { createMessagesApi } from "../../src/demo/messages-api/server.ts";
import type { ProxyLease } from "../../src/domain/usage.ts";
import { openJail } from "../../src/jail/open-jail.ts";
import { createTestProxy } from "../claude/test-proxy.ts";
import { memoryLog } from "../support/git-project.ts";
import type { Attack } from "./attack.ts";
import { createAttacker } from "./attacker.ts";
import { allAttacks } from "./attacks.ts";
import { openPipe, QUIET, startCli } from "./cli.ts";
import type { Column } from "./layers.ts";
import { observe, runMidway, takeOut } from "./observe.ts";
import { startProduct } from "./product.ts";
import { createWorld } from "./world.ts";

/** What became of one attack in one column. */
export interface Outcome {
  readonly attack: Attack;
  readonly isThrough: boolean;
  readonly told: string;
}

/** A column, filled. The attacks are the same in all, in the same order. */
export interface ColumnRun {
  readonly column: Column;
  readonly outcomes: readonly Outcome[];
}

/** Fills all columns, two at a time. */
export async function runColumns(columns: readonly Column[]): Promise<readonly ColumnRun[]> {
  const waiting = [...columns.entries()];
  const runs: ColumnRun[] = [];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, column] = next;
      runs[index] = { column, outcomes: await runColumn(column) };
    }
  };
  await Promise.all([work(), work()]);
  return runs;
}

/** Runs all attacks against one set of layers, in a world of its own. */
async function runColumn(column: Column): Promise<readonly Outcome[]> {
  await using world = await createWorld();
  const attacks = await allAttacks(world);
  const attacker = createAttacker(attacks, ({ calls, midway }) => (midway ? [] : calls));
  const next = createAttacker(attacks, ({ nextSession = [] }) => nextSession);
  let current = attacker;
  const api = createMessagesApi({ script: (request) => current.script(request) });
  const url = await api.listen();
  const pipe = await openPipe(world, url);
  const proxySocket = join(world.root, "sallyport/run/api.sock");
  const proxy = await createTestProxy({
    socketPath: proxySocket,
    upstream: url,
    auth: "api-key",
    log: QUIET,
  });
  const jail = await openJail({
    sandbox: column.on.has("jail") ? "require" : "off",
    platform: process.platform,
    scratchDir: join(world.root, "sallyport/jail"),
    log: memoryLog(),
  });
  let lease: ProxyLease | null = null;
  const seen = observe(jail, () => {
    lease?.release();
    pipe.cut();
  });
  const isLaunched = column.on.has("launch");
  const start = async () => {
    if (column.host === "product")
      return startProduct({ world, jail: seen.jail, apiSocket: proxySocket, proxy, log: QUIET });
    lease = proxy.openLease();
    lease.setPayer({ mayStart: () => ({ kind: "ok" }), onUsage: () => undefined });
    const cli = await startCli({
      world,
      jail: seen.jail,
      layers: column.on,
      apiSocket: isLaunched ? proxySocket : pipe.path,
      token: lease.token,
    });
    const settle = async () => seen.last()?.settle();
    lease.setBarrier(settle);
    pipe.setBarrier(settle);
    return cli;
  };
  const bodies = () => api.requests.map(({ body }) => JSON.stringify(body ?? "")).join("\n");
  const prompted = new Map<Attack, string>();
  try {
    for (const attack of attacks) {
      if (!attack.midway) continue;
      current = createAttacker([attack], ({ calls }) => calls);
      const before = bodies().length;
      const hasHappened = await runMidway(await start(), attack.midway, seen);
      if (!hasHappened && !column.on.has("ask")) throw new Error(`${attack.route} never began`);
      prompted.set(attack, bodies().slice(before));
    }
    current = attacker;
    const cli = await start();
    for (const attack of attacks.filter(({ prompt }) => prompt !== undefined)) {
      const before = bodies().length;
      await cli.prompt(attack.prompt ?? "");
      prompted.set(attack, bodies().slice(before));
    }
    await cli.prompt("ATTACK NOW");
    await cli.close();
    const process = seen.last();
    if (process && column.on.has("jail")) await takeOut(world, process);
    for (const { between } of attacks) between?.();
    current = next;
    const mark = bodies().length;
    const second = await start();
    await second.prompt("ATTACK NOW");
    await second.close();
    const nextBodies = bodies().slice(mark);
    const outcomes: Outcome[] = [];
    for (const attack of attacks) {
      const told = `${attacker.told(attack)}\n${next.told(attack)}`;
      const isThrough = await attack.isThrough({
        told,
        prompted: prompted.get(attack) ?? "",
        next: nextBodies,
      });
      outcomes.push({ attack, isThrough, told });
    }
    return outcomes;
  } finally {
    await jail.close();
    await proxy.close();
    await pipe.close();
    await api.close();
  }
}
