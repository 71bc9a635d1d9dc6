import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Now } from "../../src/domain/clock.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { tempDir } from "./temp.ts";

/** A clock that stands until it is turned. */
export function testClock(start = Date.UTC(2026, 10, 23, 12)): Now & { readonly turn: (ms: number) => void } {
  let at = start;
  return Object.assign(() => at, {
    turn: (ms: number) => {
      at += ms;
    },
  });
}

/** A store on a real file of its own, closed when the test has finished. */
export function testStore(now: Now = testClock()): Store {
  const store = openStore(join(tempDir(), "test.db"), now);
  onTestFinished(() => store[Symbol.dispose]());
  return store;
}
