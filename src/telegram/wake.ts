import type { Now } from "../domain/clock.ts";

const TICK_MS = 5_000;
/** A tick that comes this late was slept through: no load of the machine holds one up for so long. */
const GAP_MS = 15_000;

/** Calls `act` every `ms` until the function that it gives is called. */
type Every = (ms: number, act: () => void) => () => void;

interface WakeDeps {
  readonly now: Now;
  /** Milliseconds of a clock that nobody sets; whether it goes on in a sleep is up to the system. */
  readonly tick: () => number;
  readonly every: Every;
  /** The machine slept, or this process was stopped, or the clock was set forward: by how much. */
  readonly onWake: (gapMs: number) => void;
}

/** Notices that the machine was asleep. */
export interface WakeDetector {
  /** Looks at once, for who has reason to ask: what has just failed may have failed by a sleep. */
  readonly check: () => void;
  readonly stop: () => void;
}

/**
 * Watches for gaps in time, by both clocks: one of them may stand still in a sleep, the other jumps when it is set. A clock
 * that is set back is no sleep.
 */
export function watchForWake({ now, tick, every, onWake }: WakeDeps): WakeDetector {
  let wall = now();
  let steady = tick();

  function check(): void {
    const before = { wall, steady };
    wall = now();
    steady = tick();
    const gapMs = Math.max(wall - before.wall, steady - before.steady);
    if (gapMs > GAP_MS) onWake(gapMs);
  }

  return { check, stop: every(TICK_MS, check) };
}

/** By the machine's own timer, which keeps no process alive. */
export const everyMs: Every = (ms, act) => {
  const timer = setInterval(act, ms).unref();
  return () => clearInterval(timer);
};
