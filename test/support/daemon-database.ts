import { join } from "node:path";
import Database from "better-sqlite3";

/** What a turn was charged, beside the sum of what the proxy metered for it. Amounts in micro-USD. */
interface Charge {
  readonly text: string;
  readonly costMicroUsd: number;
  readonly source: "cli" | "meter";
  readonly meteredMicroUsd: number;
}

/** A row of the audit with the fields of its event. */
type AuditRow = Readonly<Record<string, unknown>> & { readonly type: string; readonly userId: number | null };

/** All settled turns of the daemon whose home this is, oldest first. */
export function chargesIn(home: string): readonly Charge[] {
  return queryDaemon(
    home,
    `SELECT text, costs.cost_micro_usd AS costMicroUsd, source,
       (SELECT coalesce(sum(api_usage.cost_micro_usd), 0) FROM api_usage WHERE api_usage.work_id = costs.work_id)
         AS meteredMicroUsd
     FROM costs JOIN work ON work.id = costs.work_id ORDER BY work.id`,
  ) as readonly Charge[];
}

/** The audit rows of the types that begin with `prefix`, oldest first. */
export function auditIn(home: string, prefix: string): readonly AuditRow[] {
  const rows = queryDaemon(home, "SELECT type, user_id, data FROM audit ORDER BY id") as readonly {
    readonly type: string;
    readonly user_id: number | null;
    readonly data: string;
  }[];
  return rows
    .filter(({ type }) => type.startsWith(prefix))
    .map(({ type, user_id: userId, data }) => ({
      ...(JSON.parse(data) as Record<string, unknown>),
      type,
      userId,
    }));
}

/** The rows of a query, read from outside while the daemon runs or after it has ended. */
export function queryDaemon(home: string, sql: string): readonly unknown[] {
  const database = new Database(join(home, "sallyport.db"), { readonly: true, fileMustExist: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}
