import { setTimeout as sleep } from "node:timers/promises";
import type { Child } from "../harness/child.ts";
import { startEcho, startStandInDaemon } from "../harness/daemon.ts";
import { readDatabase } from "../harness/database.ts";
import { type Bench, type Figure, repeat } from "../harness/figure.ts";
import { usageOf } from "../harness/processes.ts";
import { createStage, type Stage } from "../harness/stage.ts";

const NAME = "throughput";
const PEOPLE = 50;
const UPDATES = 3_000;
const WARM_UPDATES = 300;
const TIMEOUT_MS = 120_000;
const QUIET_MS = 1_000;

/** How fast a burst was handled, and what that took. */
interface Burst {
  readonly perSecond: number;
  readonly cpuUsEach: number;
  readonly rssMb: number;
}

/** How fast queued updates are handled with durability, against the bare echo: looks (/status), and prompts that queue up. */
export const throughput: Bench = {
  name: NAME,
  measure: async (options) => {
    const runs = await repeat(options, NAME, async () => ({
      echo: await echoBurst(),
      looks: await daemonBurst("/status", async () => undefined),
      prompts: await daemonBurst("wait", occupy),
    }));
    const bare = "bare echo: updates → sendMessages arriving";
    const figure = (what: "looks" | "prompts", of: keyof Burst): Pick<Figure, "bench" | "bare" | "runs"> => ({
      bench: NAME,
      bare,
      runs: runs.map((run) => ({ ours: run[what][of], bare: run.echo[of] })),
    });
    return (["looks", "prompts"] as const).flatMap((what): readonly Figure[] => [
      {
        ...figure(what, "perSecond"),
        name: `${what} handled, durably`,
        unit: "/s",
        aim: { of: "ours", atLeast: 500 },
      },
      { ...figure(what, "cpuUsEach"), name: `processor time for each of ${what}`, unit: "us" },
      { ...figure(what, "rssMb"), name: `resident memory after the burst of ${what}`, unit: "MB" },
    ]);
  },
};

/** Prompts are told from turns by keeping the only process busy: what is measured is the acceptance of a prompt alone. */
async function occupy({ chats, api }: Stage): Promise<void> {
  chats[0]?.send("hold");
  await api.waitFor(() => api.log.some(({ method }) => method === "sendMessage"), { what: "a first sign" });
  await sleep(QUIET_MS);
}

async function daemonBurst(text: string, prepare: (stage: Stage) => Promise<void>): Promise<Burst> {
  await using stage = await createStage({ people: PEOPLE, env: { CLAUDE_MAX_PROCESSES: "1" } });
  await using daemon = await startStandInDaemon(stage);
  using database = readDatabase(stage.home);
  await prepare(stage);
  return await burst(stage, daemon, {
    text,
    wait: (firstId, count) => database.until(() => database.handled(firstId) >= count, TIMEOUT_MS),
  });
}

async function echoBurst(): Promise<Burst> {
  await using stage = await createStage({ people: PEOPLE });
  await using echo = await startEcho(stage);
  let arrived = 0;
  stage.api.on("call", ({ method }) => {
    if (method === "sendMessage") arrived += 1;
  });
  return await burst(stage, echo, {
    text: "/status",
    wait: async (_firstId, count) => {
      await stage.api.waitFor(() => arrived >= count, { what: "all echoes", timeoutMs: TIMEOUT_MS });
      arrived = 0;
    },
  });
}

interface BurstRequest {
  readonly text: string;
  /** Resolves when `count` updates from `firstId` on are done with. */
  readonly wait: (firstId: number, count: number) => Promise<void>;
}

async function burst({ chats }: Stage, child: Child, { text, wait }: BurstRequest): Promise<Burst> {
  const send = (count: number): number =>
    Math.min(
      ...Array.from(
        { length: count },
        (_, index) => chats[index % chats.length]?.send(`${text} ${index}`).updateId ?? 0,
      ),
    );
  await child.alive(wait(send(WARM_UPDATES), WARM_UPDATES));
  await sleep(QUIET_MS);
  const before = usageOf(child.pid);
  const startedAt = performance.now();
  const firstId = send(UPDATES);
  await child.alive(wait(firstId, UPDATES));
  const seconds = (performance.now() - startedAt) / 1000;
  const after = usageOf(child.pid);
  return {
    perSecond: UPDATES / seconds,
    cpuUsEach: ((after.cpuMs - before.cpuMs) * 1000) / UPDATES,
    rssMb: after.rssMb,
  };
}
