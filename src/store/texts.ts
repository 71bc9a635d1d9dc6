import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import Database from "better-sqlite3";
import { BUSY_MS } from "./database.ts";

/** A value of the database, with the table it stands in. */
export interface StoredText {
  readonly table: string;
  readonly text: string;
}

/** The rows of a query, one at a time, each as its values. */
type Rows = (sql: string) => Iterable<readonly unknown[]>;

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
    yield* textsIn((sql) => db.prepare<[], unknown[]>(sql).raw().iterate());
  } finally {
    db.close();
  }
}

/**
 * The same of a copy that nobody writes: nothing is locked, and no file is made beside it. What stands in a log beside it
 * (`-wal`) is not among it. `immutable` (sqlite.org/uri.html) is for addresses alone, which better-sqlite3 takes none of.
 */
export function* textsOfCopy(path: string): Generator<StoredText> {
  const address = pathToFileURL(path);
  address.search = "immutable=1";
  const db = new DatabaseSync(address, { readOnly: true });
  try {
    yield* textsIn((sql) => {
      const statement = db.prepare(sql);
      statement.setReturnArrays(true);
      statement.setReadBigInts(true); // a larger one than a number holds is no fault
      return valuesOf(statement.iterate());
    });
  } finally {
    db.close();
  }
}

function* textsIn(rows: Rows): Generator<StoredText> {
  const tables = [...rows("SELECT name FROM sqlite_schema WHERE type = 'table'")].flat();
  for (const table of tables) {
    if (typeof table !== "string") continue;
    for (const row of rows(`SELECT * FROM "${table.replaceAll('"', '""')}"`))
      for (const value of row) if (typeof value === "string") yield { table, text: value };
  }
}

/** Of rows as arrays, which their type does not know. */
function* valuesOf(rows: Iterable<object>): Generator<readonly unknown[]> {
  for (const row of rows) yield Object.values(row);
}
