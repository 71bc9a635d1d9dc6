import { existsSync, linkSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { readEnvironment } from "../config/environment.ts";
import { homeOf } from "../config/home-of.ts";
import { systemNow as now } from "../domain/clock.ts";
import { AppError, EXIT } from "../domain/errors.ts";
import { copyDatabase, settleLog, syncFolder } from "../store/copy.ts";
import { prepareHome } from "../store/home.ts";
import { lockHome } from "../store/lock.ts";
import { openStore } from "../store/store.ts";
import { recordHere } from "./record-here.ts";
import { utcStamp } from "./utc-stamp.ts";

interface RestoreOptions {
  readonly envFile?: string;
  readonly file: string;
}

/** What SQLite keeps beside a database. */
const SIDES = ["-wal", "-shm"] as const;

/**
 * Puts a backup in the place of the database, prints where that one is kept and returns the exit code. Whatever happens on the
 * way, one of the two is in place. Throws `already_running` while a daemon runs, and `store_failed` for what is no sound backup.
 */
export function restore({ envFile, file }: RestoreOptions): number {
  process.umask(0o077);
  const home = homeOf(readEnvironment(), envFile ?? null);
  const source = resolve(file);
  if (!existsSync(source)) throw new AppError("store_failed", `There is no backup at ${source}`);
  const { database } = prepareHome(home);
  using _lock = lockHome(home);
  const fresh = `${database}.restoring`;
  const isThere = existsSync(database);
  const kept = `${database}.replaced-${utcStamp(now())}`;
  const clear = (): void => {
    for (const path of [fresh, ...SIDES.map((side) => fresh + side)]) rmSync(path, { force: true });
  };
  clear(); // what an earlier try may have left
  try {
    copyDatabase(source, fresh);
    putOnRecord(fresh, isThere ? basename(kept) : null);
    if (isThere) settleLog(database);
    // Another database's log beside the new one would be taken for its own.
    for (const side of SIDES) if (existsSync(database + side)) renameSync(database + side, kept + side);
    if (isThere) linkSync(database, kept);
    renameSync(fresh, database);
    syncFolder(dirname(database));
  } finally {
    clear();
  }
  process.stdout.write(`Restored from ${source}\n`);
  if (isThere) process.stdout.write(`What it replaced is kept as ${kept}\n`);
  return EXIT.ok;
}

/** Also brings the schema up to date, so that a backup of a newer version is refused here. */
function putOnRecord(path: string, replaced: string | null): void {
  using store = openStore(path, now);
  recordHere(store)({ type: "database.restored", replaced });
}
