import { createHash } from "node:crypto";
import { auditDataOf } from "./audit-event.ts";

/** The hash before the first row. */
export const GENESIS_HASH = "0".repeat(64);

/** What a row says, as stored. `chat` is a `conversationKey`; `data` is the stored JSON text, byte for byte. */
export interface AuditRowBody {
  /** 1 for the first row ever, then without gaps: a gap means that a row was removed. */
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly type: string;
  readonly risk: string;
  readonly userId: number | null;
  readonly chat: string | null;
  readonly data: string;
}

/** A row in its place: `hash` covers the body and `previousHash`, which is the `hash` of the row before. */
export interface AuditRow extends AuditRowBody {
  readonly previousHash: string;
  readonly hash: string;
}

/** The end of a chain, or of the part that was cut off by retention. */
export interface ChainHead {
  readonly id: number;
  readonly hash: string;
}

/** How a chain is broken at `id`. */
type ChainFault =
  /** The row's contents do not match its hash. */
  | "changed"
  /** Rows beginning with `id` are not there. */
  | "missing"
  /** The row's id is not above that of the row before: inserted or moved. */
  | "disordered"
  /** The row is whole, but does not continue the row before: one of the two was replaced, or one between them removed. */
  | "unlinked"
  /** The rows up to `id` are gone, or said to be, but no row says that retention gave them up. */
  | "untold"
  /** The remembered head is not in the chain: the tail was removed, or everything rewritten. */
  | "head_lost";

/**
 * What `verifyChain` found: how many rows hold and where they end, or the first fault. `older`: all that is kept holds, but the
 * remembered head lies before it, so that nothing can be said about that.
 */
export type ChainVerdict =
  | { readonly kind: "ok" | "older"; readonly count: number; readonly head: ChainHead }
  | { readonly kind: "broken"; readonly id: number; readonly reason: ChainFault };

/** What is known from elsewhere about a chain. */
export interface ChainKnowledge {
  /** The row before the first one given, which the last `audit.trimmed` must name; without it the chain must begin with row 1. */
  readonly after?: ChainHead;
  /**
   * A head remembered outside the database, of now or of earlier. Without it, the removal of the last rows
   * and the rewriting of the whole chain cannot be seen: the hash has no key.
   */
  readonly expectedHead?: ChainHead;
}

/** SHA-256, in hex, over the row and the hash of the row before, as one JSON array: no two rows are written alike. */
export function auditRowHash(previousHash: string, row: AuditRowBody): string {
  const { id, at, type, risk, userId, chat, data } = row;
  const text = JSON.stringify(["sallyport-audit-1", previousHash, id, at, type, risk, userId, chat, data]);
  return createHash("sha256").update(text, "utf8").digest("hex");
}

/**
 * Walks the rows, in the order of their ids, and names the first that was changed, removed, inserted or moved.
 * Holds one row at a time, so any number of rows will do.
 */
export function verifyChain(rows: Iterable<AuditRow>, knowledge: ChainKnowledge = {}): ChainVerdict {
  const { after = { id: 0, hash: GENESIS_HASH }, expectedHead } = knowledge;
  let head = after;
  let count = 0;
  let told: string | null = null;
  let isHeadSeen = expectedHead === undefined || isSameHead(head, expectedHead);
  for (const row of rows) {
    const reason = faultOf(row, head);
    if (reason !== null) return { kind: "broken", id: reason === "missing" ? head.id + 1 : row.id, reason };
    head = { id: row.id, hash: row.hash };
    count += 1;
    if (row.type === "audit.trimmed") told = row.data;
    isHeadSeen ||= expectedHead !== undefined && isSameHead(head, expectedHead);
  }
  if (told !== trimmingUpTo(after)) return { kind: "broken", id: after.id, reason: "untold" };
  if (!isHeadSeen && expectedHead !== undefined && expectedHead.id < after.id)
    return { kind: "older", count, head };
  if (!isHeadSeen && expectedHead !== undefined)
    return { kind: "broken", id: expectedHead.id, reason: "head_lost" };
  return { kind: "ok", count, head };
}

/** The data of the row that says what was given up; null when nothing was. */
function trimmingUpTo({ id, hash }: ChainHead): string | null {
  return id === 0 ? null : auditDataOf({ type: "audit.trimmed", id, hash });
}

function faultOf(row: AuditRow, head: ChainHead): ChainFault | null {
  if (row.id <= head.id) return "disordered";
  if (row.id > head.id + 1) return "missing";
  if (row.hash !== auditRowHash(row.previousHash, row)) return "changed";
  return row.previousHash === head.hash ? null : "unlinked";
}

function isSameHead(one: ChainHead, other: ChainHead): boolean {
  return one.id === other.id && one.hash === other.hash;
}
