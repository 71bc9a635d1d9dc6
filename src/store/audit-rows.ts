import { type AuditRow, type ChainHead, GENESIS_HASH } from "../domain/audit-chain.ts";
import type { Db } from "./database.ts";

/** The record to be read. */
export interface AuditRows {
  /** All rows that are kept, in order, one at a time. */
  readonly rows: () => IterableIterator<AuditRow>;
  /** Those of them behind the row of that id. */
  readonly rowsAfter: (id: number) => IterableIterator<AuditRow>;
  readonly head: () => ChainHead;
  /** Where the rows begin: the last one that was given up; id 0 when none was. */
  readonly anchor: () => ChainHead;
  readonly newest: (query: AuditQuery) => AuditPage;
}

/** Which rows are meant. */
export interface AuditQuery {
  /** Only rows before the one of this id; without it, the newest. */
  readonly beforeId?: number;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly risks: readonly string[];
  /** Null for everybody. */
  readonly userId: number | null;
  readonly limit: number;
}

/** What was found, newest first. There may be more before the row `nextBefore`; null when there is not. */
export interface AuditPage {
  readonly rows: readonly AuditRow[];
  readonly nextBefore: number | null;
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

/** How many rows a page looks at: some milliseconds, however few of them are meant. */
const LOOKED_AT = 10_000;
/** A clock that was set back for so long hides no row. */
const CLOCK_MS = 86_400_000;

/** Reads the audit of an open database, also of one whose schema is older than the anchor. */
export function readAudit(db: Db): AuditRows {
  const last = db.prepare<[], ChainHead>("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1");
  const hasAnchor = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'audit_anchor'").get() !== undefined;
  const anchorRow = hasAnchor ? db.prepare<[], ChainHead>("SELECT id, hash FROM audit_anchor") : null;
  const kept = db.prepare<[number], Row>("SELECT * FROM audit WHERE id > ? ORDER BY id");
  const found = db.prepare<[Record<string, unknown>], Row>(
    `SELECT * FROM audit WHERE id < @before AND id >= @from AND at >= @since
       AND risk IN (SELECT value FROM json_each(@risks)) AND (@user IS NULL OR user_id = @user)
     ORDER BY id DESC LIMIT @limit`,
  );
  const timeBefore = db.prepare<[number], { at: number }>(
    "SELECT at FROM audit WHERE id < ? ORDER BY id DESC LIMIT 1",
  );
  const anchor = (): ChainHead => anchorRow?.get() ?? { id: 0, hash: GENESIS_HASH };
  const head = (): ChainHead => last.get() ?? anchor();

  function* rowsAfter(id: number): IterableIterator<AuditRow> {
    for (const row of kept.iterate(Math.max(id, anchor().id))) yield auditRowOf(row);
  }

  return {
    rows: () => rowsAfter(0),
    rowsAfter,
    head,
    anchor,
    newest: ({ beforeId, sinceMs, risks, userId, limit }) => {
      const [before, first] = [beforeId ?? head().id + 1, anchor().id + 1];
      const from = Math.max(first, before - LOOKED_AT);
      const query = { before, from, since: sinceMs, risks: JSON.stringify(risks), user: userId, limit };
      const rows = found.all(query).map(auditRowOf);
      const end = rows.length === limit ? (rows.at(-1)?.id ?? from) : from;
      const earlier = end > first ? timeBefore.get(end) : undefined;
      return { rows, nextBefore: earlier && earlier.at >= sinceMs - CLOCK_MS ? end : null };
    },
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
