import Database from "better-sqlite3";

/** True when the database could not do what was asked (full disk, locked, I/O): the same may work later. */
export function isStoreFault(error: unknown): boolean {
  return error instanceof Database.SqliteError && !error.code.startsWith("SQLITE_CONSTRAINT");
}
