import { type AuditRow, auditRowHash, type ChainHead, GENESIS_HASH } from "../domain/audit-chain.ts";
import { type AuditEntry, auditDataOf } from "../domain/audit-event.ts";
import { conversationKey } from "../domain/request.ts";
import type { Db } from "./database.ts";

/** The append-only record. Triggers refuse changes; the hash chain shows those that went round them. */
export interface AuditTable {
  /** Appends one row; the hash before it is read inside the same write transaction. */
  readonly append: (entry: AuditEntry) => void;
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

export function createAuditTable(db: Db): AuditTable {
  const last = db.prepare<[], { id: number; hash: string }>(
    "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1",
  );
  const all = db.prepare<[], Row>("SELECT * FROM audit ORDER BY id");
  const insert = db.prepare<
    [number, number, string, string, number | null, string | null, string, string, string]
  >("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");

  const head = (): ChainHead => last.get() ?? { id: 0, hash: GENESIS_HASH };
  const append = db.transaction(({ at, risk, userId, conversation, event }: AuditEntry) => {
    const before = head();
    const chat = conversation ? conversationKey(conversation) : null;
    const row = { id: before.id + 1, at, type: event.type, risk, userId, chat, data: auditDataOf(event) };
    const hash = auditRowHash(before.hash, row);
    insert.run(row.id, row.at, row.type, row.risk, row.userId, row.chat, row.data, before.hash, hash);
  });

  return {
    append: (entry) => append.immediate(entry),
    *rows() {
      for (const row of all.iterate()) yield auditRowOf(row);
    },
    head,
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
