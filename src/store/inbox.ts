import type { Now } from "../domain/clock.ts";
import type { Db } from "./database.ts";

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

export function createInbox(db: Db, now: Now): Inbox {
  const insert = db.prepare<[number, string, number]>(
    "INSERT INTO inbox (update_id, body, state, received_at) VALUES (?, ?, 'new', ?) ON CONFLICT (update_id) DO NOTHING",
  );
  const raise = db.prepare<[], Row>(
    "UPDATE inbox SET attempts = attempts + 1 WHERE state = 'new' RETURNING update_id, body, attempts",
  );
  const finish = db.prepare<[number]>("UPDATE inbox SET state = 'done', body = '' WHERE update_id = ?");
  const bury = db.prepare<[number]>("UPDATE inbox SET state = 'dead' WHERE update_id = ?");

  const insertAll = db.transaction((updates: readonly { updateId: number; body: string }[]) => {
    const at = now();
    return new Set(
      updates
        .filter(({ updateId, body }) => insert.run(updateId, body, at).changes > 0)
        .map((u) => u.updateId),
    );
  });

  return {
    insert: (updates) => insertAll.immediate(updates),
    takeUnfinished: () =>
      raise
        .all()
        .map((row) => ({ updateId: row.update_id, body: row.body, attempts: row.attempts }))
        .sort((a, b) => a.updateId - b.updateId),
    finish: (updateId) => {
      finish.run(updateId);
    },
    bury: (updateId) => {
      bury.run(updateId);
    },
  };
}
