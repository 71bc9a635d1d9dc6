import type { Now } from "../domain/clock.ts";
import type { Logger } from "../log/logger.ts";

const WINDOW_MS = 10_000;

interface Fields {
  readonly event: string;
  readonly [name: string]: unknown;
}

/**
 * Warns, but about the same event at most once in ten seconds: what is in the jail can cause these lines as fast as it
 * likes. The next line that is written says how many were left out (`suppressed`).
 */
export function createThrottledLog(log: Logger, now: Now): (fields: Fields, message: string) => void {
  const windows = new Map<string, { readonly until: number; suppressed: number }>();
  return (fields, message) => {
    const window = windows.get(fields.event);
    const at = now();
    // A clock that was set back must not keep the log silent.
    if (window !== undefined && at < window.until && at >= window.until - WINDOW_MS) {
      window.suppressed += 1;
      return;
    }
    windows.set(fields.event, { until: at + WINDOW_MS, suppressed: 0 });
    log.warn({ ...fields, suppressed: window?.suppressed ?? 0 }, message);
  };
}
