import { setTimeout as sleep } from "node:timers/promises";
import { readEnvironment } from "../config/environment.ts";
import { homeOf } from "../config/home-of.ts";
import { knownSecrets } from "../config/known-secrets.ts";
import type { AuditRow } from "../domain/audit-chain.ts";
import { systemNow } from "../domain/clock.ts";
import { EXIT } from "../domain/errors.ts";
import { createRedactor } from "../log/redact.ts";
import { factsText } from "../security/audit-text.ts";
import { type AuditRows, openAuditReader } from "../store/audit-reader.ts";
import { homePaths } from "../store/home.ts";
import { parseMoment, parseNumber, parseRisks } from "./audit-options.ts";

/** The options of `audit tail`, as they were typed. */
export interface TailOptions {
  readonly envFile?: string;
  readonly follow?: boolean;
  readonly risk?: string;
  readonly user?: string;
  readonly since?: string;
  readonly lines?: string;
}

/** What rows are printed. */
interface Filter {
  readonly risks: readonly string[];
  readonly userId: number | null;
  readonly sinceMs: number;
}

const LOOK_EVERY_MS = 300;
const DEFAULT_LINES = 20;
const MAX_FACTS = 2_000;

/**
 * Prints the newest rows of the audit, oldest first, a line each; with `follow` goes on with those that come, until the signal is
 * aborted. Reads only, whether a daemon runs or not. Returns the exit code; throws `config_invalid` for an option.
 */
export async function tailAudit(options: TailOptions, signal: AbortSignal): Promise<number> {
  const filter: Filter = {
    risks: parseRisks(options.risk ?? "low"),
    userId: options.user === undefined ? null : parseNumber("--user", options.user),
    sinceMs: options.since === undefined ? 0 : parseMoment("--since", options.since, systemNow()),
  };
  const all = options.since === undefined ? DEFAULT_LINES : Number.POSITIVE_INFINITY;
  const limit = options.lines === undefined ? all : parseNumber("--lines", options.lines);
  const surroundings = readEnvironment();
  const home = homeOf(surroundings, options.envFile ?? null);
  const redactText = createRedactor(knownSecrets(surroundings, options.envFile ?? null));
  using reader = openAuditReader(homePaths(home).database, "live");
  let last = reader.head().id;
  for (const row of lastRows(reader, filter, { upTo: last, limit })) print(row, redactText);
  while (options.follow === true && !signal.aborted) {
    for (const row of reader.rowsAfter(last)) {
      last = row.id;
      if (isMeant(row, filter)) print(row, redactText);
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined); // aborted: the loop ends
  }
  return EXIT.ok;
}

/** Oldest first. */
function lastRows(
  reader: AuditRows,
  filter: Filter,
  { upTo, limit }: { readonly upTo: number; readonly limit: number },
): readonly AuditRow[] {
  const rows: AuditRow[] = [];
  for (let next: number | null = upTo + 1; next !== null && rows.length < limit; ) {
    const page = reader.newest({ ...filter, beforeId: next, limit: Math.min(1_000, limit - rows.length) });
    rows.push(...page.rows);
    next = page.nextBefore;
  }
  return rows.toReversed();
}

function isMeant({ risk, userId, at }: AuditRow, filter: Filter): boolean {
  const isOfUser = filter.userId === null || userId === filter.userId;
  return isOfUser && filter.risks.includes(risk) && at >= filter.sinceMs;
}

function print(row: AuditRow, redactText: (text: string) => string): void {
  const at = new Date(row.at).toISOString();
  const cells = [String(row.id).padStart(6), at, row.risk.padEnd(8), String(row.userId ?? "-").padEnd(10)];
  process.stdout.write(`${cells.join(" ")} ${row.type} ${factsText(row, MAX_FACTS, redactText)}\n`);
}
