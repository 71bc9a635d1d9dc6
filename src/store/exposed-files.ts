import type { Now } from "../domain/clock.ts";
import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";

/**
 * Files of the list of secrets that the jails of a project show, because an owner said so. `root` is the project's real path,
 * `path` is below it. At most 20 a project; a row stays until an owner hides the file.
 */
export interface ExposedFiles {
  readonly of: (root: string) => readonly string[];
  /** `before`: it was shown already. */
  readonly show: (root: string, path: string, by: number) => "shown" | "before" | "too_many";
  /** False when it was not shown. */
  readonly hide: (root: string, path: string) => boolean;
}

/** More would be a list that nobody looks through. */
const MAX_EXPOSED = 20;

export function createExposedFiles(db: Db, change: Change, now: Now): ExposedFiles {
  const of = db
    .prepare<[string], string>("SELECT path FROM exposed_files WHERE root = ? ORDER BY path")
    .pluck();
  const show = db.prepare<[string, string, number, number]>(
    "INSERT INTO exposed_files (root, path, exposed_by, exposed_at) VALUES (?, ?, ?, ?)",
  );
  const hide = db.prepare<[string, string]>("DELETE FROM exposed_files WHERE root = ? AND path = ?");

  return {
    of: (root) => of.all(root),
    show: (root, path, by) => {
      const paths = of.all(root);
      if (paths.includes(path)) return "before";
      if (paths.length >= MAX_EXPOSED) return "too_many";
      change("exposed.shown", () => show.run(root, path, by, now()));
      return "shown";
    },
    hide: (root, path) => change("exposed.hidden", () => hide.run(root, path)).changes > 0,
  };
}
