import { existsSync } from "node:fs";
import Database from "better-sqlite3";
import { AppError, messageOf } from "../domain/errors.ts";
import { BUSY_MS } from "./database.ts";

/** What is known of a credential: its last fingerprint, and since when. */
export interface Seen {
  readonly fingerprint: string;
  readonly since: number;
}

/**
 * The credentials that the daemon has seen, by name; read only, empty where there is no database or an older one. Throws
 * `store_failed` for one that cannot be read.
 */
export function seenCredentials(path: string): ReadonlyMap<string, Seen> {
  if (!existsSync(path)) return new Map();
  try {
    return readSeen(path);
  } catch (cause) {
    if (!(cause instanceof Database.SqliteError)) throw cause;
    const isDamaged = /^SQLITE_(NOTADB|CORRUPT)/.test(cause.code);
    const advice = isDamaged
      ? ": stop the daemon and put a backup in its place with `sallyport restore <file>`"
      : "";
    throw new AppError("store_failed", `The database ${path} cannot be read (${messageOf(cause)})${advice}`, {
      cause,
    });
  }
}

function readSeen(path: string): ReadonlyMap<string, Seen> {
  const db = new Database(path, { readonly: true, fileMustExist: true });
  try {
    db.pragma(`busy_timeout = ${BUSY_MS}`);
    const isThere = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'credentials'").get();
    if (isThere === undefined) return new Map();
    const rows = db
      .prepare<[], Seen & { name: string }>("SELECT name, fingerprint, since FROM credentials")
      .all();
    return new Map(rows.map(({ name, ...seen }) => [name, seen]));
  } finally {
    db.close();
  }
}
