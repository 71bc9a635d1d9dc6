import type { Now } from "../domain/clock.ts";
import type { Facts } from "../store/facts.ts";

/** Since when the bot is locked (ms since the epoch) and which owner did it. */
export interface LockState {
  readonly since: number;
  readonly by: number;
}

/** Whether work is let in at all. Kept in the store: it outlives the daemon, and is undone at the machine alone. */
export interface Lock {
  /** Null when it is open. Read anew at every call: another process may have opened it. */
  readonly state: () => LockState | null;
  /** When it was last opened (ms since the epoch); null when it never was. */
  readonly openedAt: () => number | null;
  readonly close: (by: number) => void;
  /** Called inside a transaction. */
  readonly open: () => void;
}

const FACT = "lock";
const OPENED_FACT = "lock.opened_at";

export function createLock({ facts, now }: { readonly facts: Facts; readonly now: Now }): Lock {
  return {
    state: () => {
      const text = facts.get(FACT);
      return text === null ? null : JSON.parse(text);
    },
    openedAt: () => {
      const text = facts.get(OPENED_FACT);
      return text === null ? null : Number(text);
    },
    close: (by) => facts.set(FACT, JSON.stringify({ since: now(), by } satisfies LockState)),
    open: () => {
      facts.delete(FACT);
      facts.set(OPENED_FACT, String(now()));
    },
  };
}
