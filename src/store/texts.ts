import { existsSync } from "node:fs";
import Database from "better-sqlite3";
import { BUSY_MS } from "./database.ts";

/** A value of the database, with the table it stands in. */
export interface StoredText {
  readonly table: string;
  readonly text: string;
}

/**
 * Every text in every table of a database, as it is at the first look, a row at a time; read only, beside a daemon that writes. Nothing
 * when there is no such file.
 */
export function* textsOf(path: string): Generator<StoredText> {
  if (!existsSync(path)) return;
  const db = new Database(path, { readonly: true, fileMustExist: true });
  try {
    db.pragma(`busy_timeout = ${BUSY_MS}`);
    db.exec("BEGIN");
    const tables = db
      .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'")
      .pluck()
      .all();
    for (const table of tables) {
      for (const row of db
        .prepare<[], unknown[]>(`SELECT * FROM "${table.replaceAll('"', '""')}"`)
        .raw()
        .iterate())
        for (const value of row) if (typeof value === "string") yield { table, text: value };
    }
  } finally {
    db.close();
  }
}
