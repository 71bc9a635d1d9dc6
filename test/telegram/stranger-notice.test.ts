import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLogger } from "../../src/log/logger.ts";
import type { Store } from "../../src/store/store.ts";
import { createStrangerNotice } from "../../src/telegram/stranger-notice.ts";
import { ownersOf } from "../support/people.ts";
import { testStore } from "../support/store.ts";

const HOUR_MS = 3_600_000;
const START = Date.UTC(2026, 10, 23, 12);

beforeEach(() => {
  vi.useFakeTimers({ now: START, toFake: ["setTimeout", "clearTimeout", "Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** The notice of one life, and what the owners are told by it. */
function live(store: Store = testStore(), ids: readonly number[] = [1, 2]) {
  const told: string[] = [];
  const notify = (owner: number, text: string): void => void told.push(`${owner}: ${text}`);
  const log = createLogger({ level: "silent", format: "json", secretValues: [] });
  return {
    store,
    told,
    ...createStrangerNotice({ store, owners: ownersOf(...ids), notify, now: Date.now, log }),
  };
}

test("H19: owners are told of the first stranger at once, and of all others once an hour, by their number", () => {
  const { told, knocked } = live();
  knocked(77, "message");
  const first = "Somebody who is not admitted has written to me (id 77). He stays out.";
  expect(told).toEqual([`1: ${first}`, `2: ${first}`]);
  for (let id = 100; id < 150; id += 1) for (let again = 0; again < 3; again += 1) knocked(id, "message");
  vi.advanceTimersByTime(HOUR_MS - 1);
  expect(told).toHaveLength(2);
  vi.advanceTimersByTime(1);
  expect(told.slice(2)).toEqual(
    [1, 2].map(
      (id) =>
        `${id}: 50 people who are not admitted have written to me 150 times since I last told you. They stay out.`,
    ),
  );
  vi.advanceTimersByTime(5 * HOUR_MS);
  expect(told).toHaveLength(4); // nobody came
  knocked(null, "message");
  expect(told).toHaveLength(6);
});

test("H19: a notice that the store does not take waits for it, ends nothing, and still counts everybody", () => {
  let isFull = true;
  const store = testStore();
  const { told, knocked } = live({
    ...store,
    lightly: (act) => {
      if (isFull) throw new Error("database or disk is full");
      return store.lightly(act);
    },
  });
  knocked(77, "message"); // at once
  vi.advanceTimersByTime(10 * 60_000); // and again, by a timer
  knocked(78, "message");
  expect(told).toEqual([]);
  isFull = false;
  vi.advanceTimersByTime(60_000);
  expect(told).toEqual([1, 2].map((id) => expect.stringContaining(`${id}: 2 people who are not admitted`)));
});

test("a restart does not tell sooner, and a clock that was set back tells no later", () => {
  const first = live();
  first.knocked(77, "message");
  first.close();
  vi.advanceTimersByTime(HOUR_MS / 2);
  const second = live(first.store);
  second.knocked(78, "message");
  expect(second.told).toEqual([]);
  vi.advanceTimersByTime(HOUR_MS / 2);
  expect(second.told).toHaveLength(2);
  second.close();
  vi.setSystemTime(START - 365 * 24 * HOUR_MS);
  const third = live(first.store);
  third.knocked(79, "message");
  expect(third.told).toHaveLength(2);
});

test("a flood is counted and takes no memory for each stranger; where no owner is in, it waits for one", () => {
  const { told, knocked } = live();
  for (let id = 1; id <= 10_000; id += 1) knocked(id, "message");
  vi.advanceTimersByTime(HOUR_MS);
  expect(told.at(-1)).toContain("1000 people or more who are not admitted have written to me 9999 times");
  const alone = live(testStore(), []);
  alone.knocked(5, "message");
  expect(alone.told).toEqual([]);
});

test("owners are told how many of those who knocked tried a token", () => {
  const { told, knocked } = live(testStore(), [1]);
  knocked(77, "login");
  knocked(77, "login");
  knocked(78, "message");
  vi.advanceTimersByTime(HOUR_MS);
  expect(told).toEqual([
    "1: Somebody who is not admitted has tried to log in with a token that is not good (id 77). He stays out.",
    "1: 2 people who are not admitted have written to me 2 times since I last told you. 1 of these were logins with a token that is not good. They stay out.",
  ]);
});
