import type { AuditRow } from "../domain/audit-chain.ts";
import { redactShapes } from "../log/redact.ts";
import { escapeInvisible, shorten } from "./visible.ts";

/** Fields by which programs find each other's rows: no person reads them. */
const UNREAD: readonly string[] = ["dedupeKey", "toolUseId"];

/** What a row's data says. What is no object in JSON was put there by somebody else, and is one text: it hides no other row. */
export function factsIn(data: string): Readonly<Record<string, unknown>> {
  try {
    const facts: unknown = JSON.parse(data);
    if (typeof facts === "object" && facts !== null) return { ...facts };
  } catch {
    // Told below as it stands.
  }
  return { unreadable: data };
}

/**
 * What an event says beside its type, on one line of at most `maxLength` characters: `name=value`, lists by commas, what is not
 * there left out, what nobody sees written out. What was stored before a secret was known as one passes a redaction here, each
 * value for itself: one that ends in `token` is not the name of the next.
 */
export function factsText(
  { data }: Pick<AuditRow, "data">,
  maxLength: number,
  redactText: (text: string) => string = redactShapes,
): string {
  const parts = Object.entries(factsIn(data))
    .filter(([name, value]) => value !== null && !UNREAD.includes(name))
    .map(([name, value]) => redactText(`${name}=${Array.isArray(value) ? value.join(",") : String(value)}`));
  return shorten(escapeInvisible(parts.join(" ")), maxLength);
}
