import { setTimeout as delay, setImmediate } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createWatchdog } from "../../src/claude/watchdog.ts";

const MS = 1_000;

afterEach(() => void vi.useRealTimers());

describe("by a faked clock", () => {
  function bench() {
    vi.useFakeTimers();
    const onSilence = vi.fn();
    return { onSilence, watchdog: createWatchdog({ ms: MS, onSilence }) };
  }

  test("silence is declared once, after its time and at most a tenth later", () => {
    const { watchdog, onSilence } = bench();
    vi.advanceTimersByTime(10 * MS);
    expect(onSilence).not.toHaveBeenCalled(); // not touched yet
    watchdog.touch();
    vi.advanceTimersByTime(MS);
    expect(onSilence).not.toHaveBeenCalled();
    vi.advanceTimersByTime(MS / 10);
    expect(onSilence).toHaveBeenCalledTimes(1);
    watchdog.touch();
    vi.advanceTimersByTime(10 * MS);
    expect(onSilence).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("each sign of life begins the time anew, however close to the end it comes", () => {
    const { watchdog, onSilence } = bench();
    for (let count = 0; count < 10; count += 1) {
      watchdog.touch();
      vi.advanceTimersByTime(MS);
    }
    expect(onSilence).not.toHaveBeenCalled();
    vi.advanceTimersByTime(MS / 10);
    expect(onSilence).toHaveBeenCalledTimes(1);
  });

  test("a pause lasts until the next sign of life, and then the whole time is allowed again", () => {
    const { watchdog, onSilence } = bench();
    watchdog.touch();
    vi.advanceTimersByTime(MS - 1);
    watchdog.pause();
    vi.advanceTimersByTime(100 * MS);
    watchdog.touch();
    vi.advanceTimersByTime(MS);
    expect(onSilence).not.toHaveBeenCalled();
    vi.advanceTimersByTime(MS / 10);
    expect(onSilence).toHaveBeenCalledTimes(1);
  });

  test("stopped, it says nothing and leaves no timer", () => {
    const { watchdog, onSilence } = bench();
    watchdog.touch();
    watchdog.stop();
    watchdog.touch();
    vi.advanceTimersByTime(10 * MS);
    expect(onSilence).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("H47: asleep", () => {
  /** Stops this whole process for a while, as a sleep does: no timer, no stream. */
  const sleep = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

  test("a sleep many times longer than the silence that is allowed is no silence", async () => {
    let isSilent = false;
    const watchdog = createWatchdog({ ms: 400, onSilence: () => (isSilent = true) });
    watchdog.touch();
    sleep(2_000);
    await delay(100);
    expect(isSilent).toBe(false);
    await vi.waitFor(() => expect(isSilent).toBe(true), 20_000);
  });

  test("what was written meanwhile is read before silence is declared, even if its time was all but over", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const onSilence = vi.fn();
    const watchdog = createWatchdog({ ms: MS, onSilence });
    watchdog.touch();
    vi.advanceTimersByTime(1.1 * MS); // the last tick, with which the machine wakes
    watchdog.touch(); // the streams are read after the timers
    await setImmediate();
    expect(onSilence).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1.1 * MS);
    await setImmediate();
    expect(onSilence).toHaveBeenCalledTimes(1);
  });
});
