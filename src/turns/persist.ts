import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../log/logger.ts";
import { isStoreFault } from "../store/fault.ts";

const AGAIN_MS = 500;

/**
 * Writes until the store takes it; gives up only when the daemon ends, and the next start sorts it out. Rejects with what is
 * no fault of the store's: repeating that would not help.
 */
export type Persist = (write: () => void, what: { readonly workId: number }) => Promise<void>;

/** `write` must be one transaction: what failed has left nothing behind, so that it may be repeated. */
export function createPersist(log: Logger, isOver: () => boolean): Persist {
  return async (write, { workId }) => {
    for (;;) {
      try {
        write();
        return;
      } catch (error) {
        log.error({ event: "turn.unsettled", workId, err: error }, "the end of a turn could not be written");
        if (!isStoreFault(error)) throw error;
      }
      await sleep(AGAIN_MS);
      if (isOver()) return;
    }
  };
}
