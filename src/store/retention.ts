import type { Now } from "../domain/clock.ts";
import type { Db } from "./database.ts";
import type { Change, Transactions } from "./transactions.ts";
import { UNFINISHED } from "./work.ts";

/** How long things are kept, in milliseconds. */
export interface RetentionTimes {
  /** What people and Claude said. */
  readonly contentMs: number;
  /** That it was done; never shorter. */
  readonly auditMs: number;
}

/** Forgets what is past its time, in all tables but the audit. */
export interface Retention {
  /**
   * Forgets slice after slice, each in a transaction of its own of some milliseconds, and yields how many rows each was of. It
   * may be left at any slice.
   */
  readonly slices: (times: RetentionTimes) => Generator<number, void>;
}

interface RetentionDeps {
  readonly change: Change;
  readonly lightly: Transactions["lightly"];
  readonly now: Now;
}

/** One kind of thing that is forgotten in its time. */
interface Rule {
  readonly keepMs: (times: RetentionTimes) => number;
  /** The rowids of what is older than the one parameter, and about how many bytes go with each. */
  readonly pick: string;
  /** Statements that each get the rowids as a JSON array; the last one says how many rows there were. */
  readonly forget: readonly string[];
}

interface Candidate {
  readonly id: number;
  readonly bytes: number;
}

/** What a slice holds at most, but for one row that is larger by itself. */
const MAX_ROWS = 100;
const MAX_BYTES = 65_536;

const DAY_MS = 86_400_000;
/** Telegram keeps an update for a day; what is older does not come again. */
const DONE_INBOX_MS = 3 * DAY_MS;
/** A budget counts a calendar month, so that costs are kept as long, whatever else is forgotten sooner. */
const COSTS_MS = 32 * DAY_MS;

/** Longer than a lock-out lasts, and than it is remembered. */
const FAILURES_MS = 3 * DAY_MS;

const HELD = "SELECT held_by FROM conversations WHERE held_by IS NOT NULL";

/** A button that can still be answered: one about a work or an approval that is still under way. */
const IS_OPEN = `used_at IS NULL AND (
  EXISTS (SELECT 1 FROM work WHERE work.id = json_extract(action, '$.workId')
    AND (state IN ${UNFINISHED} OR work.id IN (${HELD})))
  OR EXISTS (SELECT 1 FROM json_each(action, '$.workIds') JOIN work ON work.id = json_each.value
    WHERE state IN ${UNFINISHED})
  OR EXISTS (SELECT 1 FROM approvals WHERE approvals.id = json_extract(action, '$.approvalId') AND state = 'asked'))`;

const content = ({ contentMs }: RetentionTimes): number => contentMs;
const audit = ({ auditMs }: RetentionTimes): number => auditMs;

