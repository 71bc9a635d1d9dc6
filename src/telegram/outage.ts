import type { Now } from "../domain/clock.ts";
import type { Logger } from "../log/logger.ts";
import type { Store } from "../store/store.ts";
import type { Trouble } from "./trouble.ts";
import { outageBeganText, outageOverText, outageSummaryText } from "./wording-outage.ts";

/** Under which name the outage in course is kept. */
const FACT = "telegram.outage";
/** Trouble that lasts this long begins to matter. */
const MATTERS_MS = 60_000;
/** So many polls in a row that another program ended are no accident. */
const MATTERS_CONFLICTS = 3;
/** It is over when nothing has failed for so long: a line that comes and goes is one outage. Under the length of a quiet poll. */
const CALM_MS = 20_000;

/** Follows the trouble with receiving, and tells the owners once when it has begun to matter and once when it is over. */
export interface Outage {
  readonly failed: (trouble: Trouble) => void;
  readonly answered: () => void;
  /** A sleep or a pause that Telegram asked for: trouble that did not matter yet is forgotten. */
  readonly interrupted: () => void;
}

interface OutageDeps {
  readonly store: Store;
  readonly owners: () => readonly number[];
  /** Writes to an owner's private chat; gives the outbox id. Called inside a transaction. */
  readonly notify: (owner: number, text: string) => number;
  /** Whether calls other than for updates get through. */
  readonly canSend: () => Promise<boolean>;
  readonly now: Now;
  /** Milliseconds of a clock that nobody sets. */
  readonly tick: () => number;
  readonly log: Logger;
  readonly mattersMs?: number;
  readonly calmMs?: number;
}

/** An outage that matters, as it is kept over a restart. */
interface Course {
  readonly trouble: Trouble;
  /** In milliseconds since the epoch. */
  readonly since: number;
  /** Owner and outbox row of each notice of its beginning; null while nothing can be sent. */
  readonly notices: readonly (readonly [number, number])[] | null;
}

/**
 * Nothing is written while nothing can be sent: an outage that is over before is told in one message. One that was told
 * goes on over a restart. Never throws: what cannot be written (a full disk) is tried again with the next call.
 */
export function createOutage(deps: OutageDeps): Outage {
  const { store, owners, notify, canSend, now, tick, log } = deps;
  const { mattersMs = MATTERS_MS, calmMs = CALM_MS } = deps;
  /** What does not matter yet. */
  let budding: { readonly since: number; conflicts: number } | null = null;
  let course = read();
  let failedAt = tick();
  /** Since when nothing has failed, by the wall clock. */
  let backAt: number | null = null;
  let line: "unknown" | "asked" | "open" = "unknown";
  let isUnwritable = false;

  function read(): Course | null {
    const kept = store.facts.get(FACT);
    return kept === null ? null : JSON.parse(kept);
  }

  function failed(trouble: Trouble): void {
    failedAt = tick();
    backAt = null;
    course ??= begin(trouble);
    if (course === null || course.notices !== null) return;
    if (trouble === "rival" || line === "open") tell({ ...course, trouble });
    else ask();
  }

  /** Gives the course of what matters from now on; null as long as it does not. */
  function begin(trouble: Trouble): Course | null {
    budding ??= { since: failedAt, conflicts: 0 };
    budding.conflicts = trouble === "rival" ? budding.conflicts + 1 : 0;
    const lastedMs = failedAt - budding.since;
    if (lastedMs < mattersMs && budding.conflicts < MATTERS_CONFLICTS) return null;
    const begun = { trouble, since: now() - lastedMs, notices: null };
    store.facts.set(FACT, JSON.stringify(begun));
    budding = null;
    line = "unknown";
    log.warn({ event: "telegram.outage", trouble, lastedMs }, "updates have not come for a while");
    return begun;
  }

  /** Finds out whether owners could be told; if so they are at the next failure, by when all may be well. */
  function ask(): void {
    if (line === "asked") return;
    line = "asked";
    canSend()
      .then((isOpen) => {
        line = isOpen ? "open" : "unknown";
      })
      .catch((error: unknown) => {
        line = "unknown";
        log.warn({ event: "telegram.outage", err: error }, "whether anything can be sent is unknown");
      });
  }

  function tell(told: Course): void {
    course = store.transaction(() => {
      const notices = owners().map(
        (owner) => [owner, notify(owner, outageBeganText(told.trouble, told.since))] as const,
      );
      const next = { ...told, notices };
      store.facts.set(FACT, JSON.stringify(next));
      return next;
    });
  }

  function answered(): void {
    budding = null;
    backAt ??= now();
    if (course === null || tick() - failedAt < calmMs) return;
    end(course, backAt);
    course = null;
  }

  function end({ trouble, since, notices }: Course, until: number): void {
    // A clock that was set back meanwhile has left no better beginning than the end.
    const span = { trouble, since: Math.min(since, until), until };
    store.transaction(() => {
      for (const owner of owners()) {
        const notice = notices?.find(([id]) => id === owner)?.[1];
        const isSeen = notice !== undefined && !store.outbox.withdraw(notice);
        notify(owner, isSeen ? outageOverText(span) : outageSummaryText(span));
      }
      store.facts.delete(FACT);
    });
    log.info({ event: "telegram.outage_over", ...span }, "updates come again");
  }

  function guarded(act: () => void): void {
    try {
      act();
      isUnwritable = false;
    } catch (error) {
      if (!isUnwritable)
        log.error({ event: "telegram.outage_unwritable", err: error }, "owners cannot be told yet");
      isUnwritable = true;
    }
  }

  return {
    failed: (trouble) => guarded(() => failed(trouble)),
    answered: () => guarded(answered),
    interrupted: () => {
      budding = null;
    },
  };
}
