import { setTimeout as delay } from "node:timers/promises";
import { WAIT_MS } from "./wait-ms.ts";

/** Waits until `look` gives something, asking every 10 ms, at most `deadlineMs`. For what tells nobody when it changes: files, processes. */
export async function until<T>(
  look: () => T | Promise<T>,
  what: string,
  deadlineMs = WAIT_MS,
): Promise<NonNullable<T>> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > end) throw new Error(`Not within ${deadlineMs} ms: ${what}`);
    await delay(10);
  }
}
