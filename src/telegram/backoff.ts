import { setTimeout as sleep } from "node:timers/promises";

const FIRST_MS = 200;
/** With the call that follows, this is back within 5 s of the end of whatever was wrong. */
const CAP_MS = 4_500;
/** The longest that a timer can wait; one that is set for longer ends at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** Milliseconds to wait after `failures` failures in a row: doubling from 0.2 s, at most 4.5 s, with up to a fifth of jitter. */
export function backoffMs(failures: number, random: () => number = Math.random): number {
  const base = Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
  return Math.round(base * (1 - random() * 0.2));
}

/** Waits `ms` (at most 24 days), or until `signal` is aborted; resolves either way. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.min(ms, LONGEST_MS), undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
