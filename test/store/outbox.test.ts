import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { type MessageBody, type OutboxAct, PRIORITY, type Priority } from "../../src/domain/outbox.ts";
import type { ConversationRef } from "../../src/domain/request.ts";
import { MIGRATIONS } from "../../src/store/migrations.ts";
import { openStore } from "../../src/store/store.ts";
import { testClock, testStore } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";

const CHAT = { chatId: 7, threadId: null };

const bodyOf = (text: string): MessageBody => ({ text, entities: [], buttons: [] });
const sendOf = (text: string): Extract<OutboxAct, { kind: "send" }> => ({
  kind: "send",
  body: bodyOf(text),
  replyTo: 5,
  isSilent: true,
});
const editOf = (target: number, text: string, orSend = false): OutboxAct => ({
  kind: "edit",
  target,
  body: bodyOf(text),
  orSend,
});

function outboxBench() {
  const reached: string[] = [];
  const store = openStore(join(tempDir(), "a.db"), testClock(), { reach: (point) => reached.push(point) });
  const { outbox } = store;
  let works = 0;

  return {
    outbox,
    reached,
    put: (act: OutboxAct, priority: Priority = PRIORITY.notice, finalOf: number | null = null) =>
      outbox.put({ conversation: CHAT, act, priority, finalOf }),
    work: (): number => {
      works += 1;
      const conversationId = store.conversations.at(CHAT).id;
      const key = { uuid: `u${works}`, dedupeKey: `k${works}`, conversationId, userId: 7 };
      return store.work.submit({ ...key, project: "p", text: "t", messageId: 5 })?.id ?? 0;
    },
    /** Everything that waits, in its order, sent. */
    drain: () => {
      const rows = [];
      for (let row = outbox.next(7); row; row = outbox.next(7)) {
        rows.push(row);
        outbox.sent(row.id, row.id + 100);
      }
      return rows;
    },
  };
}

describe("an edit", () => {
  test("of a message whose sending was not begun changes the message itself, which keeps its id", () => {
    const { put, drain, reached } = outboxBench();
    const target = put(sendOf("Working"));
    expect(put(editOf(target, "Dropped"))).toBe(target);
    expect(drain()).toMatchObject([{ id: target, act: { ...sendOf("Dropped") } }]);
    expect(reached.filter((point) => point.startsWith("outbox.folded"))).toEqual([
      "outbox.folded:before",
      "outbox.folded:after",
    ]);
  });

  test("of a message that surely was not sent changes it too", () => {
    const { outbox, put, drain } = outboxBench();
    const target = put(sendOf("Working"));
    outbox.begin(target);
    outbox.retry(target);
    put(editOf(target, "Dropped"));
    expect(drain().map(({ act }) => act.body.text)).toEqual(["Dropped"]);
  });

  test.each(["begun", "begun, and nobody knows whether it came"])(
    "of a message that is %s waits behind it",
    (state) => {
      const { outbox, put, drain } = outboxBench();
      const target = put(sendOf("Working"));
      outbox.begin(target);
      if (state !== "begun") outbox.doubt(target);
      expect(put(editOf(target, "Dropped"))).not.toBe(target);
      expect(drain().map(({ act }) => act.body.text)).toEqual(["Working", "Dropped"]);
    },
  );

  test("takes the place of the one that waits, and has what is more urgent and more lasting of the two", () => {
    const { outbox, put, work, drain } = outboxBench();
    const finalOf = work();
    const target = put(sendOf("Working"));
    outbox.sent(target, 11);
    const waiting = put(editOf(target, "first"));
    expect(put(editOf(target, "second", true), PRIORITY.final, finalOf)).toBe(waiting);
    expect(put(editOf(target, "third"))).toBe(waiting);
    expect(drain()).toMatchObject([
      { id: waiting, act: editOf(target, "third", true), priority: PRIORITY.final, finalOf },
    ]);
  });

  test("that was begun is left alone: the next one waits behind it", () => {
    const { outbox, put, drain } = outboxBench();
    const target = put(sendOf("Working"));
    outbox.sent(target, 11);
    const begun = put(editOf(target, "first"));
    outbox.begin(begun);
    const waiting = put(editOf(target, "second"));
    expect(waiting).not.toBe(begun);
    expect(put(editOf(target, "third"))).toBe(waiting);
    expect(outbox.nextEdit(target)?.id).toBe(begun);
    expect(drain().map(({ act }) => act.body.text)).toEqual(["first", "third"]);
  });

  test("of one work's end never takes the place of another's, nor goes before it", () => {
    const { outbox, put, work, drain } = outboxBench();
    const [one, other] = [work(), work()];
    const target = put(sendOf("Working"), PRIORITY.final, one);
    const second = put(editOf(target, "the other's"), PRIORITY.final, other);
    expect(second).not.toBe(target);
    expect(put(editOf(target, "a note"))).toBe(second); // not into the message: the other's edit would hide it
    expect(put(editOf(target, "the first's"), PRIORITY.final, one)).not.toBe(second);
    expect(outbox.get(second)?.finalOf).toBe(other);
    expect(drain().map(({ act }) => act.body.text)).toEqual(["Working", "a note", "the first's"]);
  });

  test("makes an answer of a placeholder when it must not be lost, and else leaves it one", () => {
    const { outbox, put, work } = outboxBench();
    const isProgress = true as const;
    const mere = put({ ...sendOf("Queued"), isProgress });
    put(editOf(mere, "Waits"));
    expect(outbox.get(mere)?.act).toEqual({ ...sendOf("Waits"), isProgress });
    const final = put({ ...sendOf("Working"), isProgress });
    put(editOf(final, "The answer"), PRIORITY.final, work());
    expect(outbox.get(final)?.act).toEqual(sendOf("The answer"));
    const anew = put({ ...sendOf("Working"), isProgress });
    put(editOf(anew, "The answer", true));
    expect(outbox.get(anew)?.act).toEqual(sendOf("The answer"));
  });

  test("of a document changes its caption and leaves the file", () => {
    const { outbox, put } = outboxBench();
    const file = { fileName: "a.txt", content: "whole", replyTo: null };
    const target = put({ kind: "document", ...file, body: bodyOf("asked") });
    put(editOf(target, "denied"));
    expect(outbox.get(target)?.act).toEqual({ kind: "document", ...file, body: bodyOf("denied") });
  });
});

