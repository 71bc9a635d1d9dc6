import type { Now } from "../domain/clock.ts";
import type { Store } from "../store/store.ts";

interface ClockTrustDeps {
  readonly store: Pick<Store, "facts" | "lightly">;
  readonly now: Now;
  /** Milliseconds of a clock that nobody sets. */
  readonly tick: () => number;
  /** Told once of a time that is so far from the last one that was trusted: by how much (ms). */
  readonly onDoubt: (gapMs: number) => void;
}

/** The last time that was trusted, in ms since the epoch. */
const FACT = "clock.trusted";
/** Written down no more often. */
const NOTED_EVERY_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** A machine may be asleep or off over a weekend; what is forgotten by a clock that is so much ahead is due in any case. */
const TOLERATED_MS = 3 * DAY_MS;

/**
 * Says whether things may be forgotten by the time that it is now. A clock that has jumped by days, with the daemon running or not,
 * is trusted once it has kept to the new time for a day of the daemon's own; one that is set back to the old is trusted at once.
 */
export function createClockTrust({ store, now, tick, onDoubt }: ClockTrustDeps): () => boolean {
  let doubtedSince: number | null = null;

  function trust(at: number): true {
    doubtedSince = null;
    store.lightly(() => store.facts.set(FACT, String(at)));
    return true;
  }

  return () => {
    const [last, at] = [store.facts.get(FACT), now()];
    const gapMs = last === null ? 0 : at - Number(last);
    if (last === null || Math.abs(gapMs) <= TOLERATED_MS) {
      doubtedSince = null;
      return last !== null && Math.abs(gapMs) < NOTED_EVERY_MS ? true : trust(at);
    }
    if (doubtedSince === null) {
      doubtedSince = tick();
      onDoubt(gapMs);
    }
    return tick() - doubtedSince < DAY_MS ? false : trust(at);
  };
}
