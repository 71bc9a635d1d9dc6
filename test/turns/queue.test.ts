import Database from "better-sqlite3";
import { expect, test } from "vitest";
import type { Reservation } from "../../src/security/limit-cost.ts";
import { WIRE } from "../support/far-side.ts";
import { testStore } from "../support/store.ts";
import { turnsBench } from "../support/turns.ts";

test("turns of one conversation run one after the other, those of others beside them (H45)", async () => {
  const { submit, asked, store, until } = turnsBench();
  const a = submit("a");
  const b = submit("b");
  submit("c", 8);
  const [first, other] = [await asked(), await asked()];
  expect([first.prompt, other.prompt].sort()).toEqual(["a", "c"]);
  expect(store.work.get(b.id)?.state).toBe("queued");
  first.end();
  expect((await asked()).prompt).toBe("b");
  await until(() => store.work.get(a.id)?.state === "delivering");
});

test("a turn's state, money, session and audit are settled together", async () => {
  const { submit, asked, store, reports, events, until } = turnsBench();
  const work = submit("a");
  const turn = await asked();
  expect(store.work.get(work.id)).toMatchObject({ state: "running", reservedMicroUsd: 5_000_000 });
  turn.end({ turnCostMicroUsd: 250 });
  await until(() => reports.length === 1);
  expect(store.work.get(work.id)).toMatchObject({ state: "delivering", reservedMicroUsd: 0 });
  expect(store.ledger.spentSince(7, 0)).toBe(250);
  expect(events.map(({ type }) => type)).toEqual(["turn.started", "cost.settled", "turn.finished"]);
  const session = store.sessions.current({ conversationId: work.conversationId, userId: 7, project: "p" });
  expect(session).toMatchObject({ id: turn.session.sessionId, isResumable: true });
});

test("the next turn of a conversation resumes its session and is charged by itself", async () => {
  const { submit, asked, store } = turnsBench();
  submit("a");
  const first = await asked();
  first.end({ turnCostMicroUsd: 250 });
  submit("b");
  const second = await asked();
  expect(second.session).toMatchObject({ sessionId: first.session.sessionId, isResume: true });
  second.end({ turnCostMicroUsd: 50 });
  submit("c");
  await asked();
  expect(store.ledger.spentSince(7, 0)).toBe(300);
});

test("stop ends the running turn and the queue goes on", async () => {
  const { submit, asked, store, turns, until, reports } = turnsBench();
  const a = submit("a");
  submit("b");
  const running = await asked();
  store.transaction(() => turns.stop(a.conversationId));
  expect(running.signal.aborted).toBe(true);
  await until(() => reports.length === 1);
  expect(store.work.get(a.id)?.state).toBe("stopped");
  expect((await asked()).prompt).toBe("b");
});

test("stop says so when nothing runs", () => {
  const { store, turns } = turnsBench();
  const { id } = store.conversations.at({ chatId: 7, threadId: null });
  expect(store.transaction(() => turns.stop(id))).toBe("late");
});

test("[Run now instead] ends the running turn and takes the chosen one before the others", async () => {
  const { submit, asked, store, turns } = turnsBench();
  submit("a");
  submit("b");
  const c = submit("c");
  await asked();
  store.transaction(() => turns.press({ kind: "queue", workId: c.id, choice: "now" }, 7));
  expect((await asked()).prompt).toBe("c");
});

test("[Drop] takes a queued work out, and a late press on it does nothing", async () => {
  const { submit, asked, store, turns, shown } = turnsBench();
  submit("a");
  const b = submit("b");
  const running = await asked();
  store.transaction(() => turns.press({ kind: "queue", workId: b.id, choice: "drop" }, 7));
  store.transaction(() => turns.press({ kind: "queue", workId: b.id, choice: "now" }, 7));
  expect(store.work.get(b.id)?.state).toBe("dropped");
  expect(running.signal.aborted).toBe(false);
  expect(shown).toContain("dropped b");
});

test("an edited text replaces that of a queued work, not of a running one", async () => {
  const { submit, asked, store, turns } = turnsBench();
  const a = submit("a");
  const b = submit("b");
  const running = await asked();
  const edit = (id: number, text: string) => turns.edit(store.work.get(id) ?? a, text);
  expect(edit(b.id, "better")).toBe(true);
  expect(edit(a.id, "too late")).toBe(false);
  running.end();
  expect((await asked()).prompt).toBe("better");
});

