import { assert, constantFrom, integer, property, record } from "fast-check";
import { expect, test } from "vitest";
import { canonicalModel } from "../../src/domain/model-name.ts";
import { type BillableUsage, createPriceTable } from "../../src/egress/prices.ts";

const prices = createPriceTable();
const NOTHING: BillableUsage = {
  inputTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  cacheReadTokens: 0,
  outputTokens: 0,
  webSearches: 0,
  isFast: false,
  isUsOnly: false,
};
const cost = (model: string, usage: Partial<BillableUsage>) =>
  prices.costOf(model, { ...NOTHING, ...usage }).costMicroUsd;

const M = 1_000_000;

test.each([
  ["claude-opus-5-5", [4, 5, 8, 0.2, 20]],
  ["claude-opus-4-5", [5, 6.25, 10, 0.5, 25]],
  ["claude-fable-5-2", [8, 10, 16, 0.2, 40]],
  ["claude-fable-5-1", [10, 12.5, 20, 0.25, 50]],
  ["claude-sonnet-5-5", [2, 2.5, 4, 0.1, 10]],
  ["claude-sonnet-4-6", [3, 3.75, 6, 0.3, 15]],
  ["claude-haiku-4-5", [1, 1.25, 2, 0.1, 5]],
  ["claude-3-5-haiku", [0.8, 1, 1.6, 0.08, 4]],
])("%s costs its dollars per million of input, 5m write, 1h write, read and output", (model, dollars) => {
  const each = [
    cost(model, { inputTokens: M }),
    cost(model, { cacheWrite5mTokens: M }),
    cost(model, { cacheWrite1hTokens: M }),
    cost(model, { cacheReadTokens: M }),
    cost(model, { outputTokens: M }),
  ];
  expect(each).toEqual(dollars.map((usd) => Math.round(usd * M)));
});

test("a prompt of more than 100,000 tokens, cached ones included, costs haiku's long rates in full", () => {
  const model = "claude-haiku-5-5";
  expect(cost(model, { inputTokens: 100_000, outputTokens: 1000 })).toBe(10_000 + 500);
  expect(cost(model, { inputTokens: 100_001, outputTokens: 1000 })).toBe(50_001 + 2500);
  expect(cost(model, { inputTokens: 1, cacheReadTokens: 100_000 })).toBe(5001);
  expect(cost(model, { cacheWrite5mTokens: 100_000, cacheWrite1hTokens: 1 })).toBe(62_501);
  expect(cost("claude-sonnet-5-5[1m]", { inputTokens: 900_000 })).toBe(1_800_000);
});

test("fast answers, US-only inference and web searches cost what the CLI adds for them", () => {
  expect(cost("claude-opus-5-5", { outputTokens: M, isFast: true })).toBe(40 * M);
  expect(cost("claude-opus-4-6", { cacheReadTokens: M, isFast: true })).toBe(3 * M);
  expect(cost("claude-sonnet-5-5", { outputTokens: M, isFast: true })).toBe(10 * M);
  expect(cost("claude-opus-5-5", { inputTokens: M, isUsOnly: true, webSearches: 2 })).toBe(
    4_400_000 + 20_000,
  );
});

test("an unknown model costs as much as the dearest, whichever kind of token, and is said to be unknown", () => {
  expect(prices.costOf("claude-opus-9", { ...NOTHING, inputTokens: M })).toEqual({
    costMicroUsd: 15 * M,
    isKnown: false,
  });
  expect(cost("claude-opus-9", { outputTokens: M })).toBe(75 * M);
  expect(cost("claude-opus-9", { outputTokens: M, isFast: true })).toBe(150 * M);
  expect(prices.costOf("claude-opus-5", NOTHING)).toEqual({ costMicroUsd: 0, isKnown: true });
});

test.each([
  ["claude-opus-5-5", "claude-opus-5-5"],
  ["claude-opus-5-5[1m]", "claude-opus-5-5"],
  ["Claude-Haiku-4-5-20251001", "claude-haiku-4-5"],
  ["claude-opus-4-5-latest", "claude-opus-4-5"],
  ["claude-opus-5-5-fast", "claude-opus-5-5"],
  ["claude-sonnet-4-20250514", "claude-sonnet-4"],
  ["anthropic/claude-sonnet-4-6", "claude-sonnet-4-6"],
  ["us.anthropic.claude-opus-4-5-20251101-v1:0", "claude-opus-4-5"],
  ["claude-3-5-haiku@20241022", "claude-3-5-haiku"],
  ["claude-haiku-5-5-of-mine", "claude-haiku-5-5-of-mine"],
  ["gpt-9", "gpt-9"],
])("the price of %s is looked up as %s", (model, name) => {
  expect(canonicalModel(model)).toBe(name);
});

test("costs are whole, never below the exact sum, and less than a millionth of a dollar above it", () => {
  const tokens = integer({ min: 0, max: 3_000_000 });
  assert(
    property(
      constantFrom("claude-opus-5-5", "claude-haiku-5-5", "claude-fable-5-1", "unheard-of"),
      record({
        inputTokens: tokens,
        cacheWrite5mTokens: tokens,
        cacheWrite1hTokens: tokens,
        cacheReadTokens: tokens,
        outputTokens: tokens,
      }),
      (model, counts) => {
        const usage = { ...NOTHING, ...counts };
        const micro = prices.costOf(model, usage).costMicroUsd;
        // A thousand times everything costs a thousand times as much: rounding is the only difference.
        const many = Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count * 1000]));
        const exactish = prices.costOf(model, { ...usage, ...many }).costMicroUsd / 1000;
        expect(Number.isSafeInteger(micro)).toBe(true);
        const isLong =
          Object.values(counts)
            .slice(0, 4)
            .reduce((a, b) => a + b, 0) > 100_000;
        if (isLong || model !== "claude-haiku-5-5") {
          expect(micro).toBeGreaterThanOrEqual(Math.floor(exactish));
          expect(micro).toBeLessThanOrEqual(Math.ceil(exactish) + 1);
        }
      },
    ),
  );
});
