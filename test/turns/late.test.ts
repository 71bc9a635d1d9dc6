import { expect, test } from "vitest";
import type { Work } from "../../src/domain/work.ts";
import { testClock, testStore } from "../support/store.ts";
import { STALE_AFTER_MS, turnsBench } from "../support/turns.ts";

const HOUR = 3_600_000;

/** Turns with a clock that can be turned, in any number of lives on one store. */
function lateBench() {
  const now = testClock();
  const store = testStore(now);
  const live = () => {
    const bench = turnsBench({ store, now });
    /** A message that was sent `ageMs` before it came. */
    const keep = (text: string, ageMs = 2 * HOUR): Work =>
      store.transaction(() => {
        const { id: conversationId } = store.conversations.at({ chatId: 7, threadId: null });
        const draft = { dedupeKey: text, conversationId, userId: 7, project: "p", text, messageId: 1 };
        const work = bench.turns.keep({ ...draft, sentAt: now() - ageMs });
        if (!work) throw new Error("kept before");
        return work;
      });
    const press = (workId: number, choice: "run" | "show" | "drop") =>
      store.transaction(() => bench.turns.press({ kind: "offered", workId, choice }, 7));
    const pressAll = (works: readonly Work[], choice: "run" | "drop") => {
      const workIds = works.map(({ id }) => id);
      return store.transaction(() => bench.turns.press({ kind: "offered_all", workIds, choice }, 7));
    };
    return { ...bench, keep, press, pressAll };
  };
  return { now, store, live };
}

const stateOf = (store: ReturnType<typeof testStore>, { id }: Work) => store.work.get(id)?.state;

test("H40: a message that comes too late is kept and offered; it neither runs by itself nor holds up a fresh one", async () => {
  const { store, live } = lateBench();
  const bench = live();
  const old = bench.keep("old");
  expect(bench.shown).toEqual(["set aside old", "offer old 7200 s []"]);
  bench.submit("fresh");
  expect((await bench.asked()).prompt).toBe("fresh");
  expect(stateOf(store, old)).toBe("offered");
  expect(bench.turns.status(old.conversationId)).toMatchObject({
    queued: [],
    offered: [{ text: "old" }],
  });
  expect(store.work.reserved(7)).toBe(5_000_000); // of the fresh one alone
});

test("H43: a message that comes a second time is offered once", () => {
  const bench = lateBench().live();
  bench.keep("old");
  expect(() => bench.keep("old")).toThrow("kept before");
  expect(bench.shown.filter((line) => line.startsWith("offer"))).toHaveLength(1);
});

test("H40, H43: what had waited too long when the daemon came back is offered, what had not runs", async () => {
  const { now, store, live } = lateBench();
  const before = live();
  const running = before.submit("running");
  const old = before.submit("old");
  now.turn(STALE_AFTER_MS - 1_000);
  const fresh = before.submit("fresh");
  await before.asked();

  now.turn(1_001);
  const after = live();
  after.turns.start();
  expect(after.shown).toEqual(["set aside old", "offer old 900.001 s []", "interrupted running"]);
  expect(after.cutOffs.at(-1)?.waiting.map(({ text }) => text)).toEqual(["fresh"]);
  expect([running, old, fresh].map((work) => stateOf(store, work))).toEqual([
    "interrupted",
    "offered",
    "queued",
  ]);
  store.transaction(() => after.turns.press({ kind: "recover", workId: running.id, choice: "drop" }, 7));
  expect((await after.asked()).prompt).toBe("fresh");
});

test("at exactly the limit it still runs", async () => {
  const { now, store, live } = lateBench();
  const before = live();
  before.submit("running", 8);
  const turn = await before.asked();
  const { id: conversationId } = store.conversations.at({ chatId: 7, threadId: null });
  store.work.submit({ ...draftOf("edge"), conversationId, sentAt: now() });
  turn.end();
  now.turn(STALE_AFTER_MS);
  const after = live();
  after.turns.start();
  expect((await after.asked()).prompt).toBe("edge");
});

const draftOf = (text: string) => ({
  uuid: text,
  dedupeKey: text,
  userId: 7,
  project: "p",
  text,
  messageId: 1,
});

test("what was only being prepared when the daemon ended hours ago is offered as well", () => {
  const { now, store, live } = lateBench();
  const { id: conversationId } = store.conversations.at({ chatId: 7, threadId: null });
  const work = store.work.submit({ ...draftOf("a"), conversationId });
  store.work.prepare(work?.id ?? 0, "s", 5);
  now.turn(HOUR);
  const after = live();
  after.turns.start();
  expect(store.work.get(work?.id ?? 0)).toMatchObject({ state: "offered", reservedMicroUsd: 0 });
});

test("an offer survives restarts, is not made again by them, and [Run] runs it", async () => {
  const { now, store, live } = lateBench();
  const old = live().keep("old");
  now.turn(HOUR);
  const after = live();
  after.turns.start();
  expect(after.shown).toEqual([]);
  expect(after.press(old.id, "run")).toBe("done");
  expect((await after.asked()).prompt).toBe("old");
  expect(after.shown).toEqual(["taken old run", "accepted old ahead=0 held=no"]);
  expect(stateOf(store, old)).toBe("running");
});

test("an offer that is told to run waits behind what waits, and a message that comes later waits behind it", async () => {
  const { live } = lateBench();
  const bench = live();
  const old = bench.keep("old");
  bench.submit("a");
  bench.submit("b");
  let turn = await bench.asked();
  bench.press(old.id, "run");
  expect(bench.shown).toContain("accepted old ahead=2 held=no");
  bench.submit("c");
  const order = [turn.prompt];
  for (let count = 0; count < 3; count += 1) {
    turn.end();
    turn = await bench.asked();
    order.push(turn.prompt);
  }
  expect(order).toEqual(["a", "b", "old", "c"]);
});

