import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";

/** What is known of logins that failed. */
export interface LoginFailures {
  /** Since the last lock-out. */
  readonly failures: number;
  /** How often the door was locked. */
  readonly lockouts: number;
  readonly lastAt: number;
  readonly lockedUntil: number;
}

/** Failed logins, a row for each person who failed and one for all of them. What it means is `security/lock-out.ts`'s business. */
export interface LoginFailureTable {
  readonly of: (userId: number) => LoginFailures | null;
  readonly save: (userId: number, failures: LoginFailures) => void;
  readonly forget: (userId: number) => void;
}

export function createLoginFailures(db: Db, change: Change): LoginFailureTable {
  const of = db.prepare<[number], LoginFailures>(
    `SELECT failures, lockouts, last_at AS lastAt, locked_until AS lockedUntil FROM login_failures WHERE user_id = ?`,
  );
  const save = db.prepare<[number, number, number, number, number]>(
    `INSERT OR REPLACE INTO login_failures (user_id, failures, lockouts, last_at, locked_until) VALUES (?, ?, ?, ?, ?)`,
  );
  const forget = db.prepare<[number]>("DELETE FROM login_failures WHERE user_id = ?");

  return {
    of: (userId) => of.get(userId) ?? null,
    save: (userId, { failures, lockouts, lastAt, lockedUntil }) => {
      change("login.failed", () => save.run(userId, failures, lockouts, lastAt, lockedUntil));
    },
    forget: (userId) => {
      change("login.forgiven", () => forget.run(userId));
    },
  };
}
