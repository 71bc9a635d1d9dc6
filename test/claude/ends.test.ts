import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { ClaudeTurn } from "../../src/claude/types.ts";
import { callTool, createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import { readProcesses } from "../../src/jail/process-table.ts";
import { processesWith as processesNow } from "../support/processes.ts";
import { until } from "../support/until.ts";
import { createHouse, type House, processesWith } from "./house.ts";

let house: House;
afterEach(() => house.dispose());

const allow: ClaudeTurn["decide"] = async ({ input }) => ({ kind: "allow", input });

/** Leaves a grandchild that has lost its session and both its parents. */
const lost = (mark: string) => `(setsid nohup perl -e 'sleep 600' ${mark} >/dev/null 2>&1 </dev/null &)`;

/** The pids of the one process of the CLI: outermost first, the CLI itself last. */
async function chainOf(session: string): Promise<readonly number[]> {
  const own = (await processesWith(session)).map(({ pid }) => pid);
  const rows = (await readProcesses()).filter(({ pid }) => own.includes(pid));
  const chain: number[] = [];
  for (let next = rows.find(({ parent }) => !own.includes(parent)); next; ) {
    const { pid } = next;
    chain.push(pid);
    next = rows.find(({ parent }) => parent === pid);
  }
  return chain;
}

test.each([
  ["the CLI in its jail", "SIGKILL", "require", -1],
  ["the CLI in its jail", "SIGSEGV", "require", -1],
  ["bwrap", "SIGKILL", "require", 0],
  ["the first process of the jail", "SIGKILL", "require", 1],
  ["the CLI without a sandbox", "SIGKILL", "off", -1],
] as const)(
  "H50: when %s is ended by %s, the turn has crashed, nothing of it is left, and the session goes on",
  async (_, signal, sandbox, who) => {
    const mark = `mark-${process.pid}-${sandbox}-${who}-${signal}`;
    house = await createHouse({
      sandbox,
      script: createQueueScript([
        callTool("Bash", { command: `${lost(mark)} ; touch running.txt; perl -e 'sleep 600' ${mark}` }),
        reply("resumed"),
      ]),
    });
    const session = house.session();
    const running = house.start(session, "go", { decide: allow });
    await until(() => existsSync(join(house.project, "running.txt")), "Bash runs");
    await until(async () => (await processesWith(`${mark}\0`)).length === 2, "the command and the lost one");
    const chain = await chainOf(session.sessionId);
    expect(chain).toHaveLength(sandbox === "off" ? 1 : 3);
    process.kill(chain.at(who) ?? 0, signal);
    const { end } = await running.done;
    expect(end.outcome).toMatchObject({ kind: "failed", code: "crashed" });
    expect(await processesWith(mark)).toEqual([]);
    expect(await processesWith(session.sessionId)).toEqual([]);
    expect(house.runner.warm()).toBe(0);
    const next = await house.run({ ...session, isResume: end.isResumable }, "go on");
    expect(next.end.outcome).toEqual({ kind: "completed", text: "resumed" });
  },
);

test.each(["require", "off"] as const)(
  "H50: an idle CLI that is closed after its time takes along what its commands left running (SANDBOX=%s)",
  async (sandbox) => {
    const mark = `mark-${process.pid}-idle-${sandbox}`;
    house = await createHouse({
      sandbox,
      settings: { idleMs: 300 },
      script: createQueueScript([callTool("Bash", { command: `${lost(mark)}; echo left` }), reply("done")]),
    });
    const session = house.session();
    const seen: number[] = [];
    await house.run(session, "go", {
      decide: allow,
      onEvent: ({ kind }) => {
        if (kind === "tool_finished") seen.push(processesNow(mark).length);
      },
    });
    await until(() => house.runner.warm() === 0, "it is closed");
    expect(seen).toEqual([expect.toSatisfy((count) => count > 0)]);
    expect(await processesWith(mark)).toEqual([]);
    expect(await processesWith(session.sessionId)).toEqual([]);
    expect(house.logged.find(({ event }) => event === "claude.exited")).toMatchObject({ code: 0 });
  },
);
