import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createLimitCost } from "../../src/security/limit-cost.ts";
import { handClock, request, requestOf } from "./requests.ts";

interface Turn {
  readonly userId: number;
  readonly at: number;
  readonly cost: number;
}

const noon = Date.UTC(2026, 10, 23, 12);
const midnight = Date.UTC(2026, 10, 24);

function moneyWith(
  turns: readonly Turn[],
  {
    reserved = 0,
    limit = 1_000,
    nowMs = noon,
    grants = [],
  }: {
    reserved?: number;
    limit?: number | null;
    nowMs?: number;
    grants?: readonly { readonly at: number; readonly amount: number }[];
  } = {},
) {
  const clock = handClock(nowMs);
  const cost = createLimitCost({
    limitMicroUsd: () => limit,
    spentSince: (userId, sinceMs) =>
      turns
        .filter((turn) => turn.userId === userId && turn.at >= sinceMs)
        .reduce((sum, turn) => sum + turn.cost, 0),
    grantedSince: (_, sinceMs) =>
      grants.filter(({ at }) => at >= sinceMs).reduce((sum, { amount }) => sum + amount, 0),
    reserved: () => reserved,
    isEquivalent: false,
    window: "day",
    now: clock.now,
    timeZone: () => "UTC",
  });
  return { cost, clock };
}

test("work is admitted while anything is unspent, and refused from the last millionth on", () => {
  const asked = request();
  expect(moneyWith([{ userId: 7, at: noon, cost: 999 }]).cost.gate(asked)).toEqual({
    kind: "admit",
    request: asked,
  });
  for (const cost of [1_000, 1_001])
    expect(moneyWith([{ userId: 7, at: noon, cost }]).cost.gate(request())).toEqual({
      kind: "spent",
      spentMicroUsd: cost,
      limitMicroUsd: 1_000,
      returnsAt: midnight,
      isEquivalent: false,
    });
});

test("looking and control pass with an empty purse", () => {
  const { cost } = moneyWith([{ userId: 7, at: noon, cost: 5_000 }]);
  expect(cost.gate(request({ kind: "look" })).kind).toBe("admit");
  expect(cost.gate(request({ kind: "control" })).kind).toBe("admit");
});

test("each person has a budget of his own, and null is no budget", () => {
  const turns = [{ userId: 7, at: noon, cost: 5_000 }];
  expect(moneyWith(turns).cost.gate(requestOf(8)).kind).toBe("admit");
  const { cost } = moneyWith(turns, { limit: null, reserved: 9_000 });
  expect(cost.gate(request()).kind).toBe("admit");
  expect(cost.reserve(7, 400)).toEqual({ kind: "ok", reservedMicroUsd: 400 });
});

test("H10: what counts is the stored true cost, so a limiter made anew after a restart refuses as before", () => {
  const turns: Turn[] = [];
  expect(moneyWith(turns).cost.gate(request()).kind).toBe("admit");
  turns.push({ userId: 7, at: noon, cost: 1_000 }); // a stopped turn is settled like any other
  expect(moneyWith(turns).cost.gate(request()).kind).toBe("spent");
});

test("the budget is there again with the next window", () => {
  const { cost, clock } = moneyWith([{ userId: 7, at: noon, cost: 1_000 }]);
  clock.ms = midnight - 1;
  expect(cost.gate(request()).kind).toBe("spent");
  clock.ms = midnight;
  expect(cost.gate(request()).kind).toBe("admit");
});

test("what was spent is that of the window, with a budget or without", () => {
  const turns = [
    { userId: 7, at: noon, cost: 300 },
    { userId: 7, at: midnight - 86_400_001, cost: 50 },
    { userId: 8, at: noon, cost: 7 },
  ];
  const facts = { spentMicroUsd: 300, window: "day", returnsAt: midnight, isEquivalent: false };
  expect(moneyWith(turns).cost.spending(7)).toEqual({ ...facts, limitMicroUsd: 1_000 });
  expect(moneyWith(turns, { limit: null }).cost.spending(7)).toEqual({ ...facts, limitMicroUsd: null });
});

