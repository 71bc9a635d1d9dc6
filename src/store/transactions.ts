import type { Db } from "./database.ts";

/** Writing several things at once. */
export interface Transactions {
  /** Runs `act` in one write transaction: all of it is on disk when this returns, or nothing of it. Must not await. */
  readonly transaction: <T>(act: () => T) => T;
  /**
   * Runs `act` once what is being written is on disk; at once when nothing is. Dropped when the writing fails. A fault of
   * `act` is reported and changes nothing: what was committed is committed.
   */
  readonly afterCommit: (act: () => void) => void;
}

/** Write transactions, nested ones as savepoints, with what is to happen after the outermost has been committed. */
export function createTransactions(db: Db, onFault: (error: unknown) => void): Transactions {
  let waiting: (() => void)[] = [];

  function nested<T>(act: () => T): T {
    const before = waiting.length;
    try {
      return db.transaction(act)();
    } catch (error) {
      waiting.length = before;
      throw error;
    }
  }

  return {
    transaction: (act) => {
      if (db.inTransaction) return nested(act);
      waiting = [];
      const result = db.transaction(act).immediate();
      const due = waiting;
      waiting = [];
      for (const next of due) {
        try {
          next();
        } catch (error) {
          onFault(error);
        }
      }
      return result;
    },
    afterCommit: (act) => {
      if (db.inTransaction) waiting.push(act);
      else act();
    },
  };
}
