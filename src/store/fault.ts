import Database from "better-sqlite3";
import { AppError } from "../domain/errors.ts";

/**
 * True when the database could not do what was asked (full disk, locked, I/O): the same may work later. False for what is
 * against a constraint, which never will.
 */
export function isStoreFault(error: unknown): boolean {
  return error instanceof Database.SqliteError && !error.code.startsWith("SQLITE_CONSTRAINT");
}

/** Why the database takes no writing, and what a person can do about it. */
export interface StoreTrouble {
  readonly kind: "full" | "locked" | "read_only" | "broken" | "io";
  /** SQLite's own code. */
  readonly code: string;
  readonly mend: string;
}

const TROUBLES: readonly (readonly [code: string, kind: StoreTrouble["kind"], mend: string])[] = [
  ["SQLITE_FULL", "full", "the disk that holds SALLYPORT_HOME is full: make room on it"],
  [
    "SQLITE_BUSY",
    "locked",
    "another program keeps the database in SALLYPORT_HOME locked: end that program (a backup tool, an open sqlite3)",
  ],
  ["SQLITE_LOCKED", "locked", "the database in SALLYPORT_HOME is locked: end the program that holds it"],
  [
    "SQLITE_READONLY",
    "read_only",
    "the database in SALLYPORT_HOME may not be written: give it back to the user that runs the daemon",
  ],
  [
    "SQLITE_CORRUPT",
    "broken",
    "the database is damaged: stop the daemon and run `sallyport restore <backup>`",
  ],
  [
    "SQLITE_NOTADB",
    "broken",
    "the database is none any more: stop the daemon and run `sallyport restore <backup>`",
  ],
];
/** Of disks, which may come back. */
const OF_DISKS = /^SQLITE_(?:IOERR|CANTOPEN)/;
const OTHER_MEND =
  "the disk that holds SALLYPORT_HOME does not take the database: see whether it is full, gone or failing";

/** True for a fault that passes by itself or by what a person does beside the daemon: what met it may be tried again without end. */
export function isPassing(error: unknown): boolean {
  const trouble = troubleOf(error);
  if (trouble === null) return false;
  return ["full", "locked", "read_only"].includes(trouble.kind) || OF_DISKS.test(trouble.code);
}

/** What is wrong with the database by a fault that it gave, or that lies behind one; null for what is no such fault. */
export function troubleOf(error: unknown): StoreTrouble | null {
  if (error instanceof AppError) return troubleOf(error.cause);
  if (!(error instanceof Database.SqliteError) || !isStoreFault(error)) return null;
  const { code } = error;
  const [, kind, mend] = TROUBLES.find(([begin]) => code.startsWith(begin)) ?? [
    "",
    "io" as const,
    OTHER_MEND,
  ];
  return { kind, code, mend };
}
