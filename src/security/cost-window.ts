/** Over which time a person's spending is summed: a calendar day or month of the owner's zone, or all time. */
export type CostWindow = "day" | "month" | "total";

/** The window that a moment lies in. Milliseconds since the epoch; `endMs` is the first one after it, null for never. */
export interface WindowSpan {
  readonly startMs: number;
  readonly endMs: number | null;
}

/** Longer than any calendar day or month of any zone, clock changes included. */
const REACH_MS = { day: 72 * 3_600_000, month: 34 * 24 * 3_600_000 } as const;

/**
 * Gives the function that finds a moment's window in an IANA zone. Days have 23, 24 or 25 hours, and not every day
 * begins at 0:00, so the edges are searched for: the first millisecond whose local date is that of the window.
 * Throws a RangeError for an unknown zone.
 */
export function createCostWindow(window: CostWindow, timeZone: string): (nowMs: number) => WindowSpan {
  if (window === "total") return () => ({ startMs: 0, endMs: null });
  const reachMs = REACH_MS[window];
  const dateOf = createDateOf(window, timeZone);
  let known = { startMs: 0, endMs: 0 };
  return (nowMs) => {
    if (nowMs >= known.startMs && nowMs < known.endMs) return known;
    const date = dateOf(nowMs);
    known = {
      startMs: firstWhere((ms) => dateOf(ms) >= date, nowMs - reachMs, nowMs),
      endMs: firstWhere((ms) => dateOf(ms) > date, nowMs, nowMs + reachMs),
    };
    return known;
  };
}

/** The local date as a number that grows with it: 20261123, or 202611 for months. */
function createDateOf(window: "day" | "month", timeZone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  return (ms) => {
    const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, value]));
    const month = `${parts.get("year")}${parts.get("month")}`;
    return Number(window === "day" ? `${month}${parts.get("day")}` : month);
  };
}

/** The smallest whole number above `low`, up to `high`, where `holds` is true; it must be false before and true after. */
function firstWhere(holds: (ms: number) => boolean, low: number, high: number): number {
  let before = Math.floor(low);
  let after = Math.floor(high);
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (holds(middle)) after = middle;
    else before = middle;
  }
  return after;
}