test("work without a project waits for the choice and then runs there", async () => {
  const { store, turns, asked, shown } = turnsBench();
  const conversation = store.conversations.at({ chatId: 7, threadId: null });
  const draft = {
    dedupeKey: "x",
    conversationId: conversation.id,
    userId: 7,
    project: null,
    text: "a",
    messageId: 1,
  };
  store.transaction(() => turns.submit(draft));
  expect(shown).toHaveLength(1);
  store.transaction(() => turns.chooseProject(conversation, "q"));
  expect((await asked()).session.project).toBe("/projects/q");
});

test("work that cannot be paid yet waits for a running turn to settle; a spent budget ends it in words", async () => {
  let answer: Reservation = { kind: "ok", reservedMicroUsd: 1 };
  const { submit, asked, store, shown, until } = turnsBench({ reserve: () => answer });
  submit("a");
  const running = await asked();
  answer = { kind: "busy" };
  const b = submit("b", 8);
  const c = submit("c", 9);
  expect(store.work.get(b.id)?.state).toBe("queued");
  answer = { kind: "spent", spentMicroUsd: 2, limitMicroUsd: 1, returnsAt: null, isEquivalent: false };
  running.end();
  await until(() => store.work.get(b.id)?.state === "failed" && store.work.get(c.id)?.state === "failed");
  expect(shown.filter((line) => line.startsWith("unpaid"))).toEqual(["unpaid b", "unpaid c"]);
});

/** A chat in which persons 7 and 8 work; all that is left of 8's budget is reserved while `busy` is so. */
function sharedChat() {
  const world = { isBusy: true };
  const bench = turnsBench({
    reserve: (userId) =>
      userId === 8 && world.isBusy ? { kind: "busy" } : { kind: "ok", reservedMicroUsd: 5 },
  });
  const say = (text: string, userId: number) => bench.submit(text, -5, userId);
  return { ...bench, world, say };
}

test("whose money is all reserved is passed over: the others' work in the same conversation begins, his keeps its order", async () => {
  const { say, asked, shown, store, world, reports, until } = sharedChat();
  const [first, second] = [say("b1", 8), say("b2", 8)];
  const other = say("a1", 7);
  const turn = await asked();
  expect(turn.prompt).toBe("a1");
  say("a2", 7);
  expect(shown).toEqual([
    "accepted b1 ahead=0 held=no",
    "waits b1",
    "accepted b2 ahead=1 held=no",
    "accepted a1 ahead=0 held=no",
    "accepted a2 ahead=1 held=no",
  ]);
  turn.end();
  const next = await asked();
  expect(next.prompt).toBe("a2");
  expect([first, second].map(({ id }) => store.work.get(id)?.state)).toEqual(["queued", "queued"]);
  world.isBusy = false;
  next.end();
  const his = await asked();
  expect(his.prompt).toBe("b1");
  his.end();
  expect((await asked()).prompt).toBe("b2");
  await until(() => reports.length === 3);
  expect(store.work.get(other.id)?.state).toBe("delivering");
  expect(shown.filter((line) => line.startsWith("waits"))).toEqual(["waits b1"]);
});

test("who was passed over has his turn when a turn elsewhere settles", async () => {
  const { say, submit, asked, world } = sharedChat();
  submit("elsewhere", 9);
  const elsewhere = await asked();
  say("b1", 8);
  say("a1", 7);
  (await asked()).end();
  world.isBusy = false;
  elsewhere.end();
  expect((await asked()).prompt).toBe("b1");
});

test("H52: a fault of our own in beginning a work ends that work, not another's that it passed over", async () => {
  const { say, asked, store, world, until } = sharedChat();
  const waiting = say("b1", 8);
  const { prepare } = store.work;
  const broken = (): never => {
    throw new TypeError("a fault of our own");
  };
  Object.assign(store.work, { prepare: broken });
  const faulty = say("a1", 7);
  await until(() => store.work.get(faulty.id)?.state === "failed");
  Object.assign(store.work, { prepare });
  expect(store.work.get(waiting.id)?.state).toBe("queued");
  world.isBusy = false;
  say("a2", 7);
  expect((await asked()).prompt).toBe("b1");
});

test("what waits for money begins when its person is granted more", async () => {
  let answer: Reservation = { kind: "ok", reservedMicroUsd: 5 };
  const { submit, asked, store, turns, until } = turnsBench({ reserve: () => answer });
  submit("a");
  await asked();
  answer = { kind: "busy" };
  const b = submit("b", 8);
  expect(store.work.get(b.id)?.state).toBe("queued");
  answer = { kind: "ok", reservedMicroUsd: 5 };
  store.transaction(() => turns.paid());
  await until(() => store.work.get(b.id)?.state === "running");
});

