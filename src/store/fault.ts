import Database from "better-sqlite3";

/**
 * True when the database could not do what was asked (full disk, locked, I/O): the same may work later. False for what is
 * against a constraint, which never will.
 */
export function isStoreFault(error: unknown): boolean {
  return error instanceof Database.SqliteError && !error.code.startsWith("SQLITE_CONSTRAINT");
}
