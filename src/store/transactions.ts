import type { Reach, Transition } from "../domain/fault-point.ts";
import { BUSY_MS, type Db } from "./database.ts";
import { type StoreTrouble, troubleOf } from "./fault.ts";

/** Writing several things at once. */
export interface Transactions {
  /** Runs `act` in one write transaction: all of it is on disk when this returns, or nothing of it. Must not await. */
  readonly transaction: <T>(act: () => T) => T;
  /**
   * The same without waiting for the disk: the end of the program loses nothing of it, a loss of power may undo it, alone or
   * with others of its kind that came after it. For what may be done again as if it had never been; a twentieth of the time.
   */
  readonly lightly: <T>(act: () => T) => T;
  /** Waits until everything that was written lightly is on the disk, if that is not so already. */
  readonly flush: () => void;
  /**
   * Runs `act` once what is being written is on disk; at once when nothing is. Dropped when the writing fails. A fault of
   * `act` is reported and changes nothing: what was committed is committed.
   */
  readonly afterCommit: (act: () => void) => void;
}

/**
 * Makes one change of a table, in the transaction under way or one of its own, and names what it means. A change of no row is
 * no transition.
 */
export type Change = <T extends { readonly changes: number }>(transition: Transition, act: () => T) => T;

interface TransactionDeps {
  /** Told what failed after a commit. */
  readonly onFault: (error: unknown) => void;
  readonly reach: Reach;
  /** Told of each write that the database did not take. */
  readonly onTrouble?: (trouble: StoreTrouble) => void;
}

/** From a write that another program kept waiting in vain to the next one that is taken, which the event loop would sit through. */
const BUSY_AGAIN_MS = 100;

/** Write transactions, nested ones as savepoints, with what is to happen after the outermost has been committed. */
export function createTransactions(
  db: Db,
  { onFault, reach, onTrouble }: TransactionDeps,
): Transactions & { readonly change: Change } {
  let waiting: (() => void)[] = [];
  let made: Transition[] = [];
  /** Something was written lightly, and nothing with a wait for the disk since. */
  let isAhead = false;
  /** The last write was not taken. */
  let isTroubled = false;
  const mark = db.prepare("INSERT OR REPLACE INTO facts (key, value) VALUES ('flushed', hex(randomblob(4)))");

  function nested<T>(act: () => T): T {
    const [waitingBefore, madeBefore] = [waiting.length, made.length];
    try {
      return db.transaction(act)();
    } catch (error) {
      waiting.length = waitingBefore;
      made.length = madeBefore;
      throw error;
    }
  }

  function withoutWaiting<T>(write: () => T): T {
    db.pragma("synchronous = NORMAL");
    try {
      return write();
    } finally {
      db.pragma("synchronous = FULL");
    }
  }

  /** Runs a write; what keeps it from being taken is told, and not waited for as long the next time. */
  function attempt<T>(write: () => T): T {
    try {
      const result = write();
      if (isTroubled) db.pragma(`busy_timeout = ${BUSY_MS}`);
      isTroubled = false;
      return result;
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble !== null) {
        isTroubled = true;
        if (trouble.kind === "locked") db.pragma(`busy_timeout = ${BUSY_AGAIN_MS}`);
        onTrouble?.(trouble);
      }
      throw error;
    }
  }

  function outermost<T>(act: () => T, isLight = false): T {
    waiting = [];
    made = [];
    const write = db.transaction((): T => {
      const result = act();
      for (const transition of new Set(made)) reach(`${transition}:before`);
      return result;
    });
    const run = (): T => write.immediate();
    const result = attempt(isLight ? () => withoutWaiting(run) : run);
    if (made.length > 0) isAhead = isLight;
    const due = waiting;
    waiting = [];
    for (const transition of new Set(made)) reach(`${transition}:after`);
    for (const next of due) {
      try {
        next();
      } catch (error) {
        onFault(error);
      }
    }
    return result;
  }

  const transaction = <T>(act: () => T): T => (db.inTransaction ? nested(act) : outermost(act));

  const lightly = <T>(act: () => T): T => (db.inTransaction ? nested(act) : outermost(act, true));

  const change: Change = (transition, act) => {
    if (!db.inTransaction) return outermost(() => change(transition, act));
    const result = act();
    if (result.changes > 0) made.push(transition);
    return result;
  };

  return {
    transaction,
    lightly,
    flush: () => {
      if (isAhead) outermost(() => change("store.flushed", () => mark.run()));
    },
    change,
    afterCommit: (act) => {
      if (db.inTransaction) waiting.push(act);
      else act();
    },
  };
}
