import { expect, test } from "vitest";
import { heapMb } from "../support/heap.ts";
import { EVERYBODY } from "../support/people.ts";
import { turnsBench } from "../support/turns.ts";

const BASH = { toolUseId: "t1", toolName: "Bash", input: { command: "rm -rf build" }, isSubagent: false };
const ask = (...questions: object[]) => ({
  toolUseId: "t2",
  toolName: "AskUserQuestion",
  input: { questions },
  isSubagent: false,
});
const COLOUR = {
  question: "Which colour?",
  header: "",
  multiSelect: false,
  options: [{ label: "Red" }, { label: "Blue" }],
};
const SIZES = {
  question: "Which sizes?",
  header: "",
  multiSelect: true,
  options: [{ label: "S" }, { label: "M" }, { label: "L" }],
};

async function running(options = {}) {
  const bench = turnsBench(options);
  const work = bench.submit("a");
  const turn = await bench.asked();
  return { ...bench, work, turn };
}

test("an allowed call runs with exactly the input that was shown and stored", async () => {
  const { turn, store, turns, work, events } = await running();
  const call = { ...BASH, input: { ...BASH.input } };
  const answer = turn.decide(call, turn.signal);
  expect(store.work.get(work.id)?.state).toBe("waiting");
  call.input.command = "something else by now";
  store.transaction(() => turns.press({ kind: "approve", approvalId: 1, decision: "allow" }, 7));
  expect(await answer).toEqual({ kind: "allow", input: BASH.input });
  expect(store.work.get(work.id)?.state).toBe("running");
  expect(events).toContainEqual(expect.objectContaining({ type: "tool.answered", answer: "allow" }));
});

test("a denied call is denied, and a second press changes nothing", async () => {
  const { turn, store, turns } = await running();
  const answer = turn.decide(BASH, turn.signal);
  store.transaction(() => turns.press({ kind: "approve", approvalId: 1, decision: "deny" }, 7));
  store.transaction(() => turns.press({ kind: "approve", approvalId: 1, decision: "allow" }, 7));
  expect(await answer).toMatchObject({ kind: "deny" });
  expect(store.approvals.get(1)?.state).toBe("denied");
});

test("what somebody asks who was let out a moment ago, nobody can allow", async () => {
  let isIn = true;
  const { turn, store, turns } = await running({ admission: { ...EVERYBODY, isAdmitted: () => isIn } });
  const answer = turn.decide(BASH, turn.signal);
  isIn = false;
  store.transaction(() => turns.press({ kind: "approve", approvalId: 1, decision: "allow" }, 1));
  expect(await answer).toMatchObject({ kind: "deny" });
  expect(store.approvals.get(1)?.state).toBe("withdrawn");
});

test("nobody's answer is a denial, in time", async () => {
  const { turn, store, shown } = await running({ approvalTimeoutMs: 20 });
  expect(await turn.decide(BASH, turn.signal)).toMatchObject({
    kind: "deny",
    message: expect.stringContaining("in time"),
  });
  expect(store.approvals.get(1)?.state).toBe("expired");
  expect(shown).toContain("settled 1 expired");
});

test("H47: a deadline that was slept through leaves a moment for the answer that was given meanwhile", async () => {
  const { turn, store, turns } = await running({ approvalTimeoutMs: 200 });
  const answer = turn.decide(BASH, turn.signal);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500); // nothing runs, as in a sleep
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(store.approvals.get(1)?.state).toBe("asked");
  store.transaction(() => turns.press({ kind: "approve", approvalId: 1, decision: "allow" }, 7));
  expect(await answer).toMatchObject({ kind: "allow" });
});

test("a press decides only when its transaction is committed", async () => {
  const { turn, store, turns } = await running();
  const answer = turn.decide(BASH, turn.signal);
  const lost = () =>
    store.transaction(() => {
      turns.press({ kind: "approve", approvalId: 1, decision: "allow" }, 7);
      throw new Error("disk full");
    });
  expect(lost).toThrow("disk full");
  expect(store.approvals.get(1)?.state).toBe("asked");
  store.transaction(() => turns.press({ kind: "approve", approvalId: 1, decision: "deny" }, 7));
  expect(await answer).toMatchObject({ kind: "deny" });
});

test("the end of the turn withdraws what was asked", async () => {
  const { turn, store, turns, work, shown } = await running();
  const call = new AbortController();
  turn.signal.addEventListener("abort", () => call.abort());
  const answer = turn.decide(BASH, call.signal);
  store.transaction(() => turns.stop(work.conversationId));
  expect(await answer).toMatchObject({ kind: "deny" });
  expect(shown).toContain("settled 1 withdrawn");
});

