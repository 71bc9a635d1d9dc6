import { open, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { readEnvironment } from "../config/environment.ts";
import { homeOf } from "../config/home-of.ts";
import { knownSecrets } from "../config/known-secrets.ts";
import type { AuditRow, ChainHead } from "../domain/audit-chain.ts";
import { systemNow } from "../domain/clock.ts";
import { AppError, EXIT, messageOf } from "../domain/errors.ts";
import { createRedactor } from "../log/redact.ts";
import { factsIn } from "../security/audit-text.ts";
import { openAuditReader } from "../store/audit-reader.ts";
import { homePaths } from "../store/home.ts";
import { AUDIT_FORMATS, type AuditFormat, type ExportedRow } from "./audit-formats.ts";
import { parseMoment } from "./audit-options.ts";

/** The options of `audit export`, as they were typed. */
export interface ExportOptions {
  readonly envFile?: string;
  readonly format: string;
  readonly since?: string;
  readonly until?: string;
  readonly out?: string;
}

/**
 * Writes the audit, or what was put on record between two moments, in one go to standard output or to a new file for its owner's
 * eyes only, row by row, whatever its length. The last record names the last row's id and hash, so that `audit verify --head` tells
 * later whether all of it is still part of the chain; a JSON line holds its row byte for byte as it was hashed, unless it is marked as
 * redacted, since what it holds became known as a secret only later. Returns the exit
 * code; throws `config_invalid` for an option, `store_failed` for a file that could not be written to its end, which is removed, and
 * rejects for one that exists.
 */
export async function exportAudit(options: ExportOptions): Promise<number> {
  const format = AUDIT_FORMATS.get(options.format);
  if (!format) throw new AppError("config_invalid", `--format must be jsonl or csv, got "${options.format}"`);
  const now = systemNow();
  const since = options.since === undefined ? 0 : parseMoment("--since", options.since, now);
  const until =
    options.until === undefined ? Number.POSITIVE_INFINITY : parseMoment("--until", options.until, now);
  const surroundings = readEnvironment();
  const home = homeOf(surroundings, options.envFile ?? null);
  const redactText = createRedactor(knownSecrets(surroundings, options.envFile ?? null));
  using reader = openAuditReader(homePaths(home).database);
  const range = rangeOf(reader.rows(), since, until);
  const end = { count: 0, head: reader.anchor() };
  const lines = Readable.from(linesOf(reader.rows(), { range, format, end, redactText }));
  if (options.out === undefined) await pipeline(lines, process.stdout, { end: false });
  else await writeNew(options.out, lines);
  process.stderr.write(`${end.count} rows, head ${end.head.id}:${end.head.hash}\n`);
  return EXIT.ok;
}

/** Writes a file that is not there yet, the whole of it or none. */
async function writeNew(path: string, lines: Readable): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await pipeline(lines, file.createWriteStream());
  } catch (cause) {
    await rm(path);
    throw new AppError("store_failed", `${path} could not be written: ${messageOf(cause)}`, { cause });
  }
}

interface Writing {
  readonly range: { readonly first: number; readonly last: number };
  readonly format: AuditFormat;
  /** Is brought up to date while it is written. */
  readonly end: { count: number; head: ChainHead };
  readonly redactText: (text: string) => string;
}

function* linesOf(
  rows: Iterable<AuditRow>,
  { range, format, end, redactText }: Writing,
): Generator<string, void> {
  yield format.begin;
  for (const row of rows) {
    if (row.id < range.first || row.id > range.last) continue;
    end.count += 1;
    end.head = { id: row.id, hash: row.hash };
    yield format.row(withoutSecrets(row, redactText));
  }
  yield format.end(end.head, end.count);
}

/** From the first to the last row of that time, with all that lies between, so that their chain has no gap where a clock was set. */
function rangeOf(rows: Iterable<AuditRow>, since: number, until: number): Writing["range"] {
  let [first, last] = [Number.POSITIVE_INFINITY, 0];
  for (const { id, at } of rows) {
    if (at < since || at > until) continue;
    first = Math.min(first, id);
    last = id;
  }
  return { first, last };
}

/** The row as it is, but for texts that hold what is known as a secret by now: such a row is marked, and its data no longer that of its hash. */
function withoutSecrets(row: AuditRow, redactText: (text: string) => string): ExportedRow {
  const facts = factsIn(row.data);
  const data = JSON.stringify(facts, (_key, value: unknown) =>
    typeof value === "string" ? redactText(value) : value,
  );
  return data === JSON.stringify(facts) ? row : { ...row, data, isRedacted: true };
}
