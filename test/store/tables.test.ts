import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { verifyChain } from "../../src/domain/audit-chain.ts";
import { PRIORITY } from "../../src/domain/outbox.ts";
import type { ConversationRef } from "../../src/domain/request.ts";
import { openStore } from "../../src/store/store.ts";
import { testClock, testStore } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";

const CHAT = { chatId: 7, threadId: null };

function withWork(store = testStore()) {
  const conversation = store.conversations.at(CHAT);
  const submit = (dedupeKey: string, text = dedupeKey) =>
    store.work.submit({
      uuid: dedupeKey,
      dedupeKey,
      conversationId: conversation.id,
      userId: 7,
      project: "p",
      text,
      messageId: 1,
    });
  return { store, conversation, submit };
}

test("an update is stored once, whatever the server redelivers, and its content is forgotten when it is done", () => {
  const { inbox } = testStore();
  expect([
    ...inbox.insert([
      { updateId: 5, body: "{}" },
      { updateId: 6, body: "{}" },
    ]),
  ]).toEqual([5, 6]);
  expect([
    ...inbox.insert([
      { updateId: 6, body: "{}" },
      { updateId: 7, body: '{"a":1}' },
    ]),
  ]).toEqual([7]);
  inbox.finish(5);
  inbox.bury(6);
  expect(inbox.unfinished()).toEqual([{ updateId: 7, body: '{"a":1}' }]);
  expect([inbox.attempt(7), inbox.attempt(7)]).toEqual([1, 2]);
});

test("work is submitted once for a dedupe key", () => {
  const { submit } = withWork();
  expect(submit("a")?.state).toBe("queued");
  expect(submit("a")).toBeNull();
});

test("the queue is first in, first out, and what is moved first goes first", () => {
  const { store, conversation, submit } = withWork();
  const [a, b, c] = ["a", "b", "c"].map((key) => submit(key));
  expect(store.work.queued(conversation.id).map(({ id }) => id)).toEqual([a?.id, b?.id, c?.id]);
  store.work.moveFirst(c?.id ?? 0);
  expect(store.work.queued(conversation.id)[0]?.id).toBe(c?.id);
  store.work.moveFirst(b?.id ?? 0);
  expect(store.work.queued(conversation.id).map(({ id }) => id)).toEqual([b?.id, c?.id, a?.id]);
});

test("an offered work stands outside the queue, without a message, until it is given back behind all that waits", () => {
  const clock = testClock();
  const { store, conversation, submit } = withWork(testStore(clock));
  const a = submit("a");
  store.work.setPlaceholder(a?.id ?? 0, 5);
  clock.turn(1_000);
  const b = submit("b");
  expect(store.offered.due(clock()).map(({ text }) => text)).toEqual(["a"]);
  store.offered.take(a?.id ?? 0);
  expect(store.offered.of(conversation.id)).toMatchObject([
    { text: "a", state: "offered", placeholderId: null, sentAt: clock() - 1_000 },
  ]);
  expect(store.work.queued(conversation.id).map(({ id }) => id)).toEqual([b?.id]);
  expect(store.work.queued(conversation.id)[0]?.id).toBe(b?.id);
  expect(store.offered.due(clock() + 1).map(({ text }) => text)).toEqual(["b"]);
  store.offered.giveBack(a?.id ?? 0);
  submit("c");
  expect(store.work.queued(conversation.id).map(({ text }) => text)).toEqual(["b", "a", "c"]);
  expect(store.offered.of(conversation.id)).toEqual([]);
});

test("a conversation in which all is offered has no queue", () => {
  const { store, submit } = withWork();
  const a = submit("a");
  store.offered.take(a?.id ?? 0);
  expect(store.work.conversationsWithQueue()).toEqual([]);
  store.work.end(a?.id ?? 0, "dropped");
  store.offered.take(a?.id ?? 0);
  store.offered.giveBack(a?.id ?? 0);
  expect(store.work.get(a?.id ?? 0)?.state).toBe("dropped");
});

