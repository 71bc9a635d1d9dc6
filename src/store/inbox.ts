import type { Now } from "../domain/clock.ts";
import type { Db } from "./database.ts";
import type { Change, Transactions } from "./transactions.ts";

/** An update that Telegram delivered and that is not finished yet. */
export interface InboxRow {
  readonly updateId: number;
  /** The update as JSON. */
  readonly body: string;
  readonly attempts: number;
}

/** Updates on disk, each once: written before Telegram may forget them, emptied when they are done. */
export interface Inbox {
  /** Stores the updates it has not seen in one commit and returns their ids. */
  readonly insert: (
    updates: readonly { readonly updateId: number; readonly body: string }[],
  ) => ReadonlySet<number>;
  /** What an earlier life left unfinished, oldest first, each with its `attempts` raised by one. */
  readonly takeUnfinished: () => readonly InboxRow[];
  /** Marks an update as handled and forgets its content. Called inside the transaction of what it led to. */
  readonly finish: (updateId: number) => void;
  /** Sets an update aside for a person to look at; its content is kept. */
  readonly bury: (updateId: number) => void;
}

interface Row {
  update_id: number;
  body: string;
  attempts: number;
}

interface InboxDeps {
  readonly transaction: Transactions["transaction"];
  readonly change: Change;
  readonly now: Now;
}

export function createInbox(db: Db, { transaction, change, now }: InboxDeps): Inbox {
  const insert = db.prepare<[number, string, number]>(
    "INSERT INTO inbox (update_id, body, state, received_at) VALUES (?, ?, 'new', ?) ON CONFLICT (update_id) DO NOTHING",
  );
  const raise = db.prepare<[], Row>(
    "UPDATE inbox SET attempts = attempts + 1 WHERE state = 'new' RETURNING update_id, body, attempts",
  );
  const finish = db.prepare<[number]>("UPDATE inbox SET state = 'done', body = '' WHERE update_id = ?");
  const bury = db.prepare<[number]>("UPDATE inbox SET state = 'dead' WHERE update_id = ?");

  const isNew = ({ updateId, body }: { updateId: number; body: string }): boolean =>
    change("inbox.stored", () => insert.run(updateId, body, now())).changes > 0;

  return {
    insert: (updates) => transaction(() => new Set(updates.filter(isNew).map(({ updateId }) => updateId))),
    takeUnfinished: () =>
      change("inbox.resumed", () => {
        const rows = raise.all();
        return { rows, changes: rows.length };
      })
        .rows.map((row) => ({ updateId: row.update_id, body: row.body, attempts: row.attempts }))
        .sort((a, b) => a.updateId - b.updateId),
    finish: (updateId) => {
      change("inbox.done", () => finish.run(updateId));
    },
    bury: (updateId) => {
      change("inbox.dead", () => bury.run(updateId));
    },
  };
}
