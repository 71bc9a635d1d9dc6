import { chmodSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { AppError } from "../domain/errors.ts";

/**
 * Takes the one-instance lock of a home folder: an exclusive transaction on a SQLite file of its own, so that the
 * operating system releases it when the process dies in whatever way. Throws `already_running` when it is held.
 */
export function lockHome(home: string): Disposable {
  const path = join(home, "lock.db");
  const db = new Database(path, { timeout: 0 });
  chmodSync(path, 0o600);
  try {
    db.pragma("locking_mode = EXCLUSIVE");
    db.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    db.close();
    if (!(cause instanceof Database.SqliteError) || !cause.code.startsWith("SQLITE_BUSY")) throw cause;
    throw new AppError(
      "already_running",
      `Another sallyport runs with ${home}: stop it, or set SALLYPORT_HOME`,
      {
        cause,
      },
    );
  }
  return { [Symbol.dispose]: () => db.close() };
}
