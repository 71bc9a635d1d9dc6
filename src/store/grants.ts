import type { Now } from "../domain/clock.ts";
import type { MicroUsd } from "../domain/money.ts";
import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";

/** What owners have granted to people above their budgets. A row for each grant of an owner's. */
export interface Grants {
  readonly add: (userId: number, amountMicroUsd: MicroUsd, by: number) => void;
  /** Sum of what a person was granted since `sinceMs`. */
  readonly since: (userId: number, sinceMs: number) => MicroUsd;
}

export function createGrants(db: Db, change: Change, now: Now): Grants {
  const add = db.prepare<[number, number, number, number]>(
    "INSERT INTO grants (user_id, amount_micro_usd, granted_by, granted_at) VALUES (?, ?, ?, ?)",
  );
  const since = db.prepare<[number, number], { total: number }>(
    "SELECT coalesce(sum(amount_micro_usd), 0) AS total FROM grants WHERE user_id = ? AND granted_at >= ?",
  );

  return {
    add: (userId, amountMicroUsd, by) => {
      change("cost.granted", () => add.run(userId, amountMicroUsd, by, now()));
    },
    since: (userId, sinceMs) => since.get(userId, sinceMs)?.total ?? 0,
  };
}
