import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type CostWindow, createCostWindow } from "../../src/security/cost-window.ts";

const HOUR = 3_600_000;

function hoursOfDay(timeZone: string, at: string): number {
  const { startMs, endMs } = createCostWindow("day", timeZone)(Date.parse(at));
  return ((endMs ?? 0) - startMs) / HOUR;
}

/** The local date as the runtime writes it; another way than the one tested. */
function localDate(ms: number, timeZone: string, window: CostWindow): string {
  const date = new Date(ms).toLocaleDateString("sv-SE", { timeZone });
  return window === "day" ? date : date.slice(0, 7);
}

test("a day in the owner's zone begins at his midnight", () => {
  const { startMs, endMs } = createCostWindow("day", "Europe/Berlin")(Date.parse("2026-11-23T12:00:00Z"));
  expect(new Date(startMs).toISOString()).toBe("2026-11-22T23:00:00.000Z");
  expect(new Date(endMs ?? 0).toISOString()).toBe("2026-11-23T23:00:00.000Z");
});

test("the first millisecond of a window belongs to it, the last one before does not", () => {
  const window = createCostWindow("day", "Asia/Kathmandu");
  const { startMs } = window(Date.parse("2026-11-23T12:00:00Z"));
  expect(window(startMs).startMs).toBe(startMs);
  expect(window(startMs - 1).endMs).toBe(startMs);
});

test("a month begins at local midnight of its first day, December ends with the year", () => {
  const { startMs, endMs } = createCostWindow(
    "month",
    "America/New_York",
  )(Date.parse("2026-12-31T23:30:00-05:00"));
  expect(new Date(startMs).toISOString()).toBe("2026-12-01T05:00:00.000Z");
  expect(new Date(endMs ?? 0).toISOString()).toBe("2027-01-01T05:00:00.000Z");
});

test("all time has no end", () => {
  expect(createCostWindow("total", "UTC")(Date.now())).toEqual({ startMs: 0, endMs: null });
});

test("days on which clocks change have 23 or 25 hours, and half an hour where the zone has that", () => {
  expect(hoursOfDay("Europe/Berlin", "2026-03-29T12:00:00Z")).toBe(23);
  expect(hoursOfDay("Europe/Berlin", "2026-10-25T12:00:00Z")).toBe(25);
  expect(hoursOfDay("Europe/Berlin", "2026-10-26T12:00:00Z")).toBe(24);
  expect(hoursOfDay("America/New_York", "2026-03-08T18:00:00Z")).toBe(23);
  expect(hoursOfDay("Australia/Lord_Howe", "2026-04-05T02:00:00Z")).toBe(24.5);
});

test("a day that does not begin at 0:00 begins with its first moment", () => {
  const { startMs } = createCostWindow("day", "America/Havana")(Date.parse("2026-03-08T18:00:00Z"));
  expect(new Date(startMs).toISOString()).toBe("2026-03-08T05:00:00.000Z"); // 0:00 does not exist, 1:00 is the first
});

test("a date that a zone left out has no window, and the days beside it are whole", () => {
  const { startMs, endMs } = createCostWindow("day", "Pacific/Apia")(Date.parse("2011-12-29T22:00:00Z"));
  expect(localDate(startMs, "Pacific/Apia", "day")).toBe("2011-12-29");
  expect(localDate(endMs ?? 0, "Pacific/Apia", "day")).toBe("2011-12-31");
});

test("an unknown zone is refused when the limit is made, not at the first request", () => {
  expect(() => createCostWindow("day", "Mars/Olympus")).toThrow(RangeError);
});

test("in every zone, around clock changes as well, windows meet without gap or overlap and hold one local date", () => {
  const zones = Intl.supportedValuesOf("timeZone");
  // Moments near the known changes of 2026, and anywhere in ten years.
  const changes = ["2026-03-08", "2026-03-29", "2026-04-05", "2026-09-06", "2026-10-25", "2026-11-01"].map(
    (day) => Date.parse(day),
  );
  const moments = fc.oneof(
    fc
      .tuple(fc.constantFrom(...changes), fc.integer({ min: -48 * HOUR, max: 48 * HOUR }))
      .map(([at, off]) => at + off),
    fc.integer({ min: Date.UTC(2022, 0), max: Date.UTC(2032, 0) }),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      moments,
      fc.constantFrom("day" as const, "month" as const),
      (zone, now, unit) => {
        const window = createCostWindow(unit, zone);
        const { startMs, endMs } = window(now);
        if (endMs === null) throw new Error("days and months end");
        expect(startMs).toBeLessThanOrEqual(now);
        expect(endMs).toBeGreaterThan(now);
        const today = localDate(now, zone, unit);
        expect([localDate(startMs, zone, unit), localDate(endMs - 1, zone, unit)]).toEqual([today, today]);
        expect(localDate(startMs - 1, zone, unit)).not.toBe(today);
        expect(localDate(endMs, zone, unit)).not.toBe(today);
        expect(window(endMs).startMs).toBe(endMs);
      },
    ),
    { numRuns: 400 },
  );
});
