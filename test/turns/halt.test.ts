import { expect, onTestFinished, test, vi } from "vitest";
import { testClock, testStore } from "../support/store.ts";
import { STALE_AFTER_MS, turnsBench } from "../support/turns.ts";

/** Turns that can be locked, in any number of lives on one store. */
function haltBench() {
  const now = testClock();
  const store = testStore(now);
  let isLocked = false;
  const live = () => {
    const bench = turnsBench({ store, now, isLocked: () => isLocked });
    return {
      ...bench,
      lock: () =>
        store.transaction(() => {
          isLocked = true;
          return bench.turns.halt();
        }),
    };
  };
  return {
    now,
    store,
    live,
    /** As another process does: nobody is told. */
    unlock: () => {
      isLocked = false;
    },
  };
}

const idle = () => new Promise((resolve) => setTimeout(resolve, 50));

test("a halt ends the turns of all conversations and the warm processes; what waits is kept and does not begin", async () => {
  const { store, live } = haltBench();
  const bench = live();
  const works = [bench.submit("a"), bench.submit("c", 8), bench.submit("b")];
  const turns = [await bench.asked(), await bench.asked()];
  const { ended, waiting } = bench.lock();
  expect(ended.map(({ text }) => text)).toEqual(["a", "c"]);
  expect(waiting.map(({ text }) => text)).toEqual(["b"]);
  expect(turns.map(({ signal }) => signal.aborted)).toEqual([true, true]);
  expect(bench.shown).toContain("all warm processes end");
  await bench.until(() => bench.reports.length === 2);
  await idle();
  expect(works.map(({ id }) => store.work.get(id)?.state)).toEqual(["stopped", "stopped", "queued"]);
});

test("what was asked for while it is locked waits and says so", async () => {
  const { store, live } = haltBench();
  const bench = live();
  bench.lock();
  const work = bench.submit("a");
  expect(bench.shown.at(-1)).toBe("accepted a ahead=0 held=no locked");
  await idle();
  expect(store.work.get(work.id)?.state).toBe("queued");
});

test("the opening is noticed within two seconds, told, and the queues go on", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const { live, unlock } = haltBench();
  const bench = live();
  bench.lock();
  bench.submit("a");
  unlock();
  vi.advanceTimersByTime(2_000);
  expect((await bench.asked()).prompt).toBe("a");
  expect(bench.shown.filter((line) => line === "unlocked")).toHaveLength(1);
});

test("a lock outlives the daemon: nothing begins at the start, and the opening is noticed all the same", async () => {
  const { store, live, unlock } = haltBench();
  const before = live();
  before.lock();
  const work = before.submit("a");
  await before.turns.close();
  const after = live();
  after.turns.start();
  await idle();
  expect(store.work.get(work.id)?.state).toBe("queued");
  unlock();
  expect((await after.asked()).prompt).toBe("a");
});

test("what became too old while it was locked is offered when it is opened, not run", async () => {
  const { now, store, live, unlock } = haltBench();
  const bench = live();
  bench.lock();
  const old = bench.submit("old");
  now.turn(STALE_AFTER_MS);
  bench.submit("new");
  now.turn(1);
  unlock();
  expect((await bench.asked()).prompt).toBe("new");
  expect(store.work.get(old.id)?.state).toBe("offered");
});

test("a turn that a halt ended is not offered as cut off, even when the daemon is killed in that moment", async () => {
  const { store, live } = haltBench();
  const before = live();
  const work = before.submit("a");
  await before.asked();
  store.transaction(() => before.turns.halt()); // and no lock is watched: the kill comes first
  const after = turnsBench({ store });
  after.turns.start();
  expect(store.work.get(work.id)?.state).toBe("stopped");
  expect(after.shown.filter((line) => line.startsWith("interrupted"))).toEqual([]);
});

test("a store that fails while the opening is looked at is asked again", async () => {
  const { store, live, unlock } = haltBench();
  const bench = live();
  bench.lock();
  bench.submit("a");
  const { due } = store.offered;
  let failures = 0;
  Object.assign(store.offered, {
    due: () => {
      failures += 1;
      throw new Error("database is locked");
    },
  });
  unlock();
  await bench.until(() => failures > 0);
  Object.assign(store.offered, { due });
  expect((await bench.asked()).prompt).toBe("a");
  expect(failures).toBeGreaterThan(0);
});
