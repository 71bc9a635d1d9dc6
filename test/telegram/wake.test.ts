import { describe, expect, test } from "vitest";
import { everyMs, watchForWake } from "../../src/telegram/wake.ts";
import { until } from "./poller-bench.ts";

const HOUR = 3_600_000;

/** A detector with clocks and a timer that are turned by hand. */
function bench() {
  const clock = { wall: Date.UTC(2026, 10, 23), steady: 0 };
  const gaps: number[] = [];
  let act: (() => void) | null = null;
  let everyMs = 0;
  const detector = watchForWake({
    now: () => clock.wall,
    tick: () => clock.steady,
    every: (ms, fired) => {
      everyMs = ms;
      act = fired;
      return () => {
        act = null;
      };
    },
    onWake: (gapMs) => gaps.push(gapMs),
  });
  return {
    detector,
    gaps,
    everyMs: () => everyMs,
    isTicking: () => act !== null,
    /** The next tick comes when so much has passed by each clock. */
    tick: (wallMs: number, steadyMs: number) => {
      clock.wall += wallMs;
      clock.steady += steadyMs;
      act?.();
    },
    pass: (wallMs: number, steadyMs: number) => {
      clock.wall += wallMs;
      clock.steady += steadyMs;
    },
  };
}

describe("H47: the wake detector", () => {
  test("ticks every 5 s, and says nothing of ticks in time or a little late, for months", () => {
    const { tick, gaps, everyMs } = bench();
    expect(everyMs()).toBe(5_000);
    for (let count = 0; count < 1_000_000; count += 1)
      tick(5_000 + (count % 10_001), 5_000 + (count % 10_001));
    expect(gaps).toEqual([]);
  });

  test.each([
    ["a sleep in which both clocks went on", 8 * HOUR, 8 * HOUR],
    ["a sleep in which only the wall clock went on", 8 * HOUR, 5_000],
    ["a stop of the process", 20_000, 20_000],
    ["a stop of the process in which the clock was set back", -HOUR, 20_000],
    ["just over 15 s", 15_001, 15_001],
  ])("%s is noticed at the first tick after it, once", (_, wallMs, steadyMs) => {
    const { tick, gaps } = bench();
    tick(5_000, 5_000);
    tick(wallMs, steadyMs);
    tick(5_000, 5_000);
    expect(gaps).toEqual([Math.max(wallMs, steadyMs)]);
  });

  test("a clock that is set forward looks like a sleep, once; one that is set back does not", () => {
    const { tick, gaps } = bench();
    tick(5_000 + 3 * HOUR, 5_000);
    tick(5_000, 5_000);
    tick(5_000 - 3 * HOUR, 5_000);
    tick(5_000, 5_000);
    expect(gaps).toEqual([5_000 + 3 * HOUR]);
  });

  test("asked between two ticks it notices at once, and then not a second time", () => {
    const { detector, tick, pass, gaps } = bench();
    pass(HOUR, 100);
    detector.check();
    detector.check();
    tick(100, 100);
    expect(gaps).toEqual([HOUR]);
  });

  test("stopped, it ticks no more", () => {
    const { detector, isTicking } = bench();
    expect(isTicking()).toBe(true);
    detector.stop();
    expect(isTicking()).toBe(false);
  });
});

test("the machine's own timer ticks until it is stopped, and keeps no process alive", async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  let ticks = 0;
  const stop = everyMs(5, () => {
    ticks += 1;
  });
  expect(timers()).toBe(before);
  await until(() => ticks >= 3);
  stop();
  const at = ticks;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(ticks).toBe(at);
});
