import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { callTool, createQueueScript } from "../../src/demo/messages-api/scripts.ts";
import { readProcesses } from "../../src/jail/process-table.ts";
import { createStage, hasButton, type Life, type Stage } from "../support/daemon.ts";
import { queryDaemon } from "../support/daemon-database.ts";
import { processesWith } from "../support/processes.ts";
import { until } from "../support/until.ts";

/** Makes a daemon throw, on SIGUSR2, what nobody catches. */
const THROWS = `process.on("SIGUSR2", () => { throw new Error("nobody catches this"); });`;

interface Working {
  readonly stage: Stage;
  readonly life: Life;
  /** Command lines of what the turn has running, bwrap and the CLI included. */
  readonly left: () => readonly string[];
  /** The outermost process of the jail. */
  readonly outermost: () => Promise<number>;
}

/** A daemon with a turn in the middle of a command that has left grandchildren of every sort behind. */
async function startWorking(name: string, env: Record<string, string> = {}): Promise<Working> {
  const mark = `mark-${process.pid}-ends-${name}`;
  const sleeper = `perl -e 'sleep 600' ${mark}`;
  const command = `(setsid nohup ${sleeper} >/dev/null 2>&1 </dev/null &) ; (setsid sh -c "${sleeper}; :" &) ; ${sleeper} & touch running; ${sleeper}`;
  const stage = await createStage({ script: createQueueScript([callTool("Bash", { command })]), env });
  const life = await stage.start();
  stage.chat.send("run it");
  const asked = await stage.waitFor(hasButton("Allow once"));
  stage.chat.press(asked.messageId, "Allow once");
  await until(() => existsSync(join(stage.project, "running")), "the command runs");
  await until(() => processesWith(`${mark}\0`).length === 4, "the command and its grandchildren");
  const [row] = queryDaemon(stage.home, "SELECT id FROM sessions");
  const { id: session } = row as { id: string }; // stands on the command lines of bwrap and the CLI
  expect(processesWith(session).length).toBeGreaterThan(0);
  const left = () => [...processesWith(mark), ...processesWith(session)];
  const outermost = async () => {
    const { cliPid } = life.log.find(({ event }) => event === "claude.started") ?? {};
    const rows = await readProcesses();
    expect(rows.find(({ pid }) => pid === cliPid)?.parent).toBe(life.pid);
    return Number(cliPid);
  };
  return { stage, life, left, outermost };
}

test.each([
  ["SIGTERM", 0],
  ["SIGINT", 0],
  ["SIGKILL", null],
] as const)("H50: nothing is left of a turn when the daemon is ended by %s", async (signal, code) => {
  const { stage, life, left } = await startWorking(signal);
  expect((await life.kill(signal)).code).toBe(code);
  if (code === 0) expect(left()).toEqual([]);
  await until(() => left().length === 0, "their end with the daemon");
  if (code === 0) await stage.waitFor(hasButton("Continue it"), "the offer, sent before the end");
});

test("H50: nothing is left of a turn when a second signal ends the daemon at once", async () => {
  const { life, left } = await startWorking("second");
  process.kill(life.pid, "SIGTERM");
  expect((await life.kill("SIGINT")).code).toBe(1);
  await until(() => left().length === 0, "their end with the daemon");
  expect(life.output()).not.toContain("daemon.ended");
});

test("H50: nothing is left of a turn when the daemon ends on an error that nobody caught", async () => {
  const { life, left } = await startWorking("crash", {
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(THROWS)}`,
  });
  expect((await life.kill("SIGUSR2")).code).toBe(1);
  expect(life.log.at(-1)).toMatchObject({ event: "daemon.crashed", origin: "uncaughtException" });
  await until(() => left().length === 0, "their end with the daemon");
});

test("H50: nothing is left of a turn when its jail does not end and the daemon stops waiting for it", async () => {
  const { life, left, outermost } = await startWorking("hard");
  process.kill(await outermost(), "SIGSTOP"); // it cannot even see that what it started was killed
  expect((await life.kill("SIGTERM")).code).toBe(1);
  expect(life.output()).not.toContain("daemon.ended");
  await until(() => left().length === 0, "their end with the daemon");
});

test("H50: without a sandbox, what outlives a killed daemon is ended by the next one, which tells how many", async () => {
  const { stage, life, left } = await startWorking("off", { SANDBOX: "off", ENVIRONMENT: "development" });
  await life.kill("SIGKILL");
  await delay(300); // what sees its input closed has ended by now
  expect(left().length).toBeGreaterThanOrEqual(4);
  const next = await stage.start();
  await until(() => next.log.some(({ event }) => event === "daemon.started"), "a jail that is open");
  expect(left()).toEqual([]);
  const [told, ...more] = next.log.filter(({ event }) => event === "jail.reaped");
  expect(more).toEqual([]);
  expect(told?.count).toBeGreaterThanOrEqual(4);
  await stage.waitFor(hasButton("Continue it"), "the offer");
});