test("the payer refuses an API request once the reservation is used up, by what was metered", async () => {
  const { submit, asked } = turnsBench({ reserve: () => ({ kind: "ok", reservedMicroUsd: 100 }) });
  submit("a");
  const { payer } = await asked();
  expect(payer.mayStart(WIRE, 0)).toEqual({ kind: "ok" });
  expect(payer.mayStart(WIRE, 99)).toEqual({ kind: "ok" });
  expect(payer.mayStart(WIRE, 100)).toEqual({ kind: "wait" });
  payer.onUsage({
    requestId: "r",
    model: "m",
    inputTokens: 1,
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    cacheReadTokens: 0,
    outputTokens: 1,
    costMicroUsd: 100,
    isFinal: true,
    isCut: false,
  });
  expect(payer.mayStart(WIRE, 0)).toEqual({ kind: "refuse", message: expect.stringContaining("$0.0001") });
});

test("H52: a turn whose end could not be written keeps its answer until the disk takes it, and the queue goes on", async () => {
  const { submit, asked, store, reports, until } = turnsBench();
  const a = submit("a");
  submit("b");
  const turn = await asked();
  const { end } = store.work;
  let failures = 0;
  const full = (): never => {
    failures += 1;
    throw new Database.SqliteError("database or disk is full", "SQLITE_FULL");
  };
  Object.assign(store.work, { end: full });
  turn.end({ turnCostMicroUsd: 777 });
  await until(() => failures >= 2);
  expect(store.work.get(a.id)?.state).toBe("running");
  Object.assign(store.work, { end });
  await until(() => store.work.get(a.id)?.state === "delivering");
  expect(reports.map(({ outcome }) => outcome)).toEqual([{ kind: "completed", text: "done" }]);
  expect(store.ledger.spentSince(7, 0)).toBe(777);
  expect((await asked()).prompt).toBe("b");
});

test("H52: a turn that cannot be begun is tried again, and nothing else suffers", async () => {
  const { submit, asked, store, until } = turnsBench();
  const { prepare } = store.work;
  let failures = 0;
  const full = (): never => {
    failures += 1;
    throw new Database.SqliteError("database or disk is full", "SQLITE_FULL");
  };
  Object.assign(store.work, { prepare: full });
  const a = submit("a");
  await until(() => failures >= 2);
  expect(store.work.get(a.id)?.state).toBe("queued");
  Object.assign(store.work, { prepare });
  expect((await asked()).prompt).toBe("a");
});

/** A store that takes nothing of a kind while that is so, and how often it was tried. */
function locked(code = "SQLITE_BUSY") {
  const state = { isLocked: true, tries: 0 };
  const check = (): void => {
    state.tries += 1;
    if (state.isLocked) throw new Database.SqliteError("no", code);
  };
  return { state, check };
}

test("H17: a turn whose beginning the store does not take waits, and runs once when it does", async () => {
  const { state, check } = locked();
  const asked: string[] = [];
  const { submit, store, until, reports, events } = turnsBench({
    record: ({ type }) => {
      if (type === "turn.started") check();
    },
    claude: {
      run: async (turn) => {
        const end = { model: "m", turnCostMicroUsd: 1, isResumable: true };
        try {
          turn.onPrompting(false);
        } catch {
          return { ...end, outcome: { kind: "failed", code: "unknown", detail: "no", resetsAt: null } };
        }
        asked.push(turn.prompt);
        return { ...end, outcome: { kind: "completed", text: "done" } };
      },
      forget: async () => undefined,
      forgetAll: async () => undefined,
    },
  });
  const { id } = submit("a");
  submit("b");
  await until(() => state.tries >= 2);
  expect(reports).toEqual([]);
  expect([asked, store.work.get(id)?.state === "failed"]).toEqual([[], false]);
  state.isLocked = false;
  await until(() => reports.length === 2);
  expect(asked).toEqual(["a", "b"]);
  expect(events.filter(({ type }) => type === "turn.finished")).toHaveLength(2);
});

test("a turn whose beginning meets a fault that does not pass ends, and holds up nothing", async () => {
  const { state, check } = locked("SQLITE_CORRUPT");
  const { submit, until, reports, store } = turnsBench({
    record: ({ type }) => {
      if (type === "turn.started") check();
    },
  });
  const { id } = submit("a");
  await until(() => reports.length === 1);
  expect([state.tries, store.work.get(id)?.state]).toEqual([1, "failed"]);
});

