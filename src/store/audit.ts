import { type AuditRow, auditRowHash, type ChainHead, GENESIS_HASH } from "../domain/audit-chain.ts";
import { type AuditEntry, auditDataOf } from "../domain/audit-event.ts";
import { conversationKey } from "../domain/request.ts";
import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";

/** The append-only record. Triggers refuse changes; the hash chain shows those that went round them. */
export interface AuditTable extends AuditRows {
  /** Appends one row; the hash before it is read inside the same write transaction. */
  readonly append: (entry: AuditEntry) => void;
}

/** The record to be read. */
export interface AuditRows {
  /** All rows in order, one at a time. */
  readonly rows: () => IterableIterator<AuditRow>;
  readonly head: () => ChainHead;
}

interface Row {
  id: number;
  at: number;
  type: string;
  risk: string;
  user_id: number | null;
  chat: string | null;
  data: string;
  previous_hash: string;
  hash: string;
}

export function createAuditTable(db: Db, change: Change): AuditTable {
  const read = readAudit(db);
  const insert = db.prepare<
    [number, number, string, string, number | null, string | null, string, string, string]
  >("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");

  return {
    ...read,
    append: ({ at, risk, userId, conversation, event }) => {
      change("audit.appended", () => {
        const before = read.head();
        const chat = conversation ? conversationKey(conversation) : null;
        const row = { id: before.id + 1, at, type: event.type, risk, userId, chat, data: auditDataOf(event) };
        const hash = auditRowHash(before.hash, row);
        return insert.run(row.id, at, row.type, risk, userId, chat, row.data, before.hash, hash);
      });
    },
  };
}

/** Reads the audit of an open database. */
export function readAudit(db: Db): AuditRows {
  const last = db.prepare<[], { id: number; hash: string }>(
    "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1",
  );
  const all = db.prepare<[], Row>("SELECT * FROM audit ORDER BY id");

  return {
    *rows() {
      for (const row of all.iterate()) yield auditRowOf(row);
    },
    head: () => last.get() ?? { id: 0, hash: GENESIS_HASH },
  };
}

/** A row as it is stored. */
function auditRowOf(row: Row): AuditRow {
  return {
    id: row.id,
    at: row.at,
    type: row.type,
    risk: row.risk,
    userId: row.user_id,
    chat: row.chat,
    data: row.data,
    previousHash: row.previous_hash,
    hash: row.hash,
  };
}
