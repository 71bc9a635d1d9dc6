import type { Now } from "../domain/clock.ts";
import type { MicroUsd } from "../domain/money.ts";
import type { ApiUsage } from "../domain/usage.ts";
import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";

/** Who was charged how much for a turn, and how that is known. */
export interface Charge {
  readonly workId: number;
  readonly userId: number;
  readonly costMicroUsd: MicroUsd;
  readonly source: "cli" | "meter";
}

/** Money: every API request as it was metered, every turn as it was settled. */
export interface Ledger {
  /** Records an API request of a work; a later report of the same request replaces the earlier. */
  readonly meter: (workId: number, usage: ApiUsage) => void;
  /** Sum of the metered requests of a work. */
  readonly metered: (workId: number) => MicroUsd;
  /** Settles a work once; a second settlement changes nothing. */
  readonly settle: (charge: Charge) => void;
  /** Sum of a person's settled turns since `sinceMs`. Of those that retention has removed, all or nothing is counted. */
  readonly spentSince: (userId: number, sinceMs: number) => MicroUsd;
}

export function createLedger(db: Db, change: Change, now: Now): Ledger {
  const meter = db.prepare<
    [string, number, string, number, number, number, number, number, number, number, number, number]
  >(
    `INSERT INTO api_usage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (request_id) DO UPDATE SET model = excluded.model, input_tokens = excluded.input_tokens,
       cache_write_5m_tokens = excluded.cache_write_5m_tokens, cache_write_1h_tokens = excluded.cache_write_1h_tokens,
       cache_read_tokens = excluded.cache_read_tokens, output_tokens = excluded.output_tokens,
       cost_micro_usd = excluded.cost_micro_usd, is_final = excluded.is_final, is_cut = excluded.is_cut`,
  );
  const metered = db.prepare<[number], { total: number | null }>(
    "SELECT sum(cost_micro_usd) AS total FROM api_usage WHERE work_id = ?",
  );
  const settle = db.prepare<[number, number, number, string, number]>(
    `INSERT INTO costs (work_id, user_id, cost_micro_usd, source, settled_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (work_id) DO NOTHING`,
  );
  const spent = db.prepare<{ userId: number; sinceMs: number }, { total: number }>(
    `SELECT (SELECT coalesce(sum(cost_micro_usd), 0) FROM costs WHERE user_id = @userId AND settled_at >= @sinceMs)
       + coalesce((SELECT cost_micro_usd FROM costs_before WHERE user_id = @userId AND settled_from >= @sinceMs), 0) AS total`,
  );

  return {
    meter: (workId, usage) => {
      change("cost.metered", () =>
        meter.run(
          usage.requestId,
          workId,
          usage.model,
          usage.inputTokens,
          usage.cacheWrite5mTokens,
          usage.cacheWrite1hTokens,
          usage.cacheReadTokens,
          usage.outputTokens,
          usage.costMicroUsd,
          usage.isFinal ? 1 : 0,
          usage.isCut ? 1 : 0,
          now(),
        ),
      );
    },
    metered: (workId) => metered.get(workId)?.total ?? 0,
    settle: ({ workId, userId, costMicroUsd, source }) => {
      change("cost.settled", () => settle.run(workId, userId, costMicroUsd, source, now()));
    },
    spentSince: (userId, sinceMs) => spent.get({ userId, sinceMs })?.total ?? 0,
  };
}
