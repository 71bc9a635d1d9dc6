import Database from "better-sqlite3";
import { type AuditTable, createAuditTable } from "./audit.ts";
import { BUSY_MS } from "./database.ts";
import { createTransactions, type Transactions } from "./transactions.ts";

/** What puts something on record and reads nothing. */
export interface AuditWriter extends Pick<Transactions, "transaction" | "afterCommit"> {
  readonly audit: Pick<AuditTable, "append">;
}

/** The audit of a database that is there, for a command beside a daemon that may be running, whatever the schema of the rest. */
export function openAuditWriter(path: string): AuditWriter & Disposable {
  const db = new Database(path, { fileMustExist: true });
  db.pragma(`busy_timeout = ${BUSY_MS}`);
  db.pragma("synchronous = FULL");
  const onFault = (error: unknown): never => {
    throw error;
  };
  const { change, transaction, afterCommit } = createTransactions(db, { onFault, reach: () => undefined });
  return {
    transaction,
    afterCommit,
    audit: createAuditTable(db, change),
    [Symbol.dispose]: () => db.close(),
  };
}
