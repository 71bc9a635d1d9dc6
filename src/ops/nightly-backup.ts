import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, realpathSync, rmSync, statSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { AppError } from "../domain/errors.ts";
import { createMarks } from "../jail/mark.ts";
import { homePaths } from "../store/home.ts";
import { utcStamp } from "./utc-stamp.ts";

interface NightlyBackupDeps {
  /** `SALLYPORT_HOME`. */
  readonly home: string;
  /** The folder that takes the backups. */
  readonly folder: string;
  /** Milliseconds since the epoch, for its name. */
  readonly at: number;
}

/** A backup that was made. */
export interface MadeBackup {
  readonly file: string;
  readonly bytes: number;
}

/** How many backups of the nights are kept. */
const KEPT = 7;
/** A backup that takes longer is given up: it hangs. */
const LONGEST_MS = 3_600_000;
const STDERR_CHARS = 4_096;
const NAME = /^sallyport-nightly-\d{8}T\d{6}Z\.db(\.partial|\.compact(-journal)?)?$/;
/** What makes the copy, as source and as built. No command: what a person copies is on record. */
const CHILD = join(import.meta.dirname, `nightly-child${extname(import.meta.filename)}`);

/**
 * Makes a verified backup in a child process, so that nothing of it holds the daemon up, and removes all but the newest seven.
 * The child bears the home's mark: one that outlives a daemon that was killed is ended by the next start.
 * Rejects with `store_failed` when there is no sound one, and with an AbortError when `signal` is aborted, which kills the child.
 */
export async function backUpNightly(
  { home, folder, at }: NightlyBackupDeps,
  signal: AbortSignal,
): Promise<MadeBackup> {
  removeLeftovers(folder);
  const { database, jail } = homePaths(home);
  const file = join(folder, `sallyport-nightly-${utcStamp(at)}.db`);
  const argv = ["--max-semi-space-size=2", "--disable-warning=DEP0040", "--", CHILD, database, file];
  const child = spawn(process.execPath, argv, {
    cwd: home,
    env: createMarks(realpathSync(jail)).next().env,
    stdio: ["ignore", "ignore", "pipe"],
    timeout: LONGEST_MS,
    killSignal: "SIGKILL",
    signal,
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-STDERR_CHARS);
  });
  await once(child, "close");
  const { exitCode, signalCode } = child;
  if (exitCode !== 0)
    throw new AppError("store_failed", `The backup ended with ${exitCode ?? signalCode}: ${said.trim()}`);
  removeOld(folder);
  return { file: basename(file), bytes: statSync(file).size };
}

/** Halves of backups that were cut off. */
function removeLeftovers(folder: string): void {
  for (const name of nightlyIn(folder)) if (!name.endsWith(".db")) rmSync(join(folder, name));
}

function removeOld(folder: string): void {
  const made = nightlyIn(folder).filter((name) => name.endsWith(".db"));
  for (const name of made.sort().slice(0, -KEPT)) rmSync(join(folder, name));
}

function nightlyIn(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => NAME.test(name));
}
