import type { Now } from "../domain/clock.ts";
import { type OutboxAct, type OutboxDraft, PRIORITY, type Priority } from "../domain/outbox.ts";
import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";

interface Open {
  id: number;
  act: string;
  priority: Priority;
  final_of: number | null;
  state: string;
  attempts: number;
}

type Edit = Extract<OutboxAct, { kind: "edit" }>;

/**
 * Makes `put` of the outbox. An edit of what was not shown yet changes what waits, instead of waiting behind it: the message
 * itself while its sending was not begun, else the last edit of it. Of two works' ends neither takes the other's place.
 */
export function createPut(db: Db, change: Change, now: Now): (draft: OutboxDraft) => number {
  const insert = db.prepare<[number, number, string, number | null, number, number | null, number]>(
    `INSERT INTO outbox (chat_id, thread_id, act, target, priority, final_of, created_at, state)
     VALUES (?, ?, ?, ?, ?, ?, ?, 'queued')`,
  );
  const lastEdit = db.prepare<[number], Open>(
    "SELECT * FROM outbox WHERE target = ? AND state IN ('queued', 'sending') ORDER BY id DESC LIMIT 1",
  );
  const movedTo = db.prepare<[number], number>("SELECT new_id FROM chat_moves WHERE old_id = ?").pluck();
  const message = db.prepare<[number], Open>("SELECT * FROM outbox WHERE id = ?");
  const fold = db.prepare<[string, Priority, number | null, number]>(
    "UPDATE outbox SET act = ?, priority = ?, final_of = ? WHERE id = ?",
  );

  /** The row that can take the edit in. What was begun may be on the screen already, or come there any moment. */
  function carrierOf(edit: Edit, finalOf: number | null): Open | null {
    const earlier = lastEdit.get(edit.target);
    const row = earlier ?? message.get(edit.target);
    if (row?.state !== "queued" || (row !== earlier && row.attempts > 0)) return null;
    const isAnothers = row.final_of !== null && finalOf !== null && row.final_of !== finalOf;
    return isAnothers ? null : row;
  }

  return (draft) => {
    const { act, finalOf } = draft;
    const { chatId, threadId } = draft.conversation;
    const isEdit = act.kind === "edit";
    const priority = isEdit && draft.priority === PRIORITY.notice ? PRIORITY.noticeEdit : draft.priority;
    const row = isEdit ? carrierOf(act, finalOf) : null;
    if (isEdit && row) {
      const urgent = row.priority < priority ? row.priority : priority;
      const folded = JSON.stringify(foldedAct(JSON.parse(row.act), act, finalOf !== null));
      change("outbox.folded", () => fold.run(folded, urgent, row.final_of ?? finalOf, row.id));
      return row.id;
    }
    const made = change("outbox.queued", () =>
      insert.run(
        movedTo.get(chatId) ?? chatId,
        threadId ?? 0,
        JSON.stringify(act),
        isEdit ? act.target : null,
        priority,
        finalOf,
        now(),
      ),
    );
    return Number(made.lastInsertRowid);
  };
}

/** What waits, showing what the edit shows. A placeholder that an answer has gone into is none any more: it must come. */
function foldedAct(act: OutboxAct, { body, orSend }: Edit, isFinal: boolean): OutboxAct {
  if (act.kind === "edit") return { ...act, body, orSend: act.orSend || orSend };
  if (act.kind !== "send" || !(orSend || isFinal)) return { ...act, body };
  const { isProgress: _, ...lasting } = act;
  return { ...lasting, body };
}
