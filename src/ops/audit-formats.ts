import type { AuditRow, ChainHead } from "../domain/audit-chain.ts";

/** A row, and whether something was taken out of its data. */
export interface ExportedRow extends AuditRow {
  readonly isRedacted?: true;
}

/** A form in which the audit is written: what comes first, a row, and what comes last. */
export interface AuditFormat {
  readonly begin: string;
  readonly row: (row: ExportedRow) => string;
  readonly end: (head: ChainHead, count: number) => string;
}

const jsonl: AuditFormat = {
  begin: "",
  row: (row) => `${JSON.stringify({ ...row, time: new Date(row.at).toISOString() })}\n`,
  end: ({ id, hash }, count) => `${JSON.stringify({ type: "export.end", head: `${id}:${hash}`, count })}\n`,
};

const COLUMNS = [
  "id",
  "time",
  "type",
  "risk",
  "userId",
  "chat",
  "data",
  "previousHash",
  "hash",
  "isRedacted",
] as const;

const csv: AuditFormat = {
  begin: line(COLUMNS),
  row: ({ at, ...row }) => {
    const cells = { ...row, isRedacted: row.isRedacted ? "true" : "", time: new Date(at).toISOString() };
    return line(COLUMNS.map((name) => cells[name]));
  },
  end: ({ id, hash }, count) =>
    line([id, "", "export.end", "", "", "", JSON.stringify({ count, head: `${id}:${hash}` }), "", hash, ""]),
};

/** By the word that names it. */
export const AUDIT_FORMATS: ReadonlyMap<string, AuditFormat> = new Map([
  ["jsonl", jsonl],
  ["csv", csv],
]);

function line(cells: readonly (string | number | null)[]): string {
  return `${cells.map(cellOf).join(",")}\r\n`;
}

/**
 * A cell as RFC 4180 has it, quoted always. A text that a spreadsheet would take for a formula gets an apostrophe before it (CWE-1236);
 * a number is none.
 */
function cellOf(value: string | number | null): string {
  if (typeof value === "number") return String(value);
  const text = value ?? "";
  const harmless = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
  return `"${harmless.replaceAll('"', '""')}"`;
}