test("a reservation counts while the work lasts and ends with it", () => {
  const { store, submit } = withWork();
  const work = submit("a");
  store.work.prepare(work?.id ?? 0, "session", 5_000);
  expect(store.work.reserved(7)).toBe(5_000);
  store.work.end(work?.id ?? 0, "stopped");
  expect(store.work.reserved(7)).toBe(0);
});

test("a button works once, takes its group with it, and only for its person, an owner, or nobody else", () => {
  const { store, conversation } = withWork();
  const draft = { group: "g", conversationId: conversation.id, userId: 7, expiresAt: null };
  const one = store.buttons.offer({ ...draft, action: { kind: "dismiss" } });
  const two = store.buttons.offer({ ...draft, action: { kind: "repo", project: "x" } });
  const press = (nonce: string, userId = 7, where: ConversationRef = conversation) =>
    store.buttons.press({ nonce, conversation: where, userId, isOwner: userId === 1 });

  expect(press("forged")).toEqual({ kind: "refused", reason: "unknown" });
  expect(press(one, 8)).toEqual({ kind: "refused", reason: "not_yours" });
  expect(press(one, 7, { chatId: 99, threadId: null })).toEqual({ kind: "refused", reason: "elsewhere" });
  expect(press(two, 1)).toEqual({ kind: "accepted", action: { kind: "repo", project: "x" } });
  expect(press(two)).toEqual({ kind: "refused", reason: "used" });
  expect(press(one)).toEqual({ kind: "refused", reason: "used" });
});

test("a press is judged just as it would be carried out, and judging uses up nothing", () => {
  const { store, conversation } = withWork();
  const action = { kind: "repo", project: "x" } as const;
  const draft = { group: "g", action, conversationId: conversation.id, userId: 7 };
  const good = store.buttons.offer({ ...draft, expiresAt: null });
  const expired = store.buttons.offer({ ...draft, expiresAt: 0 });
  const own = { nonce: good, conversation, userId: 7, isOwner: false };
  const tries = [
    { ...own, nonce: "forged" },
    { ...own, conversation: { chatId: 7, threadId: 3 } },
    { ...own, userId: 8 },
    { ...own, nonce: expired },
    own,
    own,
  ];
  const judged = tries.map(store.buttons.judge);
  expect(judged.map((press) => (press.kind === "refused" ? press.reason : press.kind))).toEqual([
    "unknown",
    "elsewhere",
    "not_yours",
    "expired",
    "accepted",
    "accepted",
  ]);
  expect(tries.slice(0, -1).map(store.buttons.press)).toEqual(judged.slice(0, -1));
  expect(store.buttons.judge(own)).toEqual({ kind: "refused", reason: "used" });
});

test("a tick may be pressed again and uses up no other button of its group", () => {
  const { store, conversation } = withWork();
  const draft = { group: "g", conversationId: conversation.id, userId: 7, expiresAt: null };
  const tick = { kind: "answer", approvalId: 1, question: 0, option: 0, isTick: true } as const;
  const ticked = store.buttons.offer({ ...draft, action: tick });
  const done = store.buttons.offer({
    ...draft,
    action: { kind: "answers_done", approvalId: 1, question: 0 },
  });
  const press = (nonce: string) =>
    store.buttons.press({ nonce, conversation, userId: 7, isOwner: false }).kind;
  expect([press(ticked), press(ticked), press(done), press(ticked)]).toEqual([
    "accepted",
    "accepted",
    "accepted",
    "refused",
  ]);
});

test("a button past its time is refused", () => {
  const clock = testClock();
  const { store, conversation } = withWork(testStore(clock));
  const nonce = store.buttons.offer({
    group: "g",
    action: { kind: "dismiss" },
    conversationId: conversation.id,
    userId: 7,
    expiresAt: clock() + 1_000,
  });
  clock.turn(1_000);
  const press = { nonce, conversation, userId: 7, isOwner: false };
  expect(store.buttons.press(press)).toEqual({ kind: "refused", reason: "expired" });
});

test("H24: callback data is a nonce of 22 characters that says nothing", () => {
  const { store, conversation } = withWork();
  const action = { kind: "repo", project: "../../etc" } as const;
  const nonce = store.buttons.offer({
    group: "g",
    action,
    conversationId: conversation.id,
    userId: 7,
    expiresAt: null,
  });
  expect(nonce).toMatch(/^[\w-]{22}$/);
});

