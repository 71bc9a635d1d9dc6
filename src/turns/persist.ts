import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../log/logger.ts";

const AGAIN_MS = 500;

/** Writes until the store takes it. Gives up, and says so by false, only when the daemon ends: the next start sorts it out. */
export type Persist = (write: () => void, what: { readonly workId: number }) => Promise<boolean>;

/** `write` must be one transaction: what failed has left nothing behind, so that it may be repeated. */
export function createPersist(log: Logger, isOver: () => boolean): Persist {
  return async (write, { workId }) => {
    for (;;) {
      try {
        write();
        return true;
      } catch (error) {
        log.error(
          { event: "turn.unsettled", workId, err: error },
          "the store takes no writing; trying again",
        );
      }
      await sleep(AGAIN_MS);
      if (isOver()) return false;
    }
  };
}
