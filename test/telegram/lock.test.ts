import { expect, test } from "vitest";
import { verifyChain } from "../../src/domain/audit-chain.ts";
import { auditDataOf } from "../../src/domain/audit-event.ts";
import { createDoorBench } from "../support/door.ts";

const LOCKED = "`sallyport unlock` at the machine opens it. Nothing was run.";

/** A guest's turn that runs, with one message behind it. */
async function busy() {
  const bench = await createDoorBench();
  const life = bench.live();
  bench.guest.send("long work");
  const turn = await life.asked();
  bench.guest.send("and then this");
  await bench.guest.reads("Queued: 1 ahead.");
  return { ...bench, life, turn };
}

test("/lock of an owner ends everybody's turns, keeps what waits, and tells everybody whom it touches and all owners who it was", async () => {
  const { owner, partner, guest, turn, store, life } = await busy();
  owner.send("/lock");
  const done = "1 turn was ended, 1 waiting message is kept. `sallyport unlock` at the machine opens it.";
  expect((await owner.reads("Locked")).text).toBe(`🔒 Locked. ${done}`);
  expect((await partner.reads("locked")).text).toBe(`🔒 P7 (7) has locked the bot. ${done}`);
  await guest.reads("An owner has locked the bot. What ran here was ended; what waits here is kept");
  await guest.reads("⏹ Stopped.");
  expect(turn.signal.aborted).toBe(true);
  expect(life.security.lock.state()).toMatchObject({ by: 7 });
  expect(owner.texts()).toHaveLength(1);

  const locked = [...store.audit.rows()].find(({ type }) => type === "daemon.locked");
  expect(locked).toMatchObject({
    risk: "high",
    userId: 7,
    chat: "7:0",
    data: auditDataOf({ type: "daemon.locked", endedTurns: 1, waitingWorks: 1 }),
  });
  expect(verifyChain(store.audit.rows()).kind).toBe("ok");
});

test("a member's /lock locks nothing, and he is told who may", async () => {
  const { guest, life, turn } = await busy();
  guest.send("/lock");
  await guest.reads("Only an owner may lock the bot. Nothing was locked.");
  expect(life.security.lock.state()).toBeNull();
  expect(turn.signal.aborted).toBe(false);
});

test("while it is locked nobody's work comes in, an owner's neither: one clear line says why, and the refusal is on record", async () => {
  const { owner, partner, guest, life, store } = await busy();
  owner.send("/lock");
  await owner.reads("🔒 Locked.");
  for (const person of [owner, guest]) {
    const { messageId } = person.send("do this");
    const told = await person.reads(LOCKED);
    expect(told.text).toMatch(/^Locked by an owner on \d+ \w+ \d{4}, \d\d:\d\d \(.+\): /);
    expect(told.replyTo).toBe(messageId);
  }
  guest.edit(guest.send("typo").messageId, "no typo");
  owner.send("/repo app");
  const { messageId } = partner.send("/lock");
  const again = await partner.reads("Locked by an owner");
  expect(again).toMatchObject({
    replyTo: messageId,
    text: expect.stringMatching(/^Locked by an owner on .+ at the machine opens it\.$/),
  });
  expect([...store.audit.rows()].filter(({ type }) => type === "daemon.locked")).toHaveLength(1);
  expect(life.security.lock.state()).toMatchObject({ by: 7 });
  owner.send("/help");
  await owner.reads("/lock: ");
  const refused = [...store.audit.rows()].filter(({ data }) => data.includes('"gate":"checkLock"'));
  expect(refused.length).toBeGreaterThanOrEqual(4);
  expect(refused.every(({ type, data }) => type === "request.refused" && data.includes('"locked"'))).toBe(
    true,
  );
  expect(life.turns.status(store.conversations.at({ chatId: 7, threadId: null }).id).queued).toEqual([]);
});

test("while it is locked /status says so, /stop and [Drop] still work, and no key lets work begin", async () => {
  const { owner, guest, store } = await busy();
  owner.send("/lock");
  await guest.reads("⏹ Stopped.");
  guest.send("/status");
  const status = await guest.reads("Turn: nothing runs");
  expect(status.text).toMatch(/^🔒: Locked by an owner on .+ opens it\.\nProject: app\n/);
  expect(status.text).toContain("Queue: 1 waiting");
  expect(await guest.presses("Run now instead")).toMatch(/^Locked by an owner on .+ Nothing was run\.$/);
  expect(await guest.presses("Drop")).toBe("");
  await guest.reads("Dropped: it will not run.");
  guest.send("/stop");
  await guest.reads("Nothing is running here.");
  expect(store.work.inStates(["queued", "preparing", "running", "waiting"])).toEqual([]);
});

test("a message that came in just before the lock is kept, says so, and can only be dropped", async () => {
  const { owner, life, store } = await busy();
  owner.send("/lock");
  await owner.reads("🔒 Locked.");
  const { id: conversationId } = store.conversations.at({ chatId: 7, threadId: null });
  const draft = { conversationId, userId: 7, project: "app", text: "just before", messageId: null };
  store.transaction(() => life.turns.submit({ ...draft, dedupeKey: "just before" }));
  const kept = await owner.reads(
    "Kept: an owner has locked the bot. Once that is undone at the machine it runs, or is offered if it is old by then.",
  );
  expect(kept.keyboard?.inline_keyboard.flat().map(({ text }) => text)).toEqual(["Drop"]);
});

test("once it is opened by another hand, the owners are told, what was kept runs, and a key that was refused is good again", async () => {
  const { owner, guest, life } = await busy();
  guest.send("and this");
  const { messageId } = await guest.reads("Queued: 2 ahead.");
  owner.send("/lock");
  await guest.reads("⏹ Stopped.");
  const press = async () => (await guest.press(messageId, "Run now instead").answered()).text;
  expect(await press()).toContain("Locked by an owner");
  life.security.lock.open();
  const turn = await life.asked();
  expect(turn.prompt).toBe("and then this");
  await owner.reads("🔓 Unlocked at the machine.");
  expect(await press()).toBe("");
  expect(turn.signal.aborted).toBe(true);
  expect((await life.asked()).prompt).toBe("and this");
});

test("H27: a /lock that Telegram delivers once more after the unlocking does not lock again, nor does one of long ago", async () => {
  const { owner, api, live } = await createDoorBench();
  const first = live();
  const { updateId, messageId } = owner.send("/lock");
  await owner.reads("🔒 Locked.");
  first.security.lock.open();
  await first.end();

  api.restartUpdateIds(updateId);
  const from = { id: 7, is_bot: false, first_name: "P7" };
  const entities = [{ type: "bot_command", offset: 0, length: 5 }];
  const chat = { id: 7, type: "private", first_name: "P7" } as const;
  const date = Math.floor(Date.now() / 1000);
  expect(api.inject({ message: { message_id: messageId, date, chat, from, text: "/lock", entities } })).toBe(
    updateId,
  );
  const second = live();
  await api.waitFor(() => api.pendingUpdates().length === 0, { what: "the second delivery is confirmed" });
  owner.sentBefore(3_600_000, "/lock");
  await owner.reads("You sent /lock 1 h ago, while I could not run it.");
  expect(second.security.lock.state()).toBeNull();
  owner.send("work");
  expect((await second.asked()).prompt).toBe("work");
});

test("a /lock that comes hours late locks all the same", async () => {
  const { owner, live } = await createDoorBench();
  const { security } = live();
  owner.sentBefore(3_600_000, "/lock");
  await owner.reads("🔒 Locked.");
  expect(security.lock.state()).toMatchObject({ by: 7 });
});
