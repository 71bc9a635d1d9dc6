import { describe, expect, test } from "vitest";
import type { ShownMessage } from "../../src/demo/bot-api/types.ts";
import { createDoorBench } from "../support/door.ts";

const HOUR = 3_600_000;

const labelsOf = ({ keyboard }: ShownMessage): readonly (readonly string[])[] =>
  (keyboard?.inline_keyboard ?? []).map((row) => row.map(({ text }) => text));

describe("a turn that a restart cut off", () => {
  /** One turn cut off, and messages behind it; the daemon has come back. */
  async function cutOff(waiting: readonly string[]) {
    const bench = await createDoorBench();
    const before = bench.live();
    bench.owner.send("\n  fix the tests \nand tell me how");
    await before.asked();
    for (const [index, text] of waiting.entries()) {
      bench.owner.send(text);
      await bench.owner.reads(`Queued: ${index + 1} ahead.`);
    }
    await before.turns.close();
    await before.end();
    return { ...bench, after: bench.live() };
  }

  test("H41: is offered by its first line, with what waits behind it: five by name, the others by number", async () => {
    const { owner } = await cutOff(["one", "two", "three", "four", "five", "six", "seven"]);
    const offer = await owner.reads("cut this off");
    expect(offer.text).toBe(
      [
        "A restart of the bot cut this off before it ended: “fix the tests”",
        "What was done so far is done; nothing was run again. What now?",
        "Behind it wait:\n· “one”\n· “two”\n· “three”\n· “four”\n· “five”\nand 2 more",
      ].join("\n\n"),
    );
    expect(labelsOf(offer)).toEqual([["Continue it", "Run it again", "Drop"]]);
  });

  test("H41: a message that comes meanwhile says for what it waits, and can be dropped", async () => {
    const { owner, after, store } = await cutOff([]);
    await owner.reads("cut this off");
    owner.send("and then this");
    const kept = await owner.reads("Kept: it waits");
    expect(kept.text).toContain("“fix the tests”, which was cut off. /status asks again");
    expect(labelsOf(kept)).toEqual([["Drop"]]);
    owner.press(kept.messageId, "Drop");
    await owner.reads("Dropped: it will not run.");
    expect(after.turns.status(store.conversations.at({ chatId: owner.chatId, threadId: null }).id)).toEqual(
      expect.objectContaining({ queued: [] }),
    );
  });

  test("H41: /status asks again with fresh keys; the older ones stay good, and one answer is taken", async () => {
    const { owner, api, after } = await cutOff(["later"]);
    const first = await owner.reads("cut this off");
    owner.send("/status");
    const status = await owner.reads("Held:");
    expect(status.text).toContain("Held: “fix the tests” was cut off: say below what shall happen to it");
    expect(status.text).toContain("Queue: 1 waiting");
    expect(status.text).toMatch(/\n\nWaiting:\n· “later”$/);
    const again = await api.waitForMessage(owner.chatId, ({ messageId, text }) => {
      return messageId > status.messageId && text.includes("cut this off");
    });
    expect(again.text).toBe(first.text);
    expect((await owner.press(first.messageId, "Run it again").answered()).text).toBe("");
    expect((await owner.press(again.messageId, "Drop").answered()).text).toBe(
      "This has been answered already.",
    );
    const turn = await after.asked();
    expect(turn.prompt).toContain("fix the tests");
    turn.end();
    expect((await after.asked()).prompt).toBe("later");
    owner.send("/status");
    await api.waitForMessage(owner.chatId, ({ text }) => text.includes("Turn: running"));
    expect(owner.texts().filter((text) => text.includes("cut this off"))).toHaveLength(2);
  });
});

test("H41: a continuation that is cut off again is offered by what the person wrote, and goes on once more with the same prompt", async () => {
  const { owner, live, api } = await createDoorBench();
  const first = live();
  owner.send("fix the tests");
  await first.asked();
  await first.turns.close();
  await first.end();
  const second = live();
  await owner.presses("Continue it");
  const { prompt } = await second.asked();
  expect(prompt).toMatch(/^The turn before this one was cut off[^\n]+\n\nfix the tests$/);
  await second.turns.close();
  await second.end();
  const third = live();
  await api.waitFor(() => owner.texts().filter((text) => text.includes("cut this off")).length === 2, {
    what: "the second offer",
  });
  expect((await owner.reads("cut this off")).text).toMatch(/ended: “fix the tests”\n/);
  await owner.presses("Continue it");
  expect((await third.asked()).prompt).toBe(prompt);
});