test("the outbox gives a chat's rows by priority, then age, and a work is done when its last part is sent", () => {
  const { store, submit } = withWork();
  const work = submit("a");
  const finalOf = work?.id ?? 0;
  const put = (text: string, priority: 0 | 1 | 2, final: number | null) =>
    store.outbox.put({
      conversation: CHAT,
      act: { kind: "send", body: { text, entities: [], buttons: [] }, replyTo: null, isSilent: false },
      priority,
      finalOf: final,
    });
  put("notice", PRIORITY.notice, null);
  const first = put("one", PRIORITY.final, finalOf);
  const second = put("two", PRIORITY.final, finalOf);
  store.work.end(finalOf, "delivering");

  expect(store.outbox.next(7)?.id).toBe(first);
  store.outbox.begin(first);
  store.outbox.sent(first, 11);
  store.work.finishIfDelivered(finalOf);
  expect(store.work.get(finalOf)?.state).toBe("delivering");
  expect(store.outbox.next(7)?.id).toBe(second);
  store.outbox.sent(second, 12);
  store.work.finishIfDelivered(finalOf);
  expect(store.work.get(finalOf)?.state).toBe("done");
  expect(store.outbox.get(first)?.messageId).toBe(11);
});

test("H10: costs are what was settled, once a work, and survive a restart", () => {
  const path = join(tempDir(), "a.db");
  const clock = testClock();
  const store = openStore(path, clock);
  const { submit } = withWork(store);
  const work = submit("a");
  const charge = { workId: work?.id ?? 0, userId: 7, costMicroUsd: 1_500, source: "cli" } as const;
  store.ledger.settle(charge);
  store.ledger.settle({ ...charge, costMicroUsd: 9_999 });
  store[Symbol.dispose]();

  using again = openStore(path, clock);
  expect(again.ledger.spentSince(7, 0)).toBe(1_500);
  expect(again.ledger.spentSince(7, clock() + 1)).toBe(0);
  expect(again.ledger.spentSince(8, 0)).toBe(0);
});

test("a later report of an API request replaces the earlier one", () => {
  const { store, submit } = withWork();
  const workId = submit("a")?.id ?? 0;
  const usage = {
    requestId: "r",
    model: "m",
    inputTokens: 1,
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    cacheReadTokens: 0,
    outputTokens: 1,
    isCut: false,
  };
  store.ledger.meter(workId, { ...usage, costMicroUsd: 10, isFinal: false });
  store.ledger.meter(workId, { ...usage, costMicroUsd: 30, isFinal: true });
  store.ledger.meter(workId, { ...usage, requestId: "s", costMicroUsd: 5, isFinal: true });
  expect(store.ledger.metered(workId)).toBe(35);
});

test("the audit is append-only for every statement, and its chain holds over several connections", () => {
  const path = join(tempDir(), "a.db");
  const clock = testClock();
  using one = openStore(path, clock);
  using two = openStore(path, clock);
  const entry = {
    at: clock(),
    risk: "low",
    userId: 7,
    conversation: CHAT,
    event: { type: "command.run", name: "help" },
  } as const;
  one.audit.append(entry);
  two.audit.append(entry);
  one.audit.append(entry);
  expect(verifyChain(two.audit.rows())).toMatchObject({ kind: "ok", count: 3, head: one.audit.head() });

  const raw = new Database(path);
  expect(() => raw.exec("UPDATE audit SET risk = 'high' WHERE id = 2")).toThrow("append-only");
  expect(() => raw.exec("DELETE FROM audit WHERE id = 3")).toThrow("append-only");
  raw.exec("DROP TRIGGER audit_is_append_only_update; UPDATE audit SET risk = 'high' WHERE id = 2");
  raw.close();
  expect(verifyChain(one.audit.rows())).toEqual({ kind: "broken", id: 2, reason: "changed" });
});

