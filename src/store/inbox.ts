import type { Now } from "../domain/clock.ts";
import type { Db } from "./database.ts";
import type { Change, Transactions } from "./transactions.ts";

/** An update that Telegram delivered and that is not finished yet. */
export interface InboxRow {
  readonly updateId: number;
  /** The update as JSON. */
  readonly body: string;
}

/** Updates on disk, each once: written before Telegram may forget them, emptied when they are done. */
export interface Inbox {
  /** Stores the updates it has not seen in one commit, lightly, and returns their ids. */
  readonly insert: (
    updates: readonly { readonly updateId: number; readonly body: string }[],
  ) => ReadonlySet<number>;
  /** What an earlier life left unfinished, oldest first. */
  readonly unfinished: () => readonly InboxRow[];
  /** Counts one more attempt at an update that an earlier life left; gives how many there were with it. */
  readonly attempt: (updateId: number) => number;
  /** Marks an update as handled and forgets its content. Called inside the transaction of what it led to. */
  readonly finish: (updateId: number) => void;
  /** Sets an update aside for a person to look at; its content is kept. */
  readonly bury: (updateId: number) => void;
}

interface Row {
  update_id: number;
  body: string;
}

interface InboxDeps {
  readonly lightly: Transactions["lightly"];
  readonly change: Change;
  readonly now: Now;
}

export function createInbox(db: Db, { lightly, change, now }: InboxDeps): Inbox {
  const insert = db.prepare<[number, string, number]>(
    "INSERT INTO inbox (update_id, body, state, received_at) VALUES (?, ?, 'new', ?) ON CONFLICT (update_id) DO NOTHING",
  );
  const unfinished = db.prepare<[], Row>(
    "SELECT update_id, body FROM inbox WHERE state = 'new' ORDER BY update_id",
  );
  const raise = db.prepare<[number]>("UPDATE inbox SET attempts = attempts + 1 WHERE update_id = ?");
  const attempts = db.prepare<[number], { attempts: number }>(
    "SELECT attempts FROM inbox WHERE update_id = ?",
  );
  const finish = db.prepare<[number]>("UPDATE inbox SET state = 'done', body = '' WHERE update_id = ?");
  const bury = db.prepare<[number]>("UPDATE inbox SET state = 'dead' WHERE update_id = ?");

  const isNew = ({ updateId, body }: { updateId: number; body: string }): boolean =>
    change("inbox.stored", () => insert.run(updateId, body, now())).changes > 0;

  return {
    insert: (updates) => lightly(() => new Set(updates.filter(isNew).map(({ updateId }) => updateId))),
    unfinished: () => unfinished.all().map((row) => ({ updateId: row.update_id, body: row.body })),
    attempt: (updateId) => {
      change("inbox.resumed", () => raise.run(updateId));
      return attempts.get(updateId)?.attempts ?? 0;
    },
    finish: (updateId) => {
      change("inbox.done", () => finish.run(updateId));
    },
    bury: (updateId) => {
      change("inbox.dead", () => bury.run(updateId));
    },
  };
}
