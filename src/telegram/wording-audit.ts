import type { AuditRow } from "../domain/audit-chain.ts";
import type { Risk } from "../domain/audit-event.ts";
import { factsText } from "../security/audit-text.ts";
import type { RichText } from "./render/entity.ts";
import { bold, code, joinRich } from "./render/rich-text.ts";
import { momentText, zone } from "./wording-time.ts";

/** The longest that an event may say beside its type. */
const MAX_FACTS = 160;

/** What people read about the audit. */
export const AUDIT_WORDS = {
  ownersOnly: "Only owners may read the audit. That you asked is on record.",
  privateOnly: "The audit is shown in a private chat with me alone.",
  usage:
    "/audit [low|medium|high|critical] [user id] [48h], in any order. Without a word: medium and above, everybody, the last 24 h. A number up to 9999 is taken for hours.",
  none: "Nothing.",
  earlier: "Earlier ›",
} as const;

/** For owners, once a day: Telegram keeps what the machine's disk cannot take back. */
export function headText(head: string): RichText {
  return joinRich(
    "The audit up to here. Nothing to do: if you ever doubt it, check at the machine that all of it is still there, with\n",
    code(`sallyport audit verify --head ${head}`),
  );
}

/** What was asked for. */
export interface AuditAsk {
  readonly risk: Risk;
  readonly userId: number | null;
  readonly sinceMs: number;
}

/** Rows of the audit, newest first. */
export function auditText({ risk, userId, sinceMs }: AuditAsk, rows: readonly AuditRow[]): RichText {
  const whose = userId === null ? "everybody" : String(userId);
  const head = `Audit: ${risk === "low" ? "everything" : `${risk} and above`}, ${whose}, since ${momentText(sinceMs)} (${zone()})`;
  const lines = rows.flatMap((row): (RichText | string)[] => [
    `\n${momentText(row.at)} ${SIGNS[row.risk] ?? ""}${row.userId ?? "-"} `,
    bold(row.type),
    ` ${factsText(row, MAX_FACTS)}`,
  ]);
  return joinRich(head, ...(rows.length === 0 ? [`\n${AUDIT_WORDS.none}`] : lines));
}

const SIGNS: Readonly<Record<string, string>> = { high: "❗ ", critical: "‼️ " };
