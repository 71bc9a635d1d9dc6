import type { Db } from "./database.ts";
import type { Store } from "./store.ts";

/** Write transactions, nested ones as savepoints, with what is to happen after the outermost has been committed. */
export function createTransactions(db: Db): Pick<Store, "transaction" | "afterCommit"> {
  let waiting: (() => void)[] = [];

  return {
    transaction: (act) => {
      if (db.inTransaction) return db.transaction(act)();
      waiting = [];
      const result = db.transaction(act).immediate();
      const due = waiting;
      waiting = [];
      for (const next of due) next();
      return result;
    },
    afterCommit: (act) => {
      if (db.inTransaction) waiting.push(act);
      else act();
    },
  };
}