test("a reservation is the smaller of the cap and what is neither spent nor reserved", () => {
  const turns = [{ userId: 7, at: noon, cost: 300 }];
  expect(moneyWith(turns).cost.reserve(7, 500)).toEqual({ kind: "ok", reservedMicroUsd: 500 });
  expect(moneyWith(turns, { reserved: 400 }).cost.reserve(7, 500)).toEqual({
    kind: "ok",
    reservedMicroUsd: 300,
  });
});

test("a budget below the cap still works", () => {
  expect(moneyWith([]).cost.reserve(7, 5_000_000)).toEqual({ kind: "ok", reservedMicroUsd: 1_000 });
});

test("nothing left unreserved is a wait for the running turn, nothing unspent a refusal", () => {
  const turns = [{ userId: 7, at: noon, cost: 300 }];
  for (const reserved of [700, 800])
    expect(moneyWith(turns, { reserved }).cost.reserve(7, 500)).toEqual({ kind: "busy" });
  const spent = {
    kind: "spent",
    spentMicroUsd: 1_000,
    limitMicroUsd: 1_000,
    returnsAt: midnight,
    isEquivalent: false,
  };
  expect(moneyWith([{ userId: 7, at: noon, cost: 1_000 }], { reserved: 500 }).cost.reserve(7, 500)).toEqual(
    spent,
  );
});

test("what an owner granted counts in the window in which he granted it, and in no other", () => {
  const turns = [{ userId: 7, at: noon, cost: 1_000 }];
  const grants = [
    { at: noon, amount: 200 },
    { at: midnight - 86_400_001, amount: 5_000 },
  ];
  const { cost } = moneyWith(turns, { grants });
  expect(cost.spending(7)).toMatchObject({ spentMicroUsd: 1_000, limitMicroUsd: 1_200 });
  expect(cost.gate(request()).kind).toBe("admit");
  expect(cost.reserve(7, 500)).toEqual({ kind: "ok", reservedMicroUsd: 200 });
  expect(moneyWith(turns, { grants, limit: null }).cost.spending(7).limitMicroUsd).toBeNull();
});

test("a budget of nothing refuses, it is not the same as none", () => {
  expect(moneyWith([], { limit: 0 }).cost.gate(request()).kind).toBe("spent");
});

test("a request without a person is refused, though another gate should have done it", () => {
  expect(moneyWith([]).cost.gate(request({ principal: null }))).toMatchObject({
    kind: "deny",
    reason: "no_person",
  });
});

test("however turns reserve, settle and fail, spent plus reserved never exceeds the budget", () => {
  const acts = fc.array(
    fc.record({
      cap: fc.integer({ min: 1, max: 900 }),
      settles: fc.boolean(),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(acts, fc.nat(3_000), (all, limit) => {
      const running: number[] = [];
      let spent = 0;
      const cost = createLimitCost({
        limitMicroUsd: () => limit,
        spentSince: () => spent,
        grantedSince: () => 0,
        isEquivalent: false,
        reserved: () => running.reduce((sum, one) => sum + one, 0),
        window: "total",
        now: () => noon,
        timeZone: () => "UTC",
      });
      for (const { cap, settles, part } of all) {
        const wish = cost.reserve(7, cap);
        if (wish.kind === "ok") {
          expect(wish.reservedMicroUsd).toBeGreaterThan(0);
          expect(wish.reservedMicroUsd).toBeLessThanOrEqual(cap);
          running.push(wish.reservedMicroUsd);
        }
        const sum = spent + running.reduce((total, one) => total + one, 0);
        expect(sum).toBeLessThanOrEqual(limit);
        if (wish.kind === "busy") expect(running.length).toBeGreaterThan(0);
        if (wish.kind === "spent") expect(spent).toBeGreaterThanOrEqual(limit);
        if (settles) spent += Math.floor((running.shift() ?? 0) * part);
      }
    }),
  );
});
