import type { Now } from "../domain/clock.ts";
import type { Reach } from "../domain/fault-point.ts";
import { type Approvals, createApprovals } from "./approvals.ts";
import {
  type Attachments,
  createAttachments,
  createUploadFolders,
  type UploadFolders,
} from "./attachments.ts";
import { type AuditTable, createAuditTable } from "./audit.ts";
import { type Buckets, createBuckets } from "./buckets.ts";
import { type Buttons, createButtons } from "./buttons.ts";
import { type ChatTable, createChatTable } from "./chats.ts";
import { type Conversations, createConversations } from "./conversations.ts";
import { type Credentials, createCredentials } from "./credentials.ts";
import { openDatabase } from "./database.ts";
import { createExposedFiles, type ExposedFiles } from "./exposed-files.ts";
import { createFacts, type Facts } from "./facts.ts";
import type { StoreTrouble } from "./fault.ts";
import { createGrants, type Grants } from "./grants.ts";
import { createHostRules, type HostRules } from "./host-rules.ts";
import { createInbox, type Inbox } from "./inbox.ts";
import { createInvites, type Invites } from "./invites.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import { createLoginFailures, type LoginFailureTable } from "./login-failures.ts";
import { createLogins, type Logins } from "./logins.ts";
import { createOffered, type Offered } from "./offered.ts";
import { createOutbox, type Outbox } from "./outbox.ts";
import { type Baselines, createBaselines, createQuarantine, type Quarantine } from "./quarantine.ts";
import { createRetention, type Retention } from "./retention.ts";
import { createSessions, type Sessions } from "./sessions.ts";
import { createTransactions, type Transactions } from "./transactions.ts";
import { createUpkeep, type Upkeep } from "./upkeep.ts";
import { createWorkTable, type WorkTable } from "./work.ts";

/** All SQL of the program, a table a field. */
export interface Store extends Disposable, Transactions {
  readonly inbox: Inbox;
  readonly conversations: Conversations;
  readonly sessions: Sessions;
  readonly work: WorkTable;
  readonly offered: Offered;
  readonly approvals: Approvals;
  readonly buttons: Buttons;
  readonly outbox: Outbox;
  readonly chats: ChatTable;
  readonly buckets: Buckets;
  readonly ledger: Ledger;
  readonly audit: AuditTable;
  readonly facts: Facts;
  readonly grants: Grants;
  readonly hostRules: HostRules;
  readonly exposedFiles: ExposedFiles;
  readonly quarantine: Quarantine;
  readonly baselines: Baselines;
  readonly credentials: Credentials;
  readonly invites: Invites;
  readonly logins: Logins;
  readonly loginFailures: LoginFailureTable;
  readonly attachments: Attachments;
  readonly uploadFolders: UploadFolders;
  readonly retention: Retention;
  readonly upkeep: Upkeep;
}

interface StoreDeps {
  /** Told what failed after a commit; without it, the fault is thrown. */
  readonly onFault?: (error: unknown) => void;
  /** True for a command beside the daemon, which alone brings an older schema up to date. */
  readonly isGuest?: boolean;
  /** Told of every fault point. */
  readonly reach?: Reach;
  /** Told of each write that the database did not take. */
  readonly onTrouble?: (trouble: StoreTrouble) => void;
}

/** Opens the database of the program at `path`; throws `store_failed`. */
export function openStore(path: string, now: Now, deps: StoreDeps = {}): Store {
  const { onFault = rethrow, reach = () => undefined, onTrouble = () => undefined } = deps;
  const db = openDatabase(path, deps.isGuest === undefined ? {} : { isGuest: deps.isGuest });
  const { change, ...transactions } = createTransactions(db, { onFault, reach, onTrouble });
  const { lightly } = transactions;
  return {
    ...transactions,
    inbox: createInbox(db, { lightly, change, now }),
    conversations: createConversations(db, change, now),
    sessions: createSessions(db, change, now),
    work: createWorkTable(db, change, now),
    offered: createOffered(db, change, now),
    approvals: createApprovals(db, change, now),
    buttons: createButtons(db, change, now),
    outbox: createOutbox(db, change, now),
    chats: createChatTable(db, change, now),
    buckets: createBuckets(db, change),
    ledger: createLedger(db, change, now),
    audit: createAuditTable(db, change),
    facts: createFacts(db, change),
    grants: createGrants(db, change, now),
    hostRules: createHostRules(db, change, now),
    exposedFiles: createExposedFiles(db, change, now),
    quarantine: createQuarantine(db, change, now),
    baselines: createBaselines(db, change, now),
    credentials: createCredentials(db, change, now),
    invites: createInvites(db, change, now),
    logins: createLogins(db, change, now),
    loginFailures: createLoginFailures(db, change),
    attachments: createAttachments(db, change, now),
    uploadFolders: createUploadFolders(db, change),
    retention: createRetention(db, { change, lightly, now }),
    upkeep: createUpkeep(db, lightly),
    [Symbol.dispose]: () => db.close(),
  };
}

function rethrow(error: unknown): never {
  throw error;
}