test("several calls may wait at once; the turn runs again when the last is answered", async () => {
  const { turn, store, turns, work } = await running();
  const one = turn.decide(BASH, turn.signal);
  const two = turn.decide({ ...BASH, toolUseId: "t9" }, turn.signal);
  store.transaction(() => turns.press({ kind: "approve", approvalId: 2, decision: "allow" }, 7));
  await two;
  expect(store.work.get(work.id)?.state).toBe("waiting");
  store.transaction(() => turns.press({ kind: "approve", approvalId: 1, decision: "allow" }, 7));
  await one;
  expect(store.work.get(work.id)?.state).toBe("running");
});

test("questions are put one after the other and answered by their labels", async () => {
  const { turn, store, turns, shown } = await running();
  const answer = turn.decide(ask(COLOUR, SIZES), turn.signal);
  const press = (question: number, option: number) =>
    store.transaction(() =>
      turns.press({ kind: "answer", approvalId: 1, question, option, isTick: question === 1 }, 7),
    );
  press(0, 1);
  press(1, 0);
  press(1, 2);
  press(1, 0);
  press(1, 1);
  expect(shown.at(-1)).toBe("question 1 Which sizes? [L,M]");
  store.transaction(() => turns.press({ kind: "answers_done", approvalId: 1, question: 1 }, 7));
  expect(await answer).toEqual({
    kind: "allow",
    input: { ...ask(COLOUR, SIZES).input, answers: { "Which colour?": "Blue", "Which sizes?": "L, M" } },
  });
});

test("an option that was never offered, or comes late, is ignored", async () => {
  const { turn, store, turns } = await running();
  const answer = turn.decide(ask(COLOUR), turn.signal);
  const press = (option: number) =>
    store.transaction(() =>
      turns.press({ kind: "answer", approvalId: 1, question: 0, option, isTick: false }, 7),
    );
  press(9);
  expect(store.approvals.get(1)?.state).toBe("asked");
  press(0);
  press(1);
  expect(await answer).toMatchObject({ input: { answers: { "Which colour?": "Red" } } });
});

test("questions of an unknown shape are denied, not guessed", async () => {
  const { turn } = await running();
  expect(await turn.decide(ask({ question: 5 }), turn.signal)).toMatchObject({ kind: "deny" });
});

test("a question that Telegram would not show is denied at once, and the model reads why", async () => {
  const { turn, store, turns, shown } = await running();
  const answer = turn.decide(BASH, turn.signal);
  const outboxId = store.approvals.get(1)?.outboxId ?? 0;
  store.transaction(() => turns.undelivered(outboxId + 1));
  expect(store.approvals.get(1)?.state).toBe("asked");
  store.transaction(() => turns.undelivered(outboxId));
  expect(await answer).toMatchObject({
    kind: "deny",
    message: expect.stringContaining("could not be shown"),
  });
  expect(shown).toContain("settled 1 unshown");
});

test("a deadline or a stop that the store cannot record still ends the wait, as a denial", async () => {
  const { turn, store } = await running({ approvalTimeoutMs: 20 });
  const { decide } = store.approvals;
  Object.assign(store.approvals, {
    decide: () => {
      throw new Error("disk full");
    },
  });
  expect(await turn.decide(BASH, turn.signal)).toMatchObject({ kind: "deny" });
  Object.assign(store.approvals, { decide });
  expect(store.approvals.get(1)?.state).toBe("asked");
});

test("H53: what was ticked is forgotten with the question, however it ended", async () => {
  const { turn, turns, store, shown } = await running();
  const label = (n: number): string => `${n} ${"x".repeat(100_000)}`;
  let asked = 0;
  const tickAndEnd = async (end: "withdrawn" | "answered"): Promise<void> => {
    asked += 1;
    const leave = new AbortController();
    const options = [{ label: label(asked) }, { label: "other" }];
    const answer = turn.decide(ask({ ...SIZES, options }), leave.signal);
    const tick = { kind: "answer", approvalId: asked, question: 0, option: 0, isTick: true } as const;
    store.transaction(() => turns.press(tick, 7));
    if (end === "withdrawn") leave.abort();
    else store.transaction(() => turns.press({ kind: "answers_done", approvalId: asked, question: 0 }, 7));
    await answer;
    shown.length = 0; // the bench's own memory
  };
  for (let n = 0; n < 10; n += 1) await tickAndEnd("withdrawn");
  const before = heapMb();
  for (let n = 0; n < 100; n += 1) await tickAndEnd("withdrawn");
  for (let n = 0; n < 100; n += 1) await tickAndEnd("answered");
  expect(heapMb() - before).toBeLessThan(8); // it was 10 for each hundred
});
