import type { AuditEvent } from "../domain/audit-event.ts";
import type { Work } from "../domain/work.ts";
import { type Logger, securityLogger } from "../log/logger.ts";
import { isStoreFault } from "../store/fault.ts";
import type { Store } from "../store/store.ts";
import type { RecordWork } from "./settle.ts";

/** Puts on record what has happened already, so that it cannot be left undone: at once, or as soon as the store takes it. */
export interface LateRecord {
  /** `beside` is written in the same transaction. Never throws for a store that takes nothing. */
  readonly put: (event: AuditEvent, work: Work, beside?: () => void) => void;
  /** Tries once more, and gives what is left to the log. */
  readonly close: () => void;
}

interface LateDeps {
  readonly store: Pick<Store, "transaction" | "lightly">;
  readonly record: RecordWork;
  readonly log: Logger;
}

interface Late {
  readonly event: AuditEvent;
  readonly work: Work;
  readonly beside: (() => void) | undefined;
}

const AGAIN_MS = 1_000;
/** What waits at most; what comes after goes to the log alone. */
const MAX_WAITING = 1_000;

export function createLateRecord({ store, record, log }: LateDeps): LateRecord {
  const security = securityLogger(log);
  const waiting: Late[] = [];
  let timer: NodeJS.Timeout | undefined;

  function write({ event, work, beside }: Late): void {
    // What only counts may be lost with the power; what people are told of is not.
    const within = beside === undefined ? store.lightly : store.transaction;
    within(() => {
      record(event, { work });
      beside?.();
    });
  }

  /** In their order; ends at the first that is not taken. */
  function flush(): void {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      try {
        write(next);
      } catch (error) {
        if (isStoreFault(error)) {
          wait();
          return;
        }
        lose(next, error);
      }
      waiting.shift();
    }
  }

  function wait(): void {
    clearTimeout(timer);
    timer = setTimeout(flush, AGAIN_MS).unref();
  }

  function lose({ event, work }: Late, err: unknown): void {
    const { type, ...facts } = event;
    security.error(
      { security: true, event: type, userId: work.userId, facts, err },
      "what has happened could not be put on record",
    );
  }

  return {
    put: (event, work, beside) => {
      const late = { event, work, beside };
      if (waiting.length >= MAX_WAITING) {
        lose(late, null);
        return;
      }
      waiting.push(late);
      if (waiting.length === 1) flush();
    },
    close: () => {
      flush();
      clearTimeout(timer);
      for (const late of waiting.splice(0)) lose(late, null);
    },
  };
}
