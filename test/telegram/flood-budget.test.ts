import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFloodBudget } from "../../src/telegram/flood-budget.ts";

const PRIVATE = [1, 2, 3] as const;
const GROUP = -5;
/** Calls take longer than this, so that nobody feels it: the doubt between two clocks. */
const AT_ONCE_MS = 5;
const CHATS = [...PRIVATE, GROUP, ...Array.from({ length: 40 }, (_, at) => 100 + at)];

interface MadeCall {
  readonly chatId: number;
  readonly beganAt: number;
  /** When it comes to Telegram: any time between its begin and its end. */
  readonly arrivedAt: number;
}

/** People and daemons that call whenever they may, as the steps say; each chat makes one call at a time. */
function simulate(steps: readonly Step[]) {
  let ms = 10_000;
  const budget = createFloodBudget(() => ms);
  const calls: MadeCall[] = [];
  const running = new Map<number, { readonly endsAt: number; readonly ended: () => void }>();

  function turnTo(at: number): void {
    const due = [...running].filter(([, { endsAt }]) => endsAt <= at);
    for (const [chatId, { endsAt, ended }] of due.toSorted((a, b) => a[1].endsAt - b[1].endsAt)) {
      ms = endsAt;
      ended();
      running.delete(chatId);
    }
    ms = at;
  }
  const readyAt = (chatId: number, claim: "any" | "spare"): number =>
    Math.max(budget.chatReadyAt(chatId, claim), budget.overallReadyAt(claim));

  for (const { waitMs, chat, durationMs, arrival, claim } of steps) {
    const chatId = CHATS[chat] ?? 1;
    turnTo(waitMs === "until ready" ? Math.max(ms, readyAt(chatId, claim)) : ms + waitMs);
    if (running.has(chatId) || readyAt(chatId, claim) > ms) continue;
    running.set(chatId, { endsAt: ms + durationMs, ended: budget.begin(chatId) });
    calls.push({ chatId, beganAt: ms, arrivedAt: ms + arrival * durationMs });
  }
  return { calls, readyAt, turnTo, now: () => ms };
}

interface Step {
  readonly waitMs: number | "until ready";
  readonly chat: number;
  readonly durationMs: number;
  readonly arrival: number;
  readonly claim: "any" | "spare";
}

const stepsOf = ({ chats, maxDurationMs }: { chats: readonly number[]; maxDurationMs: number }) =>
  fc.array(
    fc.record({
      // Whoever calls as soon as he may is the worst.
      waitMs: fc.oneof(
        { weight: 6, arbitrary: fc.constant("until ready" as const) },
        { weight: 6, arbitrary: fc.integer({ min: 0, max: 3 }) },
        { weight: 3, arbitrary: fc.integer({ min: 0, max: 1_200 }) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 4_000 }) },
      ),
      chat: fc.constantFrom(...chats.map((chatId) => CHATS.indexOf(chatId))),
      durationMs: fc.integer({ min: 0, max: maxDurationMs }),
      arrival: fc.constantFrom(0, 0.5, 1),
      claim: fc.constantFrom("any" as const, "any" as const, "spare" as const),
    }),
    { minLength: 1, maxLength: 400, size: "max" },
  );

/** The shortest time in which `count` of the times lie. */
function closest(times: readonly number[], count: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  const spans = sorted.slice(count - 1).map((last, index) => last - (sorted[index] ?? 0));
  return Math.min(...spans, Number.POSITIVE_INFINITY);
}

const arrivalsIn = (calls: readonly MadeCall[], chatId: number): readonly number[] =>
  calls.filter((call) => call.chatId === chatId).map(({ arrivedAt }) => arrivedAt);

