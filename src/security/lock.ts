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
  readonly close: (by: number) => void;
  readonly open: () => void;
}

const FACT = "lock";

export function createLock({ facts, now }: { readonly facts: Facts; readonly now: Now }): Lock {
  return {
    state: () => {
      const text = facts.get(FACT);
      return text === null ? null : JSON.parse(text);
    },
    close: (by) => facts.set(FACT, JSON.stringify({ since: now(), by } satisfies LockState)),
    open: () => facts.delete(FACT),
  };
}
