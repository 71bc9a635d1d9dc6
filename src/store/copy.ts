import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { verifyChain } from "../domain/audit-chain.ts";
import { AppError, messageOf } from "../domain/errors.ts";
import { readAudit } from "./audit-rows.ts";

/** What is written before it is synced: a large sync at once would hold up every commit of the daemon beside it. */
const CHUNK_BYTES = 4_194_304;

/**
 * Copies the database at `from`, which a daemon may be writing, into the new file `to` (0600): its state at one moment, compact
 * and verified. Nothing is at `to` before all of it is on disk. Takes as long as it takes: not for the daemon's own process.
 * Throws `store_failed` when `from` is no sound database of this program, when it cannot be written, or when `to` is there.
 */
export function copyDatabase(from: string, to: string): void {
  if (existsSync(to)) throw new AppError("store_failed", `${to} is there already: choose another name`);
  if (!existsSync(from)) throw new AppError("store_failed", `There is no database at ${from}`);
  const [compact, partial] = [`${to}.compact`, `${to}.partial`];
  const clear = (): void => {
    for (const path of [compact, `${compact}-journal`, partial]) rmSync(path, { force: true });
  };
  clear(); // what a copy that was cut off has left would be taken for a part of this one
  try {
    compactInto(from, compact);
    copyDurably(compact, partial);
    verify(partial);
    renameSync(partial, to);
    syncFolder(dirname(to));
  } catch (cause) {
    throw new AppError("store_failed", `No sound copy can be made of ${from}: ${messageOf(cause)}`, {
      cause,
    });
  } finally {
    clear();
  }
}

/** Copies a file to a new one (0600), which is on disk when this returns. */
function copyDurably(from: string, to: string): void {
  const source = openSync(from, "r");
  const target = openSync(to, "wx", 0o600);
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (let bytes = readSync(source, chunk); bytes > 0; bytes = readSync(source, chunk)) {
      writeFileSync(target, chunk.subarray(0, bytes));
      fdatasyncSync(target);
    }
    fsyncSync(target);
  } finally {
    closeSync(source);
    closeSync(target);
  }
}

/** Brings what stands in the write-ahead log into the database, if it can be opened at all; nobody else may have it open. */
export function settleLog(path: string): void {
  const db = new Database(path);
  try {
    db.pragma("wal_checkpoint(TRUNCATE)");
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error; // a broken one is kept as it is
  } finally {
    db.close();
  }
}

/** What was renamed in a folder is so after a power loss too. */
export function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** One reading transaction: a consistent state without free pages. The daemon's writing goes on beside it. */
function compactInto(from: string, to: string): void {
  closeSync(openSync(to, "wx", 0o600));
  const db = new Database(from, { readonly: true });
  try {
    db.pragma("synchronous = OFF"); // of what is written; it is synced afterwards, piece by piece
    db.exec(`VACUUM INTO '${to.replaceAll("'", "''")}'`);
  } finally {
    db.close();
  }
}

/** Throws `store_failed` unless the file is a sound database of this program, its audit unbroken. */
function verify(path: string): void {
  const db = new Database(path, { readonly: true });
  try {
    const integrity = db.pragma("integrity_check(1)", { simple: true });
    if (integrity !== "ok") throw new AppError("store_failed", String(integrity));
    const orphan = db.prepare<[], { table: string }>("PRAGMA foreign_key_check").get();
    if (orphan) throw new AppError("store_failed", `a row of ${orphan.table} refers to nothing`);
    const audit = readAudit(db);
    const verdict = verifyChain(audit.rows(), { after: audit.anchor() });
    if (verdict.kind === "broken")
      throw new AppError("store_failed", `its audit is broken at row ${verdict.id}: ${verdict.reason}`);
  } finally {
    db.close();
  }
}
