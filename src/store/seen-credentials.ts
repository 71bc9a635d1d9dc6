import { existsSync } from "node:fs";
import Database from "better-sqlite3";
import { BUSY_MS } from "./database.ts";

/** What is known of a credential: its last fingerprint, and since when. */
export interface Seen {
  readonly fingerprint: string;
  readonly since: number;
}

/** The credentials that the daemon has seen, by name; read only, empty where there is no database or an older one. */
export function seenCredentials(path: string): ReadonlyMap<string, Seen> {
  if (!existsSync(path)) return new Map();
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
