import type { Now } from "../domain/clock.ts";
import type { Logger } from "../log/logger.ts";
import type { StoreTrouble } from "../store/fault.ts";
import type { Store } from "../store/store.ts";
import { storeTroubleText } from "../telegram/wording-store.ts";

interface TroubleDeps {
  readonly log: Logger;
  readonly now: Now;
  /** From one try to tell the owners to the next; five seconds unless given. */
  readonly againMs?: number | undefined;
}

/** Watches over whether the database takes what is written. */
export interface StoreWatch extends Disposable {
  readonly onTrouble: (trouble: StoreTrouble) => void;
  /** From now on it is tried whether the database takes anything again, and the owners are told. */
  readonly tellBy: (tell: TellDeps) => void;
}

interface TellDeps {
  readonly store: Pick<Store, "transaction" | "facts">;
  /** Writes to the owners, inside a transaction that is under way. */
  readonly tellOwners: (text: string) => void;
}

const AGAIN_MS = 5_000;
/** Owners are told of a disk that is full now and then no more often than this. */
const QUIET_MS = 600_000;
/** The last time when nothing could be written, as JSON; writing it is the try. */
const FACT = "store.trouble";

/**
 * What cannot be put on record is not done, wherever it is tried; this says why, in one line of the log when it begins and one when
 * it is over, and tells the owners then.
 */
export function createStoreWatch({ log, now, againMs = AGAIN_MS }: TroubleDeps): StoreWatch {
  let open: { readonly since: number; readonly trouble: StoreTrouble } | null = null;
  let toldAt = Number.NEGATIVE_INFINITY;
  let by: TellDeps | null = null;
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    if (open === null || by === null) {
      wait();
      return;
    }
    const { since, trouble } = open;
    const span = { since, until: now() };
    const isQuiet = performance.now() - toldAt < QUIET_MS;
    const { store, tellOwners } = by;
    try {
      store.transaction(() => {
        store.facts.set(FACT, JSON.stringify({ ...span, code: trouble.code }));
        if (!isQuiet) tellOwners(storeTroubleText(trouble.kind, span));
      });
    } catch (error) {
      log.debug({ event: "store.still_unwritable", err: error }, "the database takes nothing yet");
      wait();
      return;
    }
    open = null;
    if (!isQuiet) toldAt = performance.now();
    log.info({ event: "store.writable", ...span }, "the database takes what is written again");
  }

  function wait(): void {
    clearTimeout(timer);
    timer = setTimeout(look, againMs).unref();
  }

  return {
    onTrouble: (trouble) => {
      if (open !== null) return;
      open = { since: now(), trouble };
      const { code, kind, mend } = trouble;
      log.error(
        { event: "store.unwritable", code, kind },
        `nothing can be put on record, so nothing is done: ${mend}`,
      );
      wait();
    },
    tellBy: (deps) => {
      by = deps;
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
