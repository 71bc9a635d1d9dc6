import { expect, test } from "vitest";
import type { Work } from "../../src/domain/work.ts";
import { testStore } from "../support/store.ts";
import { type TurnsBench, turnsBench } from "../support/turns.ts";

/** A store as a killed daemon leaves it: one work in each state that a crash can cut off. */
async function leftBehind() {
  const store = testStore();
  const before = turnsBench({ store });
  const running = before.submit("running");
  await before.asked();
  const queued = before.submit("queued");
  const waiting = before.submit("waiting", 8);
  const turn = await before.asked();
  void turn
    .decide({ toolUseId: "t", toolName: "Bash", input: { command: "x" }, isSubagent: false }, turn.signal)
    .catch(() => undefined);
  await before.until(() => store.work.get(waiting.id)?.state === "waiting");
  const meter = {
    requestId: "r",
    model: "m",
    inputTokens: 1,
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    cacheReadTokens: 0,
  };
  turn.payer.onUsage({ ...meter, outputTokens: 1, costMicroUsd: 42, isFinal: false, isCut: false });
  return { store, running, queued, waiting };
}

/** What /new does. */
function newSession({ store, turns }: TurnsBench, { conversationId }: Work): void {
  store.transaction(() => {
    const conversation = store.conversations.get(conversationId);
    if (conversation) turns.forget(conversation, 7);
  });
}

test("H41, H43: after a crash nothing that had begun runs again; it is offered, charged, and its queue is held", async () => {
  const { store, running, queued, waiting } = await leftBehind();
  const after = turnsBench({ store });
  after.turns.start();
  expect(after.shown).toEqual(["settled 1 expired", "interrupted running", "interrupted waiting"]);
  expect([running, queued, waiting].map(({ id }) => store.work.get(id)?.state)).toEqual([
    "interrupted",
    "queued",
    "interrupted",
  ]);
  expect(store.ledger.spentSince(7, 0)).toBe(42);
  expect(after.events.filter(({ type }) => type === "turn.interrupted")).toHaveLength(2);
  expect(after.events).toContainEqual(
    expect.objectContaining({ type: "cost.settled", workId: waiting.id, costMicroUsd: 42, source: "meter" }),
  );
});

test("[Run it again] runs the same prompt first, then the queue goes on", async () => {
  const { store, running } = await leftBehind();
  const after = turnsBench({ store });
  after.turns.start();
  store.transaction(() => after.turns.press({ kind: "recover", workId: running.id, choice: "again" }, 7));
  const again = await after.asked();
  expect(again.prompt).toBe("running");
  again.end();
  expect((await after.asked()).prompt).toBe("queued");
});

test("[Continue it] says in the same session that the turn was cut off", async () => {
  const { store, running } = await leftBehind();
  const after = turnsBench({ store });
  after.turns.start();
  store.transaction(() => after.turns.press({ kind: "recover", workId: running.id, choice: "continue" }, 7));
  const next = await after.asked();
  expect(next.prompt).toMatch(/cut off by a restart[\s\S]*running$/);
  expect(next.session.sessionId).toBe(store.work.get(running.id)?.sessionId);
});

const ANEW = /^This request was begun before, in a session that is not this one[^\n]+\n\n/;

test("[Continue it] after /new says that the request was begun in another session, and asks for it", async () => {
  const { store, running } = await leftBehind();
  const after = turnsBench({ store });
  after.turns.start();
  newSession(after, running);
  store.transaction(() => after.turns.press({ kind: "recover", workId: running.id, choice: "continue" }, 7));
  const anew = await after.asked();
  expect(anew.prompt).toMatch(ANEW);
  expect(anew.prompt.replace(ANEW, "")).toBe("running");
  expect(anew.session.sessionId).not.toBe(store.work.get(running.id)?.sessionId);
});

test.each([
  ["that nobody left", "nothing", /^The turn before this one was ended [^\n]+\n\na$/],
  ["that was left by /new before the press", "before", /^This request was begun before[^\n]+\n\na$/],
  ["that was left by /new while the press waited", "while", /^This request was begun before[^\n]+\n\na$/],
])("[Go on] in a session %s speaks of the turn before it only where there is one", async (_, when, words) => {
  const bench = turnsBench();
  const work = bench.submit("a");
  (await bench.asked()).end();
  if (when === "before") newSession(bench, work);
  bench.submit("b");
  const other = await bench.asked();
  bench.store.transaction(() => bench.turns.press({ kind: "recover", workId: work.id, choice: "more" }, 7));
  if (when === "while") newSession(bench, work);
  other.end();
  expect((await bench.asked()).prompt).toMatch(words);
});

test("[Drop] lets the queue go on without it", async () => {
  const { store, running } = await leftBehind();
  const after = turnsBench({ store });
  after.turns.start();
  store.transaction(() => after.turns.press({ kind: "recover", workId: running.id, choice: "drop" }, 7));
  expect((await after.asked()).prompt).toBe("queued");
});

