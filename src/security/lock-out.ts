import type { Now } from "../domain/clock.ts";
import type { LoginFailures, LoginFailureTable } from "../store/login-failures.ts";

interface Policy {
  /** Failures that lock the door. */
  readonly most: number;
  /** How long the first lock-out lasts; each further one twice as long as the one before, up to `longestMs`. */
  readonly lockMs: number;
  readonly longestMs: number;
  /** After so long without a failure all is forgotten. */
  readonly forgetMs: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const PERSON: Policy = { most: 5, lockMs: 15 * MINUTE_MS, longestMs: DAY_MS, forgetMs: DAY_MS };
/** Guessing from many accounts: after 50 failures, whoever they were of, a quarter of an hour of nothing. */
const EVERYBODY: Policy = {
  most: 50,
  lockMs: 15 * MINUTE_MS,
  longestMs: 15 * MINUTE_MS,
  forgetMs: 60 * MINUTE_MS,
};
/** The key of everybody in the table: no person has it. */
const ALL = 0;

/** Whose door a failure locked, and until when (ms since the epoch). */
export interface Lockout {
  readonly scope: "person" | "everybody";
  readonly until: number;
}

/**
 * Closes the door for logins after failures: for the person who failed, and for all strangers together. Who is logged in already
 * is not touched, and who is on the whitelist is locked out by his own failures alone: strangers cannot keep him out.
 */
export interface LockOut {
  /** After a clock was set back it writes, once. */
  readonly isLocked: (userId: number, isListed: boolean) => boolean;
  /** Counts a failure. Called inside a transaction. */
  readonly failed: (userId: number) => readonly Lockout[];
  /** A login that succeeded: forgets the failures of that person. */
  readonly forgive: (userId: number) => void;
}

interface LockOutDeps {
  readonly failures: LoginFailureTable;
  readonly now: Now;
}

export function createLockOut({ failures, now }: LockOutDeps): LockOut {
  /** A clock that was set back takes along what is known: a lock-out lasts for as long as was left of it, no more and no less. */
  function known(key: number): LoginFailures | null {
    const row = failures.of(key);
    const backMs = row === null ? 0 : row.lastAt - now();
    if (row === null || backMs <= 0) return row;
    const moved = { ...row, lastAt: now(), lockedUntil: Math.max(0, row.lockedUntil - backMs) };
    failures.save(key, moved);
    return moved;
  }

  const isClosed = (key: number): boolean => (known(key)?.lockedUntil ?? 0) > now();

  function count(key: number, policy: Policy): number | null {
    const row = known(key);
    const { failures: before, lockouts } = kept(row, policy);
    const isTooMany = before + 1 >= policy.most;
    const lockMs = Math.min(policy.lockMs * 2 ** lockouts, policy.longestMs);
    const until = isTooMany ? now() + lockMs : null;
    failures.save(key, {
      failures: isTooMany ? 0 : before + 1,
      lockouts: isTooMany ? lockouts + 1 : lockouts,
      lastAt: now(),
      lockedUntil: Math.max(until ?? 0, row?.lockedUntil ?? 0), // one that runs goes on
    });
    return until;
  }

  function kept(
    row: LoginFailures | null,
    { forgetMs }: Policy,
  ): Pick<LoginFailures, "failures" | "lockouts"> {
    const isFresh = row !== null && now() - Math.max(row.lastAt, row.lockedUntil) < forgetMs;
    return isFresh ? row : { failures: 0, lockouts: 0 };
  }

  return {
    isLocked: (userId, isListed) => isClosed(userId) || (!isListed && isClosed(ALL)),
    failed: (userId) => {
      const person = count(userId, PERSON);
      const everybody = count(ALL, EVERYBODY);
      return [
        ...(person === null ? [] : [{ scope: "person", until: person } as const]),
        ...(everybody === null ? [] : [{ scope: "everybody", until: everybody } as const]),
      ];
    },
    forgive: failures.forget,
  };
}
