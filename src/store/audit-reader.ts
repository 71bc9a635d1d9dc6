import { existsSync } from "node:fs";
import Database from "better-sqlite3";
import { AppError } from "../domain/errors.ts";
import { type AuditRows, readAudit } from "./audit-rows.ts";
import { BUSY_MS } from "./database.ts";

export type { AuditRows } from "./audit-rows.ts";

/**
 * The audit of a database that a daemon may be writing at the same time; read only, as it was at the first look, or, `live`, as it
 * is at each. Throws `store_failed`.
 */
export function openAuditReader(path: string, kind: "still" | "live" = "still"): AuditRows & Disposable {
  if (!existsSync(path))
    throw new AppError("store_failed", `There is no database at ${path}: set SALLYPORT_HOME`);
  const db = new Database(path, { readonly: true, fileMustExist: true });
  db.pragma(`busy_timeout = ${BUSY_MS}`);
  if (kind === "still") db.exec("BEGIN"); // anchor and rows of one moment
  return { ...readAudit(db), [Symbol.dispose]: () => db.close() };
}
