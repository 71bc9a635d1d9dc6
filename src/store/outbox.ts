import type { Now } from "../domain/clock.ts";
import type { OutboxAct, OutboxDraft, OutboxRow, OutboxState, Priority } from "../domain/outbox.ts";
import type { Db } from "./database.ts";
import { createPut } from "./outbox-put.ts";
import type { Change } from "./transactions.ts";

/** What has to appear on the screen, in order, until Telegram has confirmed it. */
export interface Outbox {
  /**
   * Gives the row that will show it: a new one, or, for an edit of what waits itself, the row that the edit went into. The id
   * of a message stays that message's, whatever is folded into it.
   */
  readonly put: (draft: OutboxDraft) => number;
  readonly get: (id: number) => OutboxRow | null;
  /** Chats with something to send. */
  readonly chats: () => readonly number[];
  /**
   * The next row of a chat, by priority, then age: one that waits, or one that was begun and never recorded as ended (only
   * one call of a chat is made at a time). Null when there is none.
   */
  readonly next: (chatId: number) => OutboxRow | null;
  /** The same among what ends no work and changes nothing that is on the screen. */
  readonly nextPassing: (chatId: number) => OutboxRow | null;
  /** The oldest edit of a message that is not done. */
  readonly nextEdit: (target: number) => OutboxRow | null;
  readonly begin: (id: number) => void;
  readonly sent: (id: number, messageId: number | null) => void;
  readonly failed: (id: number) => void;
  /** Nobody needs it any more. */
  readonly drop: (id: number) => void;
  /** Back into the queue; the call surely had no effect, or none that another could double. */
  readonly retry: (id: number) => void;
  /** Back into the queue; nobody knows whether the call had an effect. */
  readonly doubt: (id: number) => void;
  /** Back into the queue as something else: the call surely had no effect in that form. */
  readonly rewrite: (id: number, form: Pick<OutboxRow, "act" | "conversation">) => void;
  /** Back into the queue as an edit of another row's message; what it was sent as may be on the screen. */
  readonly bringBy: (id: number, act: Extract<OutboxAct, { kind: "edit" }>) => void;
  /**
   * Takes all of a chat that waits out of the queue, but for what takes something off the screen; gives the works whose ends were
   * among it.
   */
  readonly dropQueued: (chatId: number) => readonly number[];
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

/** The statements on open rows name their states just as the partial indexes do, which only so are used. */
export function createOutbox(db: Db, change: Change, now: Now): Outbox {
  const get = db.prepare<[number], Row>("SELECT * FROM outbox WHERE id = ?");
  const chats = db.prepare<[], { chat_id: number }>(
    "SELECT DISTINCT chat_id FROM outbox WHERE state IN ('queued', 'sending')",
  );
  const next = db.prepare<[number], Row>(
    "SELECT * FROM outbox WHERE chat_id = ? AND state IN ('queued', 'sending') ORDER BY priority, id LIMIT 1",
  );
  const nextPassing = db.prepare<[number], Row>(
    `SELECT * FROM outbox WHERE chat_id = ? AND state IN ('queued', 'sending') AND final_of IS NULL
       AND NOT EXISTS (SELECT 1 FROM outbox AS shown WHERE shown.id = outbox.target AND shown.state = 'sent')
     ORDER BY priority, id LIMIT 1`,
  );
  const nextEdit = db.prepare<[number], Row>(
    "SELECT * FROM outbox WHERE target = ? AND state IN ('queued', 'sending') ORDER BY id LIMIT 1",
  );
  const begin = db.prepare<[number]>(
    "UPDATE outbox SET state = 'sending', attempts = attempts + 1 WHERE id = ?",
  );
  const settle = db.prepare<[OutboxState, number | null, number]>(
    "UPDATE outbox SET state = ?, message_id = coalesce(?, message_id) WHERE id = ?",
  );
  const retry = db.prepare<[number]>(
    "UPDATE outbox SET state = 'queued', attempts = attempts - 1 WHERE id = ?",
  );
  const doubt = db.prepare<[number]>("UPDATE outbox SET state = 'queued' WHERE id = ?");
  // Edits may be made as often as they like: those of a row that is to be sent now do not count.
  const rewrite = db.prepare<{ id: number; threadId: number; act: string; target: number | null }>(
    `UPDATE outbox SET state = 'queued', thread_id = :threadId, act = :act, target = :target,
       attempts = CASE WHEN target IS NOT NULL AND :target IS NULL THEN 0 ELSE attempts - 1 END WHERE id = :id`,
  );
  const bringBy = db.prepare<[string, number, number]>(
    "UPDATE outbox SET state = 'queued', act = ?, target = ? WHERE id = ?",
  );
  const withdraw = db.prepare<[number]>(
    "UPDATE outbox SET state = 'dropped' WHERE id = ? AND state = 'queued'",
  );

  const dropQueued = db.prepare<[number], { final_of: number | null }>(
    `UPDATE outbox SET state = 'dropped' WHERE chat_id = ? AND state = 'queued' AND state IN ('queued', 'sending')
       AND json_extract(act, '$.kind') <> 'delete' RETURNING final_of`,
  );

  const one = (row: Row | undefined): OutboxRow | null => (row ? outboxRowOf(row) : null);

  return {
    put: createPut(db, change, now),
    get: (id) => one(get.get(id)),
    chats: () => chats.all().map((row) => row.chat_id),
    next: (chatId) => one(next.get(chatId)),
    nextPassing: (chatId) => one(nextPassing.get(chatId)),
    nextEdit: (target) => one(nextEdit.get(target)),
    begin: (id) => {
      change("outbox.sending", () => begin.run(id));
    },
    sent: (id, messageId) => {
      change("outbox.sent", () => settle.run("sent", messageId, id));
    },
    failed: (id) => {
      change("outbox.failed", () => settle.run("failed", null, id));
    },
    drop: (id) => {
      change("outbox.dropped", () => settle.run("dropped", null, id));
    },
    retry: (id) => {
      change("outbox.again", () => retry.run(id));
    },
    doubt: (id) => {
      change("outbox.doubtful", () => doubt.run(id));
    },
    rewrite: (id, { act, conversation }) => {
      const target = act.kind === "edit" ? act.target : null;
      change("outbox.again", () =>
        rewrite.run({ id, threadId: conversation.threadId ?? 0, act: JSON.stringify(act), target }),
      );
    },
    bringBy: (id, act) => {
      change("outbox.unsure", () => bringBy.run(JSON.stringify(act), act.target, id));
    },
    dropQueued: (chatId) => {
      let works: readonly number[] = [];
      change("outbox.dropped", () => {
        const rows = dropQueued.all(chatId);
        works = [...new Set(rows.flatMap(({ final_of: workId }) => workId ?? []))];
        return { changes: rows.length };
      });
      return works;
    },
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
