import type { Now } from "../domain/clock.ts";
import type { NetTarget } from "../domain/net.ts";
import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";

/** What an owner has said of a host for a project. */
export interface ProjectHost extends NetTarget {
  readonly project: string;
  readonly verdict: "allow" | "never";
}

/** Hosts that owners have allowed or closed for a project, for good. A row for each press of an owner's. */
export interface HostRules {
  readonly find: (project: string, target: NetTarget) => ProjectHost["verdict"] | null;
  readonly of: (project: string) => readonly ProjectHost[];
  readonly set: (rule: ProjectHost, by: number) => void;
  /** False when there was none. */
  readonly remove: (project: string, target: NetTarget) => boolean;
}

export function createHostRules(db: Db, change: Change, now: Now): HostRules {
  const find = db.prepare<[string, string, number], { verdict: ProjectHost["verdict"] }>(
    "SELECT verdict FROM host_rules WHERE project = ? AND host = ? AND port = ?",
  );
  const of = db.prepare<[string], ProjectHost>(
    "SELECT project, host, port, verdict FROM host_rules WHERE project = ? ORDER BY host, port",
  );
  const set = db.prepare<[string, string, number, string, number, number]>(
    "INSERT OR REPLACE INTO host_rules (project, host, port, verdict, set_by, set_at) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const remove = db.prepare<[string, string, number]>(
    "DELETE FROM host_rules WHERE project = ? AND host = ? AND port = ?",
  );

  return {
    find: (project, { host, port }) => find.get(project, host, port)?.verdict ?? null,
    of: (project) => of.all(project),
    set: ({ project, host, port, verdict }, by) => {
      change("host.ruled", () => set.run(project, host, port, verdict, by, now()));
    },
    remove: (project, { host, port }) =>
      change("host.unruled", () => remove.run(project, host, port)).changes > 0,
  };
}
