import { auditRowHash, type ChainHead } from "../domain/audit-chain.ts";
import { type AuditEntry, auditDataOf } from "../domain/audit-event.ts";
import { conversationKey } from "../domain/request.ts";
import { type AuditRows, readAudit } from "./audit-rows.ts";
import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";

/**
 * The append-only record. Triggers refuse changes; the hash chain shows those that went round them. Only the beginning may go:
 * what lies before the anchor, which moves forward only.
 */
export interface AuditTable extends AuditRows {
  /** Appends one row; the hash before it is read inside the same write transaction. */
  readonly append: (entry: AuditEntry) => void;
  /** The next rows after the one of that id, in order. */
  readonly after: (id: number, limit: number) => readonly (ChainHead & { readonly at: number })[];
  /** Gives up all rows up to this one. Called in the transaction that puts it on record. Throws for what is no row of the audit. */
  readonly giveUp: (upTo: ChainHead) => void;
  /** Deletes the oldest rows that were given up; returns how many there were. */
  readonly removeGivenUp: (limit: number) => number;
}

export function createAuditTable(db: Db, change: Change): AuditTable {
  const read = readAudit(db);
  const insert = db.prepare<
    [number, number, string, string, number | null, string | null, string, string, string]
  >("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const after = db.prepare<[number, number], ChainHead & { at: number }>(
    "SELECT id, hash, at FROM audit WHERE id > ? ORDER BY id LIMIT ?",
  );
  const moveAnchor = db.prepare<[number, string]>("UPDATE audit_anchor SET id = ?, hash = ?");
  const remove = db.prepare<[number]>(
    `DELETE FROM audit WHERE id IN
       (SELECT id FROM audit WHERE id <= (SELECT id FROM audit_anchor) ORDER BY id LIMIT ?)`,
  );

  return {
    ...read,
    after: (id, limit) => after.all(id, limit),
    giveUp: ({ id, hash }) => {
      change("audit.given_up", () => moveAnchor.run(id, hash));
    },
    removeGivenUp: (limit) => change("row.expired", () => remove.run(limit)).changes,
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
