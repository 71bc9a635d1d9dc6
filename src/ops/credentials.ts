import { readEnvironment } from "../config/environment.ts";
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import { secretValues } from "../config/secret.ts";
import { systemNow } from "../domain/clock.ts";
import { AppError, EXIT, exitCodeOf, messageOf } from "../domain/errors.ts";
import { createSecretFinder } from "../log/redact.ts";
import { type KnownCredential, knownCredentials } from "./known-credentials.ts";
import { ROTATE_DAYS } from "./remind-of-credentials.ts";
import { scan } from "./scan/scan.ts";
import { scanText, withoutValues } from "./scan/scan-text.ts";

const DAY_MS = 86_400_000;
const BYTES_PER_MB = 1_048_576;
const DEFAULT_MB = 1024;

interface CredentialsOptions {
  readonly envFile?: string;
  readonly json?: boolean;
  readonly scan?: boolean;
  /** Of each part of a scan, in megabytes. */
  readonly maxMb?: number;
}

/** One credential as it is shown. What is not set has neither place nor age. */
interface CredentialLine {
  readonly name: string;
  readonly from: string | null;
  readonly fingerprint: string | null;
  readonly since: string | null;
  readonly ageDays: number | null;
  readonly rotateBy: string | null;
  readonly status: "OK" | "DUE" | "OTHER" | "NEW" | "NOT SET";
}

/**
 * Prints every credential that the daemon was given: where it comes from, since when it has been seen, when to rotate it, and with
 * `scan` where it leaked; never its value or a part of it. Only reads: what
 * the daemon has seen is noted by its start. Returns the exit code: 1 when one
 * is due or has leaked, or the database cannot be read.
 */
export async function printCredentials(options: CredentialsOptions): Promise<number> {
  try {
    const surroundings = readEnvironment();
    const loaded = loadConfig({ ...surroundings, argv: { envFile: options.envFile } });
    const lines = knownOrNull(loaded, options.scan !== true);
    if (options.json !== true && lines !== null) process.stdout.write(table(lines));
    const { homeDir, programDir } = surroundings;
    const maxBytes = (options.maxMb ?? DEFAULT_MB) * BYTES_PER_MB;
    const { redact } = createSecretFinder(secretValues(loaded.secrets));
    const hide = (text: string): string => redact(text, "none");
    const found =
      options.scan === true
        ? withoutValues(await scan({ loaded, homeDir, programDir, maxBytes }), hide)
        : null;
    if (options.json === true)
      process.stdout.write(
        `${JSON.stringify({ credentials: lines, ...(found === null ? {} : { scan: found }) })}\n`,
      );
    else if (found !== null) process.stdout.write(`\n${scanText(found)}`);
    const isDue = lines === null || lines.some(({ status }) => status === "DUE");
    const isBad = found !== null && (found.leaks.length > 0 || found.reach === "no_database");
    return isDue || isBad ? EXIT.failure : EXIT.ok;
  } catch (error) {
    process.stderr.write(`sallyport: ${messageOf(error)}\n`);
    return exitCodeOf(error);
  }
}

/** Null when the database cannot be read, which is told: a scan is for such times too, and goes on. */
function knownOrNull(loaded: LoadedConfig, isNeeded: boolean): readonly CredentialLine[] | null {
  try {
    const { home, trackedCredentials } = loaded.config;
    return linesOf(knownCredentials(loaded, home, systemNow), trackedCredentials);
  } catch (error) {
    if (isNeeded || !(error instanceof AppError) || error.code !== "store_failed") throw error;
    process.stderr.write(`sallyport: ${error.message}\n`);
    return null;
  }
}

function linesOf(known: readonly KnownCredential[], tracked: readonly string[]): readonly CredentialLine[] {
  const missing = tracked.filter((name) => !known.some((one) => one.name === name));
  return [
    ...known.map(({ name, file, fingerprint, kind, since, ageDays }) => ({
      name,
      from: file ?? "the environment",
      fingerprint,
      since: since === null ? null : dayOf(since),
      ageDays,
      rotateBy: since === null ? null : dayOf(since + ROTATE_DAYS * DAY_MS),
      status: statusOf(kind, ageDays),
    })),
    ...missing.map((name) => ({ ...NOTHING, name })),
  ];
}

const NOTHING = {
  from: null,
  fingerprint: null,
  since: null,
  ageDays: null,
  rotateBy: null,
  status: "NOT SET",
} as const;

/** `OTHER`: this shell has another value than the one that the daemon last started with. */
function statusOf(kind: KnownCredential["kind"], ageDays: number | null): CredentialLine["status"] {
  if (kind !== "seen") return kind === "other" ? "OTHER" : "NEW";
  return ageDays !== null && ageDays >= ROTATE_DAYS ? "DUE" : "OK";
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function table(lines: readonly CredentialLine[]): string {
  const heads = ["STATUS", "CREDENTIAL", "FINGERPRINT", "SINCE", "DAYS", "ROTATE BY", "FROM"];
  const rows = lines.map((line) => [
    line.status,
    line.name,
    line.fingerprint ?? "",
    line.since ?? "",
    line.ageDays === null ? "" : String(line.ageDays),
    line.rotateBy ?? "",
    line.from ?? "",
  ]);
  const widths = heads.map((head, column) =>
    Math.max(...[head, ...rows.map((row) => row[column] ?? "")].map((text) => text.length)),
  );
  const show = (row: readonly string[]): string =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return `${[heads, ...rows].map(show).join("\n")}\n`;
}