describe("a message that comes too late", () => {
  test("H40: is kept and offered by its first line; [Show] gives all of it, [Run] runs it, fresh ones go ahead", async () => {
    const { owner, store, live } = await createDoorBench();
    const text = `drop the table\n${"and so on ".repeat(600)}END`;
    const { messageId } = owner.sentBefore(2 * HOUR + 59 * 60_000, text);
    const life = live();
    const offer = await owner.reads("You sent this");
    expect(offer.text).toBe(
      "You sent this 2 h ago, while I could not run it: “drop the table”\n\nIt has not run. Shall it?",
    );
    expect(offer.replyTo).toBe(messageId);
    expect(labelsOf(offer)).toEqual([["Run", "Show", "Drop"]]);
    owner.send("fresh");
    const fresh = await life.asked();
    expect(fresh.prompt).toBe("fresh");

    expect(await owner.presses("Show")).toBe("");
    const end = await owner.reads("END");
    const start = await owner.reads("drop the table\nand so on");
    expect(start.replyTo).toBe(messageId);
    expect(start.text.length + end.text.length).toBeGreaterThan(6_000);
    expect(labelsOf(await owner.reads("You sent this"))).toEqual([["Run", "Show", "Drop"]]);

    expect(await owner.presses("Run")).toBe("");
    await owner.reads("Told to run: see below.");
    await owner.reads("Queued: 1 ahead.");
    fresh.end();
    expect((await life.asked()).prompt).toBe(text);
    expect(store.inbox.unfinished()).toEqual([]);
  });

  test("H40: of several, each has its own offer, and the last one keys for all of them", async () => {
    const { owner, api, live } = await createDoorBench();
    for (const text of ["one", "two", "three"]) owner.sentBefore(HOUR, text);
    const life = live();
    await owner.reads("“three”");
    await api.waitFor(() => owner.texts().length === 3, { what: "three offers" });
    const offers = async () =>
      Promise.all(["“one”", "“two”", "“three”"].map(async (text) => labelsOf(await owner.reads(text))));
    const single = ["Run", "Show", "Drop"];
    await api.waitFor(
      () =>
        api.messages(owner.chatId).filter(({ keyboard }) => keyboard?.inline_keyboard.length === 2).length ===
        1,
      { what: "one message with keys for all" },
    );
    expect(await offers()).toEqual([[single], [single], [single, ["Run all 3", "Drop all 3"]]]);

    const { messageId } = await owner.reads("“three”");
    await owner.press(messageId, "Drop").answered();
    const hasKeysForAll = ({ text, ...message }: ShownMessage): boolean =>
      text.includes("“two”") && labelsOf({ text, ...message }).length === 2;
    await api.waitForMessage(owner.chatId, hasKeysForAll);
    expect(labelsOf(await owner.reads("“two”"))).toEqual([single, ["Run all 2", "Drop all 2"]]);

    await owner.presses("Run all 2");
    const first = await life.asked();
    expect(first.prompt).toBe("one");
    first.end();
    expect((await life.asked()).prompt).toBe("two");
    await api.waitFor(() => owner.texts().filter((text) => text.startsWith("Told to run")).length === 2, {
      what: "both offers are answered",
    });
    expect(await owner.reads("Dropped: it will not run.")).toMatchObject({ messageId, keyboard: null });
  });

  test("H40: takes neither money nor a token: thirty are kept, though ten would be let in", async () => {
    const { owner, api, live, store } = await createDoorBench();
    for (let count = 1; count <= 30; count += 1) owner.sentBefore(HOUR, `message ${count}`);
    live();
    const { id } = store.conversations.at({ chatId: owner.chatId, threadId: null });
    await api.waitFor(() => store.offered.of(id).length === 30, { what: "all are kept" });
    expect(store.offered.of(id).map(({ text }) => text)).toEqual(
      Array.from({ length: 30 }, (_, index) => `message ${index + 1}`),
    );
    expect(owner.texts().filter((text) => text.startsWith("That was a lot"))).toEqual([]);
  });

  test("an edit of it replaces its text, in the offer too", async () => {
    const { owner, live } = await createDoorBench();
    const { messageId } = owner.sentBefore(HOUR, "remove all");
    const life = live();
    await owner.reads("“remove all”");
    owner.edit(messageId, "remove nothing");
    const offer = await owner.reads("“remove nothing”");
    expect(offer.text).toContain("You sent this 1 h ago");
    expect(owner.texts().filter((text) => text.startsWith("You sent this"))).toHaveLength(1);
    await owner.presses("Run");
    expect((await life.asked()).prompt).toBe("remove nothing");
  });

  test("/status counts what is kept and offers it once more", async () => {
    const { owner, api, live } = await createDoorBench();
    owner.sentBefore(HOUR, "one");
    owner.sentBefore(HOUR, "two");
    live();
    const { messageId } = await owner.reads("“two”");
    owner.send("/status");
    const status = await owner.reads("Kept: 2 sent too long ago to run unasked: see below");
    expect(status.text).toContain("Queue: empty");
    const again = await api.waitForMessage(
      owner.chatId,
      (message) => message.messageId > messageId && message.text.includes("“two”"),
    );
    expect(labelsOf(again)).toEqual([
      ["Run", "Show", "Drop"],
      ["Run all 2", "Drop all 2"],
    ]);
    const one = await owner.reads("“one”");
    expect((await owner.press(messageId, "Drop all 2").answered()).text).toBe("");
    await api.waitFor(
      () =>
        api.messages(owner.chatId).every(({ keyboard }) => (keyboard?.inline_keyboard ?? []).length === 0),
      { what: "no message shows a key, the older ones neither" },
    );
    for (const { keyboard, messageId: id } of [one, again]) {
      const late = keyboard?.inline_keyboard[0]?.[0]?.callback_data ?? "";
      expect((await owner.pressRaw(late, id).answered()).text).toBe("This has been answered already.");
    }
  });

  test("another person's press on an offer does nothing, and leaves it to the one who was asked", async () => {
    const { owner, guest, live } = await createDoorBench();
    guest.sentBefore(HOUR, "mine");
    const life = live();
    const { keyboard, messageId } = await guest.reads("“mine”");
    const data = keyboard?.inline_keyboard[0]?.[0]?.callback_data ?? "";
    expect((await owner.pressRaw(data, messageId).answered()).text).toBe(
      "This button belongs to another conversation.",
    );
    guest.press(messageId, "Run");
    expect((await life.asked()).prompt).toBe("mine");
  });
});

