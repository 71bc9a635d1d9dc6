import { mkdirSync, rmSync, statSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { join, resolve } from "node:path";
import { readEnvironment } from "../config/environment.ts";
import { homeOf } from "../config/home-of.ts";
import { systemNow } from "../domain/clock.ts";
import { EXIT } from "../domain/errors.ts";
import { openAuditWriter } from "../store/audit-writer.ts";
import { copyDatabase } from "../store/copy.ts";
import { homePaths } from "../store/home.ts";
import { recordHere } from "./record-here.ts";
import { utcStamp } from "./utc-stamp.ts";

interface BackupOptions {
  readonly envFile?: string;
  /** Where to; else into the home folder's `backups`, named by the time. */
  readonly file?: string;
}

/**
 * Copies the database, whether a daemon runs or not, puts that on record, prints where to and returns the exit code. Works at the
 * lowest priority. Throws `store_failed` when the copy would overwrite something or is not sound, and leaves none that cannot be
 * put on record.
 */
export function backUp({ envFile, file }: BackupOptions): number {
  setPriority(constants.priority.PRIORITY_LOW);
  process.umask(0o077);
  const paths = homePaths(homeOf(readEnvironment(), envFile ?? null));
  if (file === undefined) mkdirSync(paths.backups, { recursive: true, mode: 0o700 });
  const to = resolve(file ?? join(paths.backups, `sallyport-${utcStamp(systemNow())}.db`));
  copyDatabase(paths.database, to);
  putOnRecord(paths.database, to);
  process.stdout.write(`Backed up to ${to}: ${statSync(to).size} bytes, verified\n`);
  return EXIT.ok;
}

function putOnRecord(database: string, file: string): void {
  try {
    using writer = openAuditWriter(database);
    const record = recordHere(writer);
    writer.transaction(() => record({ type: "database.copied", file }));
  } catch (error) {
    rmSync(file);
    throw error;
  }
}