test("a work that was only being prepared is queued again: Claude has not seen it", async () => {
  const store = testStore();
  const conversation = store.conversations.at({ chatId: 7, threadId: null });
  const draft = {
    uuid: "u",
    dedupeKey: "d",
    conversationId: conversation.id,
    userId: 7,
    project: "p",
    text: "a",
    messageId: 1,
  };
  const work = store.work.submit(draft);
  store.work.prepare(work?.id ?? 0, "s", 5);
  const after = turnsBench({ store });
  after.turns.start();
  expect((await after.asked()).prompt).toBe("a");
  expect(after.shown.filter((line) => line.startsWith("interrupted"))).toEqual([]);
});

test("a turn whose stop was asked for before the crash is stopped, not offered", async () => {
  const { store, running } = await leftBehind();
  store.work.requestStop(running.id);
  const after = turnsBench({ store });
  after.turns.start();
  expect(store.work.get(running.id)?.state).toBe("stopped");
  expect(after.shown).toContain("dropped running");
});

test("a graceful end cuts running turns off as a crash would, but says so at once", async () => {
  const bench = turnsBench();
  const work = bench.submit("a");
  await bench.asked();
  await bench.turns.close();
  expect(bench.store.work.get(work.id)?.state).toBe("interrupted");
  expect(bench.shown).toContain("interrupted a");
  expect(bench.events).toContainEqual({ type: "turn.interrupted", workId: work.id, cause: "shutdown" });
});

test("a stop that was asked for while the turn was being prepared holds after a crash", () => {
  const store = testStore();
  const conversation = store.conversations.at({ chatId: 7, threadId: null });
  const draft = {
    uuid: "u",
    dedupeKey: "d",
    conversationId: conversation.id,
    userId: 7,
    project: "p",
    messageId: 1,
  };
  const work = store.work.submit({ ...draft, text: "danger" });
  store.work.prepare(work?.id ?? 0, "s", 5);
  store.work.requestStop(work?.id ?? 0);
  const after = turnsBench({ store });
  after.turns.start();
  expect(store.work.get(work?.id ?? 0)?.state).toBe("stopped");
  expect(after.shown).toContain("dropped danger");
});

test("/stop lets go of a queue whose offer nobody can press any more", async () => {
  const { store, running } = await leftBehind();
  const after = turnsBench({ store });
  after.turns.start();
  expect(store.transaction(() => after.turns.stop(running.conversationId))).toBe("released");
  expect((await after.asked()).prompt).toBe("queued");
});

test("[Run it again] says what stands before it, not what waits behind it", async () => {
  const { store, running } = await leftBehind();
  const after = turnsBench({ store });
  after.turns.start();
  store.transaction(() => after.turns.press({ kind: "recover", workId: running.id, choice: "again" }, 7));
  expect(after.shown).toContain("accepted running ahead=0 held=no");
});

test("the offer names what a person allowed in the turn and what waits behind it, in its order", async () => {
  const store = testStore();
  const before = turnsBench({ store });
  const work = before.submit("running");
  const turn = await before.asked();
  for (const [index, toolName] of ["Bash", "Write", "AskUserQuestion", "Edit"].entries()) {
    const questions = [{ question: "which?", options: [{ label: "one" }] }];
    const call = { toolUseId: `t${index}`, toolName, input: { questions }, isSubagent: false };
    void turn.decide(call, turn.signal).catch(() => undefined);
    await before.until(() => before.shown.some((line) => line.includes(`${index + 1}`)));
  }
  store.transaction(() => {
    before.turns.press({ kind: "approve", approvalId: 1, decision: "allow" }, 7);
    before.turns.press({ kind: "approve", approvalId: 2, decision: "deny" }, 7);
    before.turns.press({ kind: "answer", approvalId: 3, question: 0, option: 0, isTick: false }, 7);
  });
  before.submit("b");
  before.submit("c");

  const after = turnsBench({ store });
  after.turns.start();
  expect(after.shown).toContain("interrupted running");
  const told = ({ allowed, waiting }: (typeof after.cutOffs)[number]) => ({
    allowed,
    waiting: waiting.map(({ text }) => text),
  });
  expect(after.cutOffs.map(told)).toEqual([{ allowed: ["Bash"], waiting: ["b", "c"] }]);

  after.submit("d");
  expect(after.shown).toContain("accepted d ahead=2 held=running");
  store.transaction(() => after.turns.askAgain(work.conversationId));
  expect(after.shown.at(-1)).toBe("asked again running");
  expect(after.cutOffs.map(told).at(-1)).toEqual({ allowed: ["Bash"], waiting: ["b", "c", "d"] });
});

test("nothing is asked again once the answer was given", async () => {
  const { store, running } = await leftBehind();
  const after = turnsBench({ store });
  after.turns.start();
  expect(after.turns.status(running.conversationId).heldBy?.text).toBe("running");
  store.transaction(() => after.turns.press({ kind: "recover", workId: running.id, choice: "drop" }, 7));
  expect(after.turns.status(running.conversationId).heldBy).toBeNull();
  const count = after.shown.length;
  store.transaction(() => after.turns.askAgain(running.conversationId));
  expect(after.shown.length).toBe(count);
});
