import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { ClaudeTurn } from "../../src/claude/types.ts";
import {
  callTool,
  createQueueScript,
  fail,
  type QueueStep,
  reply,
} from "../../src/demo/messages-api/scripts.ts";
import { until } from "../support/until.ts";
import { createHouse, type House, type HouseOptions, processesWith } from "./house.ts";

let house: House;
afterEach(() => house.dispose());

async function open(steps: readonly QueueStep[], options: HouseOptions = {}): Promise<void> {
  house = await createHouse({ script: createQueueScript(steps), ...options });
}

const allow: ClaudeTurn["decide"] = async ({ input }) => ({ kind: "allow", input });

/** A command that runs for ever, leaves children of every kind behind, and can be found by its mark. */
function restless(mark: string): string {
  const sleeper = `perl -e 'sleep 600' ${mark}`;
  return `${sleeper} & (setsid nohup ${sleeper} >/dev/null 2>&1 &) ; touch running.txt; ${sleeper}`;
}

test("a stop in the middle of a text ends the turn at once and keeps the process", async () => {
  await open([{ kind: "hang", afterText: "I was about to" }, reply("still here")], {
    settings: { stopGraceMs: 20_000 }, // only what does not obey is killed, and it is to obey
  });
  const session = house.session();
  const running = house.start(session, "talk");
  await running.event(({ kind }) => kind === "text_delta");
  running.stop();
  const { end } = await running.done;
  expect(end.outcome).toEqual({ kind: "stopped" });
  expect(end.model).toMatch(/^claude-/);
  expect(end.turnCostMicroUsd).not.toBeNull();
  expect(end.isResumable).toBe(true);
  expect(house.runner.warm()).toBe(1);
  const next = await house.run({ ...session, isResume: true }, "and now?");
  expect(next.end.outcome).toEqual({ kind: "completed", text: "still here" });
  expect(house.logged.filter(({ event }) => event === "claude.started")).toHaveLength(1);
});

test("H50: a stop in the middle of Bash leaves none of its children, and the session goes on", async () => {
  const mark = `mark-${process.pid}-bash`;
  await open([callTool("Bash", { command: restless(mark), timeout: 600_000 }), reply("resumed")]);
  const session = house.session();
  const running = house.start(session, "go", { decide: allow });
  await until(() => existsSync(join(house.project, "running.txt")), "Bash runs");
  expect((await processesWith(mark)).length).toBeGreaterThan(1);
  running.stop();
  const { end } = await running.done;
  expect(await processesWith(mark)).toEqual([]);
  expect(end.outcome).toEqual({ kind: "stopped" });
  expect(end.isResumable).toBe(true);
  expect(house.runner.warm()).toBe(0);
  const next = await house.run({ ...session, isResume: end.isResumable }, "go on");
  expect(next.end.outcome).toEqual({ kind: "completed", text: "resumed" });
});

test("H50: a stop while the model talks also ends what an earlier command left running", async () => {
  const mark = `mark-${process.pid}-earlier`;
  await open([
    callTool("Bash", { command: `(setsid perl -e 'sleep 600' ${mark} >/dev/null 2>&1 &); echo started` }),
    { kind: "hang", afterText: "now I talk" },
  ]);
  const running = house.start(house.session(), "go", { decide: allow });
  await running.event(({ kind }) => kind === "text_delta");
  expect((await processesWith(mark)).length).toBeGreaterThan(0);
  running.stop();
  await running.done;
  expect(await processesWith(mark)).toEqual([]);
});

test("what a command left running lives on between turns, and ends with the process", async () => {
  const mark = `mark-${process.pid}-server`;
  await open([
    callTool("Bash", { command: `(setsid perl -e 'sleep 600' ${mark} >/dev/null 2>&1 &); echo started` }),
    reply("server is up"),
    reply("still up"),
  ]);
  const session = house.session();
  await house.run(session, "go", { decide: allow });
  await house.run(session, "and?");
  expect((await processesWith(mark)).length).toBeGreaterThan(0);
  await house.runner.forget(session.conversationKey);
  expect(house.runner.warm()).toBe(0);
  expect(await processesWith(mark)).toEqual([]);
});

test("a stop while the API is waited for again ends the turn at once", async () => {
  await open([fail(529, "overloaded_error"), fail(529, "overloaded_error")]);
  const running = house.start(house.session(), "go");
  expect(await running.event(({ kind }) => kind === "retrying")).toMatchObject({
    attempt: 1,
    maxAttempts: 4,
    failure: "overloaded",
  });
  running.stop();
  expect((await running.done).end.outcome).toEqual({ kind: "stopped" });
});

test("a stop while a person is being asked withdraws the question and runs nothing", async () => {
  await open([callTool("Bash", { command: "touch ran.txt" })]);
  const signals: AbortSignal[] = [];
  const asked = Promise.withResolvers<void>();
  const running = house.start(house.session(), "go", {
    decide: (_ask, signal) => {
      signals.push(signal);
      asked.resolve();
      return new Promise(() => undefined);
    },
  });
  await asked.promise;
  running.stop();
  expect((await running.done).end.outcome).toEqual({ kind: "stopped" });
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  expect(existsSync(join(house.project, "ran.txt"))).toBe(false);
});

test("a stop right after the prompt was written is a stop, whatever the CLI had done by then", async () => {
  await open([reply("too late"), reply("next")]);
  const session = house.session();
  const running = house.start(session, "go", { onPrompting: () => queueMicrotask(() => running.stop()) });
  expect((await running.done).end.outcome).toEqual({ kind: "stopped" });
  const next = await house.run(session, "again");
  expect(next.end.outcome.kind).toBe("completed");
});

test("a turn that waits for a free process can be stopped", async () => {
  house = await createHouse({
    script: () => ({ kind: "hang", afterText: "busy" }),
    settings: { maxProcesses: 1 },
  });
  const first = house.start(house.session({ conversationKey: "1:0" }), "one");
  await first.event(({ kind }) => kind === "text_delta");
  const second = house.start(house.session({ conversationKey: "2:0" }), "two");
  second.stop();
  expect((await second.done).end.outcome).toEqual({ kind: "stopped" });
  expect(second.isPrompted()).toBe(false);
  first.stop();
  await first.done;
});

test("the end of the daemon stops a turn, its process and its children", async () => {
  const mark = `mark-${process.pid}-shutdown`;
  await open([callTool("Bash", { command: restless(mark), timeout: 600_000 })]);
  const running = house.start(house.session(), "go", { decide: allow });
  await until(() => existsSync(join(house.project, "running.txt")), "Bash runs");
  await house.runner.close();
  expect((await running.done).end.outcome).toEqual({ kind: "stopped" });
  expect(await processesWith(mark)).toEqual([]);
});