test("the last of several offers bears the keys for all; [Run all] runs them in their order", async () => {
  const { live } = lateBench();
  const bench = live();
  const all = ["one", "two", "three"].map((text) => bench.keep(text));
  expect(bench.shown.filter((line) => line.startsWith("offer"))).toEqual([
    "offer one 7200 s []",
    "offer two 7200 s [one,two]",
    "offer two 7200 s []",
    "offer three 7200 s [one,two,three]",
  ]);
  expect(bench.pressAll(all, "run")).toBe("done");
  const order: string[] = [];
  for (let count = 0; count < 3; count += 1) {
    const turn = await bench.asked();
    order.push(turn.prompt);
    turn.end();
  }
  expect(order).toEqual(["one", "two", "three"]);
});

test("[Drop] ends an offer, and the last of those that are left bears the keys for all", () => {
  const { store, live } = lateBench();
  const bench = live();
  const [one, two, three] = ["one", "two", "three"].map((text) => bench.keep(text));
  if (!one || !two || !three) throw new Error("there are three");
  const count = bench.shown.length;
  expect(bench.press(three.id, "drop")).toBe("dropped");
  expect(bench.press(one.id, "drop")).toBe("dropped");
  expect(bench.shown.slice(count)).toEqual([
    "taken three drop",
    "offer two 7200 s [one,two]",
    "taken one drop",
    "offer two 7200 s []",
  ]);
  expect([one, two, three].map((work) => stateOf(store, work))).toEqual(["dropped", "offered", "dropped"]);
});

test("[Drop all] drops what is still offered of those that it named, and no later one", async () => {
  const { store, live } = lateBench();
  const bench = live();
  const [one, two] = ["one", "two"].map((text) => bench.keep(text));
  if (!one || !two) throw new Error("there are two");
  bench.press(one.id, "run");
  await bench.asked();
  const three = bench.keep("three");
  expect(bench.pressAll([one, two], "drop")).toBe("dropped");
  expect([one, two, three].map((work) => stateOf(store, work))).toEqual(["running", "dropped", "offered"]);
  expect(bench.pressAll([one, two], "run")).toBe("late");
});

test("an offer is answered once: what comes after it is too late", () => {
  const { live } = lateBench();
  const bench = live();
  const { id } = bench.keep("old");
  expect(bench.press(id, "show")).toBe("done");
  expect(bench.shown.at(-1)).toBe("recall old");
  expect(bench.press(id, "drop")).toBe("dropped");
  expect([bench.press(id, "run"), bench.press(id, "show"), bench.press(id, "drop")]).toEqual([
    "late",
    "late",
    "late",
  ]);
});

test("/stop and the keys of its old message do not reach an offered work", () => {
  const { now, store, live } = lateBench();
  const before = live();
  before.submit("running");
  const waiting = before.submit("waiting");
  now.turn(HOUR);
  const after = live();
  after.turns.start();
  const press = (kind: "stop" | "queue") =>
    store.transaction(() =>
      after.turns.press(
        kind === "stop" ? { kind, workId: waiting.id } : { kind, workId: waiting.id, choice: "now" },
        7,
      ),
    );
  expect([press("stop"), press("queue")]).toEqual(["late", "late"]);
  store.transaction(() => after.turns.stop(waiting.conversationId)); // lets go of the queue that is held
  expect(store.transaction(() => after.turns.stop(waiting.conversationId))).toBe("late");
  expect(stateOf(store, waiting)).toBe("offered");
});

test("an edited text replaces that of an offered work, and its offer shows it", async () => {
  const { store, live } = lateBench();
  const bench = live();
  const old = bench.keep("old");
  store.transaction(() => bench.turns.edit(store.work.get(old.id) ?? old, "better"));
  expect(bench.shown.at(-1)).toBe("offer better 7200 s []");
  bench.press(old.id, "run");
  expect((await bench.asked()).prompt).toBe("better");
});

test("a kept message without a project gets the one that is chosen later, and still waits to be told", async () => {
  const { now, store, live } = lateBench();
  const bench = live();
  const conversation = store.conversations.at({ chatId: 7, threadId: null });
  const { uuid: _, ...draft } = { ...draftOf("old"), project: null, conversationId: conversation.id };
  const work = store.transaction(() => bench.turns.keep({ ...draft, sentAt: now() - HOUR }));
  store.transaction(() => bench.turns.chooseProject(conversation, "q"));
  expect(store.work.get(work?.id ?? 0)).toMatchObject({ state: "offered", project: "q" });
  bench.press(work?.id ?? 0, "run");
  expect((await bench.asked()).session.project).toBe("/projects/q");
});

test("asked again, the last offer comes once more as a message of its own, with the keys for all", () => {
  const { store, live } = lateBench();
  const bench = live();
  bench.keep("one");
  const two = bench.keep("two");
  const shownBefore = store.work.get(two.id)?.placeholderId;
  store.transaction(() => bench.turns.askAgain(two.conversationId));
  expect(bench.shown.at(-1)).toBe("offer two 7200 s [one,two]");
  expect(store.work.get(two.id)?.placeholderId).not.toBe(shownBefore);
});

test("H43: what a person told to run stays told, also over a restart, however long ago it was sent", () => {
  const { store, live } = lateBench();
  const before = live();
  const old = before.keep("old");
  store.conversations.hold(old.conversationId, 99); // so that it waits
  before.press(old.id, "run");
  expect(stateOf(store, old)).toBe("queued");
  const after = live();
  after.turns.start();
  expect(stateOf(store, old)).toBe("queued");
  expect(after.shown.filter((line) => line.startsWith("offer"))).toEqual([]);
});
