import type { Work } from "../domain/work.ts";
import type { Logger } from "../log/logger.ts";
import type { Store } from "../store/store.ts";

/** How often a closed lock is looked at: it is opened by another process, which tells nobody. */
const LOOK_MS = 500;

/** What a halt ended, and what it left waiting in the queues. */
export interface Halted {
  readonly ended: readonly Work[];
  readonly waiting: readonly Work[];
}

interface HaltDeps {
  readonly store: Store;
  /** Read anew at every call. */
  readonly isLocked: () => boolean;
  /** Ends every turn and every warm process. */
  readonly endAll: () => void;
  /** Called once when a lock that was watched is open. When it throws, it is called again. */
  readonly onOpen: () => void;
  readonly log: Logger;
}

/** The end of everything that runs, and its beginning again once the lock is opened. */
export interface Halt {
  /** Ends what runs, of everybody. Called inside the transaction that locks the bot. */
  readonly halt: () => Halted;
  /** Watches for the opening of the lock, if it is closed. */
  readonly watch: () => void;
  readonly close: () => void;
}

export function createHalt({ store, isLocked, endAll, onOpen, log }: HaltDeps): Halt {
  let timer: NodeJS.Timeout | undefined;

  function close(): void {
    clearInterval(timer);
    timer = undefined;
  }

  function look(): void {
    try {
      if (isLocked()) return;
      onOpen();
      close();
    } catch (error) {
      log.error({ event: "lock.watch", err: error }, "the lock cannot be looked at; trying again");
    }
  }

  function watch(): void {
    if (timer === undefined && isLocked()) timer = setInterval(look, LOOK_MS);
  }

  return {
    halt: () => {
      const ended = store.work.inStates(["preparing", "running", "waiting"]);
      for (const { id } of ended) store.work.requestStop(id);
      store.afterCommit(() => {
        endAll();
        watch();
      });
      return { ended, waiting: store.work.conversationsWithQueue().flatMap(store.work.queued) };
    },
    watch,
    close,
  };
}
