import type { Now } from "../domain/clock.ts";
import type { OutboxAct, OutboxDraft, OutboxRow, OutboxState, Priority } from "../domain/outbox.ts";
import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";

/** What has to appear on the screen, in order, until Telegram has confirmed it. */
export interface Outbox {
  readonly put: (draft: OutboxDraft) => number;
  readonly get: (id: number) => OutboxRow | null;
  /** Chats with something to send. */
  readonly chats: () => readonly number[];
  /**
   * The next row of a chat, by priority, then age: one that waits, or one that was begun and never recorded as ended (only
   * one call of a chat is made at a time). Null when there is none.
   */
  readonly next: (chatId: number) => OutboxRow | null;
  readonly begin: (id: number) => void;
  readonly sent: (id: number, messageId: number | null) => void;
  readonly failed: (id: number) => void;
  /** Back into the queue, not before `notBefore`; the call surely had no effect, or none that another could double. */
  readonly retry: (id: number, notBefore: number) => void;
  /** Back into the queue, not before `notBefore`; nobody knows whether the call had an effect. */
  readonly doubt: (id: number, notBefore: number) => void;
  /** Until when a chat must rest, as far as its rows know: a pause that Telegram asked for is meant for the whole chat. */
  readonly restUntil: (chatId: number) => number;
  /** Takes a row that was not begun out of the queue; false when it was begun or is gone. */
  readonly withdraw: (id: number) => boolean;
}

interface Row {
  id: number;
  chat_id: number;
  thread_id: number;
  act: string;
  priority: Priority;
  final_of: number | null;
  state: OutboxState;
  attempts: number;
  message_id: number | null;
}

/** The statements on open rows name their states just as the partial index outbox_open does, which only so is used. */
export function createOutbox(db: Db, change: Change, now: Now): Outbox {
  const put = db.prepare<[number, number, string, number, number | null, number]>(
    `INSERT INTO outbox (chat_id, thread_id, act, priority, final_of, created_at, state) VALUES (?, ?, ?, ?, ?, ?, 'queued')`,
  );
  const get = db.prepare<[number], Row>("SELECT * FROM outbox WHERE id = ?");
  const chats = db.prepare<[], { chat_id: number }>(
    "SELECT DISTINCT chat_id FROM outbox WHERE state IN ('queued', 'sending')",
  );
  const next = db.prepare<[number], Row>(
    "SELECT * FROM outbox WHERE chat_id = ? AND state IN ('queued', 'sending') ORDER BY priority, id LIMIT 1",
  );
  const begin = db.prepare<[number]>(
    "UPDATE outbox SET state = 'sending', attempts = attempts + 1 WHERE id = ?",
  );
  const settle = db.prepare<[OutboxState, number | null, number]>(
    "UPDATE outbox SET state = ?, message_id = coalesce(?, message_id) WHERE id = ?",
  );
  const retry = db.prepare<[number, number]>(
    "UPDATE outbox SET state = 'queued', attempts = attempts - 1, not_before = ? WHERE id = ?",
  );
  const doubt = db.prepare<[number, number]>(
    "UPDATE outbox SET state = 'queued', not_before = ? WHERE id = ?",
  );
  const withdraw = db.prepare<[number]>(
    "UPDATE outbox SET state = 'dropped' WHERE id = ? AND state = 'queued'",
  );
  const restUntil = db.prepare<[number], { at: number | null }>(
    "SELECT max(not_before) AS at FROM outbox WHERE chat_id = ? AND state IN ('queued', 'sending')",
  );

  return {
    put: ({ conversation: { chatId, threadId }, act, priority, finalOf }) => {
      const made = change("outbox.queued", () =>
        put.run(chatId, threadId ?? 0, JSON.stringify(act), priority, finalOf, now()),
      );
      return Number(made.lastInsertRowid);
    },
    get: (id) => {
      const row = get.get(id);
      return row ? outboxRowOf(row) : null;
    },
    chats: () => chats.all().map((row) => row.chat_id),
    next: (chatId) => {
      const row = next.get(chatId);
      return row ? outboxRowOf(row) : null;
    },
    begin: (id) => {
      change("outbox.sending", () => begin.run(id));
    },
    sent: (id, messageId) => {
      change("outbox.sent", () => settle.run("sent", messageId, id));
    },
    failed: (id) => {
      change("outbox.failed", () => settle.run("failed", null, id));
    },
    retry: (id, notBefore) => {
      change("outbox.again", () => retry.run(notBefore, id));
    },
    doubt: (id, notBefore) => {
      change("outbox.doubtful", () => doubt.run(notBefore, id));
    },
    restUntil: (chatId) => restUntil.get(chatId)?.at ?? 0,
    withdraw: (id) => change("outbox.dropped", () => withdraw.run(id)).changes > 0,
  };
}

function outboxRowOf(row: Row): OutboxRow {
  const act: OutboxAct = JSON.parse(row.act);
  return {
    id: row.id,
    conversation: { chatId: row.chat_id, threadId: row.thread_id === 0 ? null : row.thread_id },
    act,
    priority: row.priority,
    finalOf: row.final_of,
    state: row.state,
    attempts: row.attempts,
    messageId: row.message_id,
  };
}
