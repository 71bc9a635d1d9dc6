import type { Now } from "../domain/clock.ts";
import { type Approvals, createApprovals } from "./approvals.ts";
import { type AuditTable, createAuditTable } from "./audit.ts";
import { type Buckets, createBuckets } from "./buckets.ts";
import { type Buttons, createButtons } from "./buttons.ts";
import { type Conversations, createConversations } from "./conversations.ts";
import { openDatabase } from "./database.ts";
import { createInbox, type Inbox } from "./inbox.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import { createOutbox, type Outbox } from "./outbox.ts";
import { createSessions, type Sessions } from "./sessions.ts";
import { createTransactions, type Transactions } from "./transactions.ts";
import { createWorkTable, type WorkTable } from "./work.ts";

/** All SQL of the program, a table a field. */
export interface Store extends Disposable, Transactions {
  readonly inbox: Inbox;
  readonly conversations: Conversations;
  readonly sessions: Sessions;
  readonly work: WorkTable;
  readonly approvals: Approvals;
  readonly buttons: Buttons;
  readonly outbox: Outbox;
  readonly buckets: Buckets;
  readonly ledger: Ledger;
  readonly audit: AuditTable;
}

/** Opens the database of the program at `path`; throws `store_failed`. `onFault` is told what failed after a commit. */
export function openStore(path: string, now: Now, onFault: (error: unknown) => void = rethrow): Store {
  const db = openDatabase(path);
  return {
    inbox: createInbox(db, now),
    conversations: createConversations(db),
    sessions: createSessions(db, now),
    work: createWorkTable(db, now),
    approvals: createApprovals(db, now),
    buttons: createButtons(db, now),
    outbox: createOutbox(db, now),
    buckets: createBuckets(db),
    ledger: createLedger(db, now),
    audit: createAuditTable(db),
    ...createTransactions(db, onFault),
    [Symbol.dispose]: () => db.close(),
  };
}

function rethrow(error: unknown): never {
  throw error;
}
