import { setTimeout as sleep } from "node:timers/promises";

const FIRST_MS = 200;
const CAP_MS = 5_000;

/** Milliseconds to wait after `failures` failures in a row: doubling from 0.2 s, at most 5 s, with up to a fifth of jitter. */
export function backoffMs(failures: number, random: () => number = Math.random): number {
  const base = Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
  return Math.round(base * (1 - random() * 0.2));
}

/** Waits `ms`, or until `signal` is aborted; resolves either way. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