test("a turn that waits for the store is stopped by /stop, and does not run later", async () => {
  const { state, check } = locked();
  const { submit, asked, store, turns, until, reports } = turnsBench({
    record: ({ type }) => {
      if (type === "turn.started") check();
    },
  });
  const a = submit("a");
  submit("b");
  await until(() => state.tries > 0 && store.work.get(a.id)?.state === "preparing");
  store.transaction(() => turns.stop(a.conversationId));
  state.isLocked = false;
  await until(() => reports.length > 0);
  expect(reports[0]?.outcome).toEqual({ kind: "stopped" });
  expect((await asked()).prompt).toBe("b");
});

test("[Stop] and /stop drop a work that waits for money, and say what became of it", async () => {
  let answer: Reservation = { kind: "ok", reservedMicroUsd: 1 };
  const { submit, asked, store, shown, turns } = turnsBench({ reserve: () => answer });
  submit("a");
  await asked();
  answer = { kind: "busy" };
  const [b, c] = [submit("b", 8), submit("c", 9)];
  expect(shown).toContain("waits b");
  expect(store.transaction(() => turns.press({ kind: "stop", workId: b.id }, 7))).toBe("dropped");
  expect(store.transaction(() => turns.stop(c.conversationId))).toBe("dropped");
  expect([b, c].map(({ id }) => store.work.get(id)?.state)).toEqual(["dropped", "dropped"]);
  expect(store.transaction(() => turns.press({ kind: "stop", workId: b.id }, 7))).toBe("late");
});

test("a request that reached its cap is refused on record, once a turn", async () => {
  const { submit, asked, events } = turnsBench({ reserve: () => ({ kind: "ok", reservedMicroUsd: 0 }) });
  submit("a");
  const { payer } = await asked();
  payer.mayStart(WIRE, 0);
  payer.mayStart(WIRE, 0);
  expect(events.filter(({ type }) => type === "cost.refused")).toEqual([
    { type: "cost.refused", stage: "request", spentMicroUsd: 0, limitMicroUsd: 0 },
  ]);
});

test("a lost session is ended, so that the next turn begins a new one, and the prompt is not repeated (H42)", async () => {
  const { submit, asked, store, reports, until } = turnsBench();
  const work = submit("a");
  const turn = await asked();
  turn.end({
    outcome: { kind: "failed", code: "session_lost", detail: null, resetsAt: null },
    isResumable: false,
  });
  await until(() => reports.length === 1);
  expect(store.work.get(work.id)?.state).toBe("failed");
  expect(store.sessions.current({ conversationId: work.conversationId, userId: 7, project: "p" })).toBeNull();
});

test("H52: a fault of our own in showing an answer cuts the turn off, visibly, instead of holding up the conversation", async () => {
  const { submit, asked, store, shown, until } = turnsBench();
  const a = submit("a");
  const turn = await asked();
  const { end } = store.work;
  Object.assign(store.work, {
    end: (id: number, state: "delivering" | "interrupted") => {
      if (state === "delivering") throw new TypeError("a fault of our own");
      end(id, state);
    },
  });
  turn.end();
  await until(() => store.work.get(a.id)?.state === "interrupted");
  expect(shown).toContain("interrupted a");
});

test("H10: what was used while the store took nothing is kept, and charged before the turn is settled", async () => {
  const inner = testStore();
  let isFull = false;
  const meter: typeof inner.ledger.meter = (workId, usage) => {
    if (isFull) throw new Database.SqliteError("database or disk is full", "SQLITE_FULL");
    inner.ledger.meter(workId, usage);
  };
  const store = { ...inner, ledger: { ...inner.ledger, meter } };
  const { submit, asked, reports, until } = turnsBench({ store });
  const work = submit("a");
  const { payer, end } = await asked();
  const usage = {
    model: "m",
    inputTokens: 1,
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    cacheReadTokens: 0,
    outputTokens: 1,
    isFinal: true,
    isCut: false,
  };
  payer.onUsage({ ...usage, requestId: "before", costMicroUsd: 1_000 });
  isFull = true;
  payer.onUsage({ ...usage, requestId: "one", costMicroUsd: 20_000 });
  payer.onUsage({ ...usage, requestId: "two", costMicroUsd: 300_000 });
  expect(inner.ledger.metered(work.id)).toBe(1_000);
  end();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(reports).toHaveLength(0); // not settled by what is not the whole
  isFull = false;
  await until(() => reports.length > 0);
  expect(inner.ledger.spentSince(work.userId, 0)).toBe(321_000);
});
