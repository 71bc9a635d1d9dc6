import type { ApiUsage } from "../domain/usage.ts";
import { isStoreFault } from "../store/fault.ts";
import type { Store } from "../store/store.ts";

/**
 * The store with a ledger that forgets no usage: what cannot be written (a full disk, a locked database) is kept, and written before
 * the sum of its work is asked for again. A turn is settled by that sum, so it waits for the store and is charged in full.
 */
export function keepOwed(store: Store): Store {
  const { ledger } = store;
  const owed = new Map<number, ApiUsage[]>();

  /** Writing one twice changes nothing, so it is kept until what it was written with is committed. */
  function pay(workId: number): void {
    const usages = owed.get(workId);
    if (usages === undefined) return;
    for (const usage of usages) ledger.meter(workId, usage);
    store.afterCommit(() => owed.delete(workId));
  }

  return {
    ...store,
    ledger: {
      ...ledger,
      meter: (workId, usage) => {
        try {
          pay(workId);
          ledger.meter(workId, usage);
        } catch (error) {
          if (!isStoreFault(error)) throw error;
          owed.set(workId, [...(owed.get(workId) ?? []), usage]);
        }
      },
      metered: (workId) => {
        pay(workId);
        return ledger.metered(workId);
      },
    },
  };
}