test("among notices a new message goes before a changed one; what is more urgent goes first all the same", () => {
  const { outbox, put, drain } = outboxBench();
  const [one, two] = [put(sendOf("one")), put(sendOf("two"))];
  for (const id of [one, two]) outbox.sent(id, id);
  put(editOf(one, "edit"));
  put(sendOf("notice"));
  put(editOf(two, "urgent edit"), PRIORITY.approval);
  put(sendOf("urgent"), PRIORITY.approval);
  expect(drain().map(({ act }) => act.body.text)).toEqual(["urgent edit", "urgent", "notice", "edit"]);
});

test("a row may go on in another form, and one that is to be sent instead of edited counts its copies anew", () => {
  const { outbox, put } = outboxBench();
  const target = put(sendOf("Working"));
  outbox.sent(target, 11);
  const row = put(editOf(target, "The answer", true));
  outbox.begin(row);
  outbox.begin(row); // a life ended in between
  outbox.rewrite(row, { act: editOf(target, "plainly", true), conversation: { chatId: 7, threadId: 3 } });
  expect(outbox.get(row)).toMatchObject({ state: "queued", attempts: 1, conversation: { threadId: 3 } });
  expect(outbox.nextEdit(target)?.id).toBe(row);
  outbox.begin(row);
  outbox.rewrite(row, { act: sendOf("plainly"), conversation: CHAT });
  expect(outbox.get(row)).toMatchObject({ state: "queued", attempts: 0, conversation: CHAT });
  expect(outbox.nextEdit(target)).toBeNull();
});

test("a chat rests and is parked for itself, and each is told apart from what was so before", () => {
  const clock = testClock();
  const { chats } = testStore(clock);
  chats.rest(7, clock() + 1_000);
  chats.rest(8, clock() + 5_000);
  chats.rest(8, clock() + 2_000);
  expect(chats.resting()).toEqual([
    { chatId: 7, restUntil: clock() + 1_000 },
    { chatId: 8, restUntil: clock() + 2_000 },
  ]);
  expect([chats.isParked(7), chats.park(7), chats.park(7), chats.isParked(7)]).toEqual([
    false,
    true,
    false,
    true,
  ]);
  expect(chats.isParked(8)).toBe(false);
  clock.turn(1_500);
  expect(chats.resting().map(({ chatId }) => chatId)).toEqual([8]);
  expect([chats.serve(7), chats.serve(7), chats.isParked(7), chats.serve(99)]).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect(chats.park(7)).toBe(true);
});

test("H66: the buttons of a topic that is gone work in its chat, and nowhere else", () => {
  const { conversations, buttons } = testStore();
  const [topic, chat, sibling, elsewhere] = [
    conversations.at({ chatId: 7, threadId: 3 }),
    conversations.at(CHAT),
    conversations.at({ chatId: 7, threadId: 4 }),
    conversations.at({ chatId: 8, threadId: null }),
  ];
  const offer = () =>
    buttons.offer({
      group: "g",
      action: { kind: "dismiss" },
      conversationId: topic.id,
      userId: 7,
      expiresAt: null,
    });
  const press = (nonce: string, conversation: ConversationRef) =>
    buttons.press({ nonce, conversation, userId: 7, isOwner: false });
  const nonce = offer();
  const refused = { kind: "refused", reason: "elsewhere" };
  expect(press(nonce, chat)).toEqual(refused);
  expect([conversations.loseTopic(topic.id), conversations.loseTopic(topic.id)]).toEqual([true, false]);
  expect(press(nonce, sibling)).toEqual(refused);
  expect(press(nonce, elsewhere)).toEqual(refused);
  expect(press(nonce, chat)).toMatchObject({ kind: "accepted" });
});

test("a database of before keeps its pauses and knows which message its edits change", () => {
  const path = join(tempDir(), "a.db");
  const before = new Database(path);
  for (const step of MIGRATIONS.slice(0, 2)) before.exec(step);
  before.pragma("user_version = 2");
  const insert = before.prepare(
    `INSERT INTO outbox (chat_id, thread_id, act, priority, state, not_before, message_id, created_at)
     VALUES (7, 0, ?, 2, ?, ?, ?, 0)`,
  );
  insert.run(JSON.stringify(sendOf("Working")), "sent", 0, 11);
  insert.run(JSON.stringify(editOf(1, "first")), "queued", 9_000, null);
  before.close();
  using store = openStore(path, () => 5_000);
  expect(store.chats.resting()).toEqual([{ chatId: 7, restUntil: 9_000 }]);
  const draft = { conversation: CHAT, act: editOf(1, "second"), priority: PRIORITY.notice, finalOf: null };
  expect(store.outbox.put(draft)).toBe(2);
  expect(store.outbox.nextEdit(1)?.act.body.text).toBe("second");
});
