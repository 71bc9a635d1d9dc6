import { setImmediate as turnOfLoop } from "node:timers/promises";
import { expect, test } from "vitest";
import { createAsks } from "../../src/claude/asks.ts";
import type { AskedCall } from "../../src/claude/gate.ts";
import type { ToolAnswer } from "../../src/domain/claude-event.ts";
import { createLogger } from "../../src/log/logger.ts";

const log = createLogger({
  level: "silent",
  format: "json",
  secretValues: [],
  destination: { write: () => undefined },
});
const ask: AskedCall = {
  toolUseId: "toolu_1",
  toolName: "Bash",
  input: { command: "true" },
  isSubagent: false,
  isMcp: false,
  isWarnedOf: false,
};
const allow: ToolAnswer = { kind: "allow", input: {} };

function open() {
  const answers: (readonly [string, ToolAnswer])[] = [];
  const decisions: { readonly settle: (answer: ToolAnswer) => void; readonly signal: AbortSignal }[] = [];
  const counts: number[] = [];
  const asks = createAsks({
    decide: (_ask, signal) =>
      new Promise((settle) => {
        decisions.push({ settle, signal });
      }),
    answer: (requestId, answer) => answers.push([requestId, answer]),
    onChange: () => counts.push(asks.count()),
    log,
  });
  return { asks, answers, decisions, counts };
}

test("a decision is sent once, under the id of its question", async () => {
  const { asks, answers, decisions, counts } = open();
  asks.open("q1", ask);
  asks.open("q2", ask);
  decisions[1]?.settle(allow);
  await turnOfLoop();
  expect(answers).toEqual([["q2", allow]]);
  expect(counts).toEqual([1, 2, 1]);
});

test("a decision that comes after its question was withdrawn, or after the end, goes nowhere", async () => {
  const { asks, answers, decisions } = open();
  asks.open("q1", ask);
  asks.open("q2", ask);
  asks.withdraw("q1");
  expect(decisions.map(({ signal }) => signal.aborted)).toEqual([true, false]);
  asks.close();
  expect(decisions.map(({ signal }) => signal.aborted)).toEqual([true, true]);
  for (const { settle } of decisions) settle(allow);
  await turnOfLoop();
  expect([answers, asks.count()]).toEqual([[], 0]);
});

test("an id that is asked again after it was withdrawn gets its own decision only", async () => {
  const { asks, answers, decisions } = open();
  asks.open("q1", ask);
  asks.withdraw("q1");
  asks.open("q1", ask);
  decisions[0]?.settle(allow);
  await turnOfLoop();
  expect(answers).toEqual([]);
  decisions[1]?.settle({ kind: "deny", message: "no" });
  await turnOfLoop();
  expect(answers).toEqual([["q1", { kind: "deny", message: "no" }]]);
});

test("one id asked twice is put to a person once", () => {
  const { asks, decisions } = open();
  asks.open("q1", ask);
  asks.open("q1", ask);
  expect(decisions).toHaveLength(1);
});

test("a decision that throws or rejects is a denial; the fault itself is for the log", async () => {
  const answers: unknown[] = [];
  const asks = createAsks({
    decide: () => {
      throw new Error("no store");
    },
    answer: (_requestId, answer) => answers.push(answer),
    onChange: () => undefined,
    log,
  });
  asks.open("q1", ask);
  await turnOfLoop();
  expect(answers).toEqual([{ kind: "deny", message: "The question could not be put to a person." }]);
});