test("the audit may lose its beginning up to its anchor, which only moves forward, from row to row, and nothing else", () => {
  const path = join(tempDir(), "a.db");
  using store = openStore(path, testClock());
  const event = { type: "command.run", name: "help" } as const;
  const append = () => store.audit.append({ at: 5, risk: "low", userId: 7, conversation: CHAT, event });
  for (let row = 0; row < 5; row += 1) append();
  const [, second, third] = store.audit.after(0, 3);
  if (!second || !third) throw new Error("there are five rows");
  expect(second).toEqual({ id: 2, hash: expect.any(String), at: 5 });
  expect(store.audit.removeGivenUp(100)).toBe(0);
  const refused = "the anchor only moves forward, from row to row of the audit";
  expect(() => store.audit.giveUp({ id: 3, hash: second.hash })).toThrow(refused);
  expect(() => store.audit.giveUp({ id: 9, hash: second.hash })).toThrow(refused);
  store.audit.giveUp(third);
  expect(() => store.audit.giveUp(second)).toThrow(refused);
  expect(() => store.audit.giveUp(third)).toThrow(refused);
  expect(store.audit.anchor()).toEqual({ id: 3, hash: third.hash });
  expect([...store.audit.rows()].map(({ id }) => id)).toEqual([4, 5]);

  const raw = new Database(path);
  onTestFinished(() => void raw.close());
  const refusals = [
    "DELETE FROM audit WHERE id >= 3",
    "INSERT OR REPLACE INTO audit SELECT 4, at, type, 'high', user_id, chat, data, previous_hash, hash FROM audit WHERE id = 5",
    "DELETE FROM audit_anchor",
    "INSERT OR REPLACE INTO audit_anchor VALUES (1, 5, '')",
    "UPDATE audit_anchor SET id = 0",
  ].map((sql) => {
    try {
      raw.exec(sql);
      return `allowed: ${sql}`;
    } catch (error) {
      return error instanceof Database.SqliteError ? error.message : String(error);
    }
  });
  expect(refusals).toEqual([
    "the audit is append-only",
    "the audit is append-only",
    "the audit has one anchor",
    "the audit has one anchor",
    refused,
  ]);
  expect([store.audit.removeGivenUp(2), store.audit.removeGivenUp(2), store.audit.removeGivenUp(2)]).toEqual([
    2, 1, 0,
  ]);
  expect(raw.prepare("SELECT id FROM audit").pluck().all()).toEqual([4, 5]);
});

test("a chain whose rows are all given up goes on where it ended", () => {
  using store = openStore(join(tempDir(), "a.db"), testClock());
  const event = { type: "command.run", name: "help" } as const;
  const append = () => store.audit.append({ at: 5, risk: "low", userId: 7, conversation: CHAT, event });
  append();
  append();
  const head = store.audit.head();
  store.audit.giveUp(head);
  store.audit.removeGivenUp(10);
  expect(store.audit.head()).toEqual(head);
  append();
  expect([...store.audit.rows()].map(({ id, previousHash }) => [id, previousHash])).toEqual([[3, head.hash]]);
});

test("topics of a chat are conversations of their own", () => {
  const { conversations } = testStore();
  const main = conversations.at(CHAT);
  const topic = conversations.at({ ...CHAT, threadId: 3 });
  expect(topic.id).not.toBe(main.id);
  expect(conversations.at({ ...CHAT, threadId: 3 })).toEqual(topic);
  expect(topic.threadId).toBe(3);
  expect(main.threadId).toBeNull();
});

test("a conversation has one current session for a person and project, and a new one after its end", () => {
  const { store, conversation } = withWork();
  const key = { conversationId: conversation.id, userId: 7, project: "p" };
  store.sessions.begin(key, "s1");
  expect(store.sessions.current(key)?.isResumable).toBe(false);
  store.sessions.markResumable("s1");
  expect(store.sessions.current(key)).toMatchObject({ id: "s1", isResumable: true });
  expect(store.sessions.current({ ...key, userId: 8 })).toBeNull();
  expect(store.sessions.end(key)).toBe(true);
  expect(store.sessions.current(key)).toBeNull();
  store.sessions.begin(key, "s2");
  expect(store.sessions.current(key)?.id).toBe("s2");
});
