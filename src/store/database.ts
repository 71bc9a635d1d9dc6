import { chmodSync, existsSync } from "node:fs";
import Database from "better-sqlite3";
import { AppError, messageOf } from "../domain/errors.ts";
import { MIGRATIONS } from "./migrations.ts";

/** How long a write waits for another program's. */
export const BUSY_MS = 5_000;

/** An open SQLite connection. Stays inside `store/`. */
export type Db = Database.Database;

/**
 * Opens `path`, creating it as 0600, and brings its schema up to date. WAL with `synchronous=FULL`: what is committed
 * survives a power loss. A guest is a command beside a daemon that may be running: it makes a new database, but leaves the schema of
 * one that is there to the daemon's next start. Rejects with `store_failed` a file that is no database or that a newer version has written.
 */
export function openDatabase(path: string, { isGuest = false }: { readonly isGuest?: boolean } = {}): Db {
  try {
    const db = new Database(path);
    chmodSync(path, 0o600);
    setPragmas(db);
    migrate(db, isGuest);
    restrictSideFiles(path);
    return db;
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError("store_failed", `The database ${path} cannot be opened: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function setPragmas(db: Db): void {
  db.pragma(`busy_timeout = ${BUSY_MS}`);
  db.pragma("auto_vacuum = INCREMENTAL"); // before the first table; one that has tables is left as it is
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.pragma("foreign_keys = ON");
  db.pragma("secure_delete = ON");
  if (process.platform === "darwin") db.pragma("fullfsync = ON");
}

function migrate(db: Db, isGuest: boolean): void {
  const from = Number(db.pragma("user_version", { simple: true }));
  if (from > MIGRATIONS.length) {
    throw new AppError(
      "store_failed",
      `The database is of schema ${from}, this program knows up to ${MIGRATIONS.length}: start the newer version`,
    );
  }
  if (isGuest && from > 0 && from < MIGRATIONS.length)
    throw new AppError(
      "store_failed",
      `The database is of schema ${from}, this program's is ${MIGRATIONS.length}: start the daemon anew first, which brings it up to date`,
    );
  MIGRATIONS.slice(from).forEach((sql, index) => {
    const step = db.transaction(() => {
      db.exec(sql);
      db.pragma(`user_version = ${from + index + 1}`);
    });
    step.immediate();
  });
}

function restrictSideFiles(path: string): void {
  for (const side of [`${path}-wal`, `${path}-shm`]) if (existsSync(side)) chmodSync(side, 0o600);
}