describe("a command that comes too late", () => {
  test("H27: /stop of long ago does not stop what began after it; it is told so, and not as run on record", async () => {
    const { owner, live, store } = await createDoorBench();
    const life = live();
    owner.send("fresh work");
    const turn = await life.asked();
    const { messageId } = owner.sentBefore(HOUR, "/stop");
    const told = await owner.reads("/stop");
    expect(told.text).toBe(
      "You sent /stop 1 h ago, while I could not run it. That is too long ago, so it was not carried out: send it again if you still want it.",
    );
    expect(told.replyTo).toBe(messageId);
    expect(turn.signal.aborted).toBe(false);
    owner.sentBefore(HOUR, "/new");
    await owner.reads("/new");
    expect([...store.audit.rows()].filter(({ type }) => type === "command.run")).toEqual([]);
    owner.send("/stop");
    await owner.reads("⏹ Stopped.");
    expect(turn.signal.aborted).toBe(true);
  });

  test("what only tells is answered as usual", async () => {
    const { owner, live } = await createDoorBench();
    live();
    owner.sentBefore(HOUR, "/status");
    await owner.reads("Turn: nothing runs");
    owner.sentBefore(HOUR, "/help");
    await owner.reads("/stop: ");
  });
});

describe("Telegram's clock", () => {
  test.each([
    ["ahead", HOUR],
    ["behind", -HOUR],
  ])(
    "a machine whose clock is an hour %s takes a fresh message for fresh and an old one for old",
    async (_, ms) => {
      const { owner, live, setLocalAhead } = await createDoorBench();
      setLocalAhead(ms);
      const life = live();
      owner.send("fresh");
      expect((await life.asked()).prompt).toBe("fresh");
      owner.sentBefore(20 * 60_000, "old");
      await owner.reads("You sent this 20 min ago, while I could not run it: “old”");
    },
  );
});
