import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fullBucket, putBack, type Rate, refill, rescale, take } from "../../src/security/token-bucket.ts";

const rates = fc.record({
  capacity: fc.integer({ min: 1, max: 50 }),
  refillTokens: fc.integer({ min: 1, max: 200 }),
  windowMs: fc.integer({ min: 1, max: 90_000 }),
});

/** Mostly small steps, now and then a sleep or a clock that was set. */
const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 0, max: 4_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: -10_000_000, max: 10_000_000 }) },
  ),
  { minLength: 1, maxLength: 120 },
);

const TWENTY_A_MINUTE: Rate = { capacity: 10, refillTokens: 20, windowMs: 60_000 };

const one = (nowMs: number) => ({ nowMs, count: 1 });

test("several tokens are taken together or not at all, and the wait is for all of them", () => {
  const full = fullBucket(TWENTY_A_MINUTE, 0);
  const { state, verdict } = take(full, TWENTY_A_MINUTE, { nowMs: 0, count: 8 });
  expect(verdict).toEqual({ kind: "taken" });
  const more = take(state, TWENTY_A_MINUTE, { nowMs: 0, count: 4 });
  expect(more).toEqual({ state, verdict: { kind: "wait", retryAfterMs: 6_000 } });
  expect(take(state, TWENTY_A_MINUTE, { nowMs: 6_000, count: 4 }).verdict).toEqual({ kind: "taken" });
});

test("a full bucket gives its burst at once, and then says how long to wait", () => {
  let state = fullBucket(TWENTY_A_MINUTE, 0);
  for (let n = 0; n < 10; n += 1) {
    const taking = take(state, TWENTY_A_MINUTE, one(0));
    expect(taking.verdict).toEqual({ kind: "taken" });
    state = taking.state;
  }
  expect(take(state, TWENTY_A_MINUTE, one(0)).verdict).toEqual({ kind: "wait", retryAfterMs: 3_000 });
  expect(take(state, TWENTY_A_MINUTE, one(2_999)).verdict).toEqual({ kind: "wait", retryAfterMs: 1 });
  expect(take(state, TWENTY_A_MINUTE, one(3_000)).verdict).toEqual({ kind: "taken" });
});

test("never more than burst + rate x time is taken in any window of time", () => {
  fc.assert(
    fc.property(rates, steps, (rate, moves) => {
      let now = 1_800_000_000_000;
      let state = fullBucket(rate, now);
      // For every window that begins at some take: what it may still admit, in parts of a token.
      let open: number[] = [];
      for (const move of moves.map(Math.abs)) {
        now += move;
        open = open.map((left) => left + move * rate.refillTokens);
        open.push(rate.capacity * rate.windowMs);
        for (let tries = 0; tries < 3; tries += 1) {
          const taking = take(state, rate, one(now));
          state = taking.state;
          if (taking.verdict.kind === "wait") break;
          open = open.map((left) => left - rate.windowMs);
        }
        expect(Math.min(...open)).toBeGreaterThanOrEqual(0);
      }
    }),
    { numRuns: 300 },
  );
});

test("waiting exactly as long as it said always suffices, and a millisecond less never does", () => {
  fc.assert(
    fc.property(rates, steps, (rate, moves) => {
      let now = 1_800_000_000_000;
      let state = fullBucket(rate, now);
      for (const move of moves) {
        now += move;
        const taking = take(state, rate, one(now));
        state = taking.state;
        if (taking.verdict.kind === "taken") continue;
        const { retryAfterMs } = taking.verdict;
        expect(retryAfterMs).toBeGreaterThan(0);
        expect(take(state, rate, one(now + retryAfterMs)).verdict.kind).toBe("taken");
        expect(take(state, rate, one(now + retryAfterMs - 1)).verdict.kind).toBe("wait");
      }
    }),
  );
});

test("a bucket never holds more than its burst, nor parts of parts", () => {
  fc.assert(
    fc.property(rates, fc.nat(), fc.nat(200_000), (rate, level, elapsedMs) => {
      const full = rate.capacity * rate.windowMs;
      const state = refill({ level: level % (full + 1), updatedAtMs: 0 }, rate, elapsedMs);
      expect(state.level).toBeLessThanOrEqual(full);
      expect(Number.isSafeInteger(state.level)).toBe(true);
    }),
  );
  expect(refill({ level: 1, updatedAtMs: 0 }, { capacity: 1, refillTokens: 7, windowMs: 10 }, 2).level).toBe(
    10,
  );
});

test("looking at a bucket in between changes nothing: refilling is exact, not rounded at each look", () => {
  fc.assert(
    fc.property(rates, fc.array(fc.nat(5_000), { maxLength: 50 }), (rate, moves) => {
      const start = { level: 0, updatedAtMs: 0 };
      let now = 0;
      let often = start;
      for (const move of moves) {
        now += move;
        often = refill(often, rate, now);
      }
      expect(often).toEqual(refill(start, rate, now));
    }),
  );
});

test("a clock that jumps back neither gives nor takes tokens, and counting goes on from there", () => {
  const state = { level: 5 * 60_000, updatedAtMs: 1_000_000 };
  const back = refill(state, TWENTY_A_MINUTE, 0);
  expect(back).toEqual({ level: 5 * 60_000, updatedAtMs: 0 });
  expect(refill(back, TWENTY_A_MINUTE, 3_000).level).toBe(6 * 60_000);
});

test("a clock that jumps forward fills the bucket and no more", () => {
  const state = { level: 0, updatedAtMs: 0 };
  expect(refill(state, TWENTY_A_MINUTE, 1e15)).toEqual({ level: 10 * 60_000, updatedAtMs: 1e15 });
  expect(refill(state, TWENTY_A_MINUTE, 29_999).level).toBe(29_999 * 20);
  expect(refill(state, TWENTY_A_MINUTE, 30_000).level).toBe(10 * 60_000);
});

test("a token put back is there again, and never above the burst", () => {
  const full = fullBucket(TWENTY_A_MINUTE, 0);
  expect(putBack(full, TWENTY_A_MINUTE, 1)).toEqual(full);
  expect(putBack(take(full, TWENTY_A_MINUTE, { nowMs: 0, count: 3 }).state, TWENTY_A_MINUTE, 3)).toEqual(
    full,
  );
});

test("a bucket counted in another window keeps its share of tokens, and never above today's burst", () => {
  const five = { level: 5 * 60_000, updatedAtMs: 3 };
  const hourly: Rate = { capacity: 10, refillTokens: 20, windowMs: 3_600_000 };
  expect(rescale(five, hourly, 60_000)).toEqual({ level: 5 * 3_600_000, updatedAtMs: 3 });
  expect(rescale(five, { ...hourly, capacity: 2 }, 60_000).level).toBe(2 * 3_600_000);
  expect(refill(fullBucket(TWENTY_A_MINUTE, 0), { ...TWENTY_A_MINUTE, capacity: 2 }, 0).level).toBe(
    2 * 60_000,
  );
});