describe("whenever people call, and however long a call takes", () => {
  test("H65: no chat gets more than 3 + t calls in any t seconds, wherever in a call it arrives", () => {
    let most = 0;
    fc.assert(
      fc.property(stepsOf({ chats: [1, 2, GROUP], maxDurationMs: 1_500 }), (steps) => {
        const { calls } = simulate(steps);
        for (const chatId of [1, 2, GROUP]) {
          const arrivals = arrivalsIn(calls, chatId);
          most = Math.max(most, arrivals.length);
          for (let count = 4; count <= arrivals.length; count += 1)
            expect(closest(arrivals, count)).toBeGreaterThan((count - 3) * 1_000);
        }
      }),
      { numRuns: 150 },
    );
    expect(most).toBeGreaterThan(20); // else nothing was tried
  });

  test("H65: no group gets more than 20 calls in any minute", () => {
    let most = 0;
    fc.assert(
      fc.property(stepsOf({ chats: [GROUP], maxDurationMs: 300 }), (steps) => {
        const arrivals = arrivalsIn(simulate(steps).calls, GROUP);
        most = Math.max(most, arrivals.length);
        expect(closest(arrivals, 21)).toBeGreaterThan(60_000);
      }),
      { numRuns: 150 },
    );
    expect(most).toBeGreaterThan(40);
  });

  test("H65: all chats together get no more than 25 calls in any second", () => {
    let most = 0;
    fc.assert(
      fc.property(stepsOf({ chats: CHATS, maxDurationMs: 900 }), (steps) => {
        const { calls } = simulate(steps);
        most = Math.max(most, calls.length);
        expect(
          closest(
            calls.map(({ beganAt }) => beganAt),
            26,
          ),
        ).toBeGreaterThan(1_000);
        expect(
          closest(
            calls.map(({ arrivedAt }) => arrivedAt),
            26,
          ),
        ).toBeGreaterThan(1_000);
      }),
      { numRuns: 150 },
    );
    expect(most).toBeGreaterThan(100);
  });

  test("nothing starves: whoever waits as long as he is told may go, and no wait is longer than its measure", () => {
    fc.assert(
      fc.property(stepsOf({ chats: CHATS, maxDurationMs: 2_000 }), (steps) => {
        const { readyAt, turnTo, now } = simulate(steps);
        turnTo(now() + 2_000); // what ran has ended
        for (const claim of ["any", "spare"] as const) {
          for (const chatId of CHATS) {
            const waitMs = readyAt(chatId, claim) - now();
            expect(waitMs).toBeLessThanOrEqual(chatId < 0 ? 60_005 : 3_005);
            turnTo(Math.max(now(), readyAt(chatId, claim)));
            expect(readyAt(chatId, claim)).toBeLessThanOrEqual(now());
          }
        }
      }),
      { numRuns: 150 },
    );
  });
});

/** Calls of no length, so that the plain figures show. */
function createBench() {
  let ms = 0;
  const budget = createFloodBudget(() => ms);
  const waitOf = (chatId: number, claim: "any" | "spare" = "any"): number =>
    Math.max(0, budget.chatReadyAt(chatId, claim) - ms, budget.overallReadyAt(claim) - ms);
  return {
    waitOf,
    call: (chatId: number, count = 1) => {
      for (let made = 0; made < count; made += 1) budget.begin(chatId)();
    },
    begin: budget.begin,
    turn: (by: number) => {
      ms += by;
    },
  };
}

test("a quiet chat takes a burst of three at once, then one a second", () => {
  const bench = createBench();
  for (let sent = 0; sent < 3; sent += 1) {
    expect(bench.waitOf(1)).toBeLessThanOrEqual(AT_ONCE_MS);
    bench.call(1);
  }
  expect(bench.waitOf(1)).toBeGreaterThan(1_000);
  expect(bench.waitOf(1)).toBeLessThan(1_010);
  expect(bench.waitOf(2)).toBe(0);
  bench.turn(1_010);
  expect(bench.waitOf(1)).toBe(0);
});

test("H65: progress never takes a chat's last token", () => {
  const bench = createBench();
  bench.call(1);
  expect(bench.waitOf(1, "spare")).toBeLessThanOrEqual(AT_ONCE_MS);
  bench.call(1);
  expect(bench.waitOf(1, "spare")).toBeGreaterThan(900);
  expect(bench.waitOf(1)).toBeLessThanOrEqual(AT_ONCE_MS);
});

test("H65: of a group's minute progress takes half at most, of everybody's second all but five", () => {
  const group = createBench();
  for (let sent = 0; sent < 10; sent += 1) {
    expect(group.waitOf(GROUP, "spare")).toBe(0);
    group.call(GROUP);
    group.turn(2_010);
  }
  expect(group.waitOf(GROUP, "spare")).toBeGreaterThan(30_000);
  expect(group.waitOf(GROUP)).toBe(0);

  const all = createBench();
  for (let chatId = 1; chatId <= 20; chatId += 1) {
    expect(all.waitOf(chatId, "spare")).toBe(0);
    all.call(chatId);
  }
  expect(all.waitOf(21, "spare")).toBeGreaterThan(900);
  for (let chatId = 21; chatId <= 25; chatId += 1) {
    expect(all.waitOf(chatId)).toBe(0);
    all.call(chatId);
  }
  expect(all.waitOf(26)).toBeGreaterThan(900);
});

test("a call that hangs holds its own chat's measure, and of the others' only a second", () => {
  const bench = createBench();
  const ends = Array.from({ length: 25 }, (_, at) => bench.begin(at + 1));
  expect(bench.waitOf(99)).toBeGreaterThan(900);
  bench.turn(1_010);
  expect(bench.waitOf(99)).toBe(0);
  bench.turn(30_000);
  for (const ended of ends) ended();
  expect(bench.waitOf(99)).toBeGreaterThan(900); // they may have arrived just now
});
