import type { Now } from "../domain/clock.ts";
import type { Work } from "../domain/work.ts";
import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";
import { SELECT_WORK, type WorkRow, workOf } from "./work-row.ts";

/** Works that were sent too long ago to run by themselves: out of the queue until a person says what shall happen. */
export interface Offered {
  /** Those of a conversation, in the order in which they came. */
  readonly of: (conversationId: number) => readonly Work[];
  /** Queued works, of all conversations, that were sent before `sentBefore` (this machine's clock), in their order. */
  readonly due: (sentBefore: number) => readonly Work[];
  /** Takes a queued work out of its queue. It has no message of its own then. */
  readonly take: (id: number) => void;
  /** Puts it back into the queue, behind all that waits there, as if it had been sent now: a person has said so now. */
  readonly giveBack: (id: number) => void;
}

export function createOffered(db: Db, change: Change, now: Now): Offered {
  const of = db.prepare<[number], WorkRow>(
    `${SELECT_WORK} WHERE conversation_id = ? AND state = 'queued' AND offered_at IS NOT NULL ORDER BY position, work.id`,
  );
  const due = db.prepare<[number], WorkRow>(
    `${SELECT_WORK} WHERE state = 'queued' AND offered_at IS NULL AND coalesce(sent_at, created_at) < ?
     ORDER BY conversation_id, position, work.id`,
  );
  const take = db.prepare<[number, number]>(
    "UPDATE work SET offered_at = ?, placeholder_id = NULL WHERE id = ? AND state = 'queued'",
  );
  const giveBack = db.prepare<[number, number]>(
    `UPDATE work SET offered_at = NULL, sent_at = ?, position = (SELECT coalesce(max(other.position), 0) + 1 FROM work AS other
       WHERE other.conversation_id = work.conversation_id AND other.state = 'queued' AND other.offered_at IS NULL)
     WHERE id = ? AND state = 'queued'`,
  );

  return {
    of: (conversationId) => of.all(conversationId).map(workOf),
    due: (sentBefore) => due.all(sentBefore).map(workOf),
    take: (id) => {
      change("work.offered", () => take.run(now(), id));
    },
    giveBack: (id) => {
      change("work.queued", () => giveBack.run(now(), id));
    },
  };
}
