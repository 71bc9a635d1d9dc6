import type { Now } from "../domain/clock.ts";
import type { Store } from "../store/store.ts";

interface NowAndThenDeps {
  readonly store: Pick<Store, "afterCommit">;
  readonly now: Now;
  /** Milliseconds from one telling of the same person to the next; what comes between is not told. */
  readonly everyMs: number;
}

/** Makes what tells a person something no more often than that; called inside a transaction, and one that fails has told nothing. */
export function createNowAndThen({ store, now, everyMs }: NowAndThenDeps) {
  const toldAt = new Map<number, number>();
  return (userId: number, tell: () => void): void => {
    const at = now();
    if (Math.abs(at - (toldAt.get(userId) ?? Number.NEGATIVE_INFINITY)) < everyMs) return;
    tell();
    store.afterCommit(() => toldAt.set(userId, at));
  };
}