/** In this order: what refers to a row goes before it. Each names a partial index just as that names itself, which only so is used. */
const RULES: readonly Rule[] = [
  {
    keepMs: () => DONE_INBOX_MS,
    pick: "SELECT update_id AS id, 0 AS bytes FROM inbox WHERE state <> 'new' AND state = 'done' AND received_at < ?",
    forget: [`DELETE FROM inbox WHERE update_id IN (SELECT value FROM json_each(@ids))`],
  },
  {
    keepMs: content,
    pick: `SELECT update_id AS id, octet_length(body) AS bytes FROM inbox
           WHERE state <> 'new' AND state = 'dead' AND received_at < ?`,
    forget: [`DELETE FROM inbox WHERE update_id IN (SELECT value FROM json_each(@ids))`],
  },
  {
    keepMs: content,
    pick: `SELECT rowid AS id, octet_length(action) AS bytes FROM buttons
           WHERE action <> '' AND offered_at < ? AND NOT (${IS_OPEN})`,
    forget: [`UPDATE buttons SET action = '' WHERE rowid IN (SELECT value FROM json_each(@ids))`],
  },
  {
    keepMs: content,
    pick: `SELECT id, octet_length(input) + octet_length(answers) AS bytes FROM approvals
           WHERE input <> '{}' AND decided_at < ?`,
    forget: [
      `UPDATE approvals SET input = '{}', answers = '{}' WHERE id IN (SELECT value FROM json_each(@ids))`,
    ],
  },
  {
    keepMs: content,
    pick: `SELECT id, octet_length(act) AS bytes FROM outbox
           WHERE state IN ('sent', 'failed', 'dropped') AND created_at < ?`,
    forget: [`DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(@ids))`],
  },
  {
    // As long as an offer to run it again stands on a screen, the prompt is kept.
    keepMs: content,
    pick: `SELECT id, octet_length(text) AS bytes FROM work
           WHERE text <> '' AND ended_at < ? AND state NOT IN ${UNFINISHED} AND id NOT IN (${HELD})
             AND NOT EXISTS (SELECT 1 FROM buttons
               WHERE json_extract(action, '$.workId') = +work.id AND used_at IS NULL AND action <> '')`,
    forget: [`UPDATE work SET text = '' WHERE id IN (SELECT value FROM json_each(@ids))`],
  },
  {
    keepMs: audit,
    pick: "SELECT id, 0 AS bytes FROM invites WHERE coalesce(settled_at, expires_at) < ?",
    forget: [`DELETE FROM invites WHERE id IN (SELECT value FROM json_each(@ids))`],
  },
  {
    keepMs: audit,
    pick: "SELECT id, 0 AS bytes FROM logins WHERE ended_at < ?",
    forget: [`DELETE FROM logins WHERE id IN (SELECT value FROM json_each(@ids))`],
  },
  {
    keepMs: () => FAILURES_MS,
    pick: "SELECT user_id AS id, 0 AS bytes FROM login_failures WHERE last_at < ?",
    forget: [`DELETE FROM login_failures WHERE user_id IN (SELECT value FROM json_each(@ids))`],
  },
  {
    keepMs: audit,
    pick: "SELECT rowid AS id, 0 AS bytes FROM sessions WHERE ended_at < ?",
    forget: [`DELETE FROM sessions WHERE rowid IN (SELECT value FROM json_each(@ids))`],
  },
  {
    keepMs: audit,
    pick: `SELECT rowid AS id, 0 AS bytes FROM api_usage
           WHERE at < ? AND EXISTS (SELECT 1 FROM costs WHERE costs.work_id = api_usage.work_id)`,
    forget: [`DELETE FROM api_usage WHERE rowid IN (SELECT value FROM json_each(@ids))`],
  },
  {
    // With CLAUDE_COST_WINDOW=total a person's budget counts all that he ever spent.
    keepMs: ({ auditMs }) => Math.max(auditMs, COSTS_MS),
    pick: `SELECT work_id AS id, 0 AS bytes FROM costs
           WHERE settled_at < ? AND NOT EXISTS (SELECT 1 FROM api_usage WHERE api_usage.work_id = costs.work_id)`,
    forget: [
      `INSERT INTO costs_before SELECT user_id, sum(cost_micro_usd), min(settled_at) FROM costs WHERE work_id IN (SELECT value FROM json_each(@ids))
       GROUP BY user_id
       ON CONFLICT (user_id) DO UPDATE SET cost_micro_usd = cost_micro_usd + excluded.cost_micro_usd,
         settled_from = min(settled_from, excluded.settled_from)`,
      `DELETE FROM costs WHERE work_id IN (SELECT value FROM json_each(@ids))`,
    ],
  },
  {
    keepMs: audit,
    pick: "SELECT id, 0 AS bytes FROM approvals WHERE input = '{}' AND decided_at < ?",
    forget: [`DELETE FROM approvals WHERE id IN (SELECT value FROM json_each(@ids))`],
  },
  {
    keepMs: audit,
    pick: "SELECT rowid AS id, 0 AS bytes FROM buttons WHERE action = '' AND offered_at < ?",
    forget: [`DELETE FROM buttons WHERE rowid IN (SELECT value FROM json_each(@ids))`],
  },
  {
    keepMs: audit,
    pick: `SELECT id, 0 AS bytes FROM work WHERE text = '' AND ended_at < ? AND state NOT IN ${UNFINISHED}
             AND NOT EXISTS (SELECT 1 FROM approvals WHERE work_id = work.id)
             AND NOT EXISTS (SELECT 1 FROM api_usage WHERE work_id = work.id)
             AND NOT EXISTS (SELECT 1 FROM costs WHERE work_id = work.id)
             AND NOT EXISTS (SELECT 1 FROM attachments WHERE work_id = work.id)
             AND NOT EXISTS (SELECT 1 FROM outbox WHERE final_of = work.id)`,
    forget: [`DELETE FROM work WHERE id IN (SELECT value FROM json_each(@ids))`],
  },
];

export function createRetention(db: Db, { change, lightly, now }: RetentionDeps): Retention {
  const rules = RULES.map(({ keepMs, pick, forget }) => ({
    keepMs,
    pick: db.prepare<[number, number], Candidate>(`${pick} LIMIT ?`),
    forget: forget.map((sql) => db.prepare<{ ids: string }>(sql)),
  }));

  function forgetSlice({ pick, forget }: (typeof rules)[number], before: number): number {
    // What a loss of power undoes is past its time tomorrow as well.
    return lightly(() =>
      change("row.expired", () => {
        const ids = JSON.stringify(within(pick.all(before, MAX_ROWS)));
        const changes = forget.map((statement) => statement.run({ ids }).changes);
        return { changes: changes.at(-1) ?? 0 };
      }),
    ).changes;
  }

  return {
    *slices(times) {
      for (const rule of rules) {
        const before = now() - rule.keepMs(times);
        for (let rows = forgetSlice(rule, before); rows > 0; rows = forgetSlice(rule, before)) yield rows;
      }
    },
  };
}

/** As many as fit into a slice, at least one. */
function within(candidates: readonly Candidate[]): readonly number[] {
  let bytes = 0;
  const past = candidates.findIndex((candidate, index) => {
    bytes += candidate.bytes;
    return index > 0 && bytes > MAX_BYTES;
  });
  return candidates.slice(0, past < 0 ? undefined : past).map(({ id }) => id);
}
