import { expect, test } from "vitest";
import { createModelRules, type ModelChoice } from "../../src/claude/model-rules.ts";
import { createPriceTable } from "../../src/egress/prices.ts";
import { WIRE } from "../support/far-side.ts";

const OFFERED = new Map([
  ["default", "claude-opus-5-5"],
  ["opus", "claude-opus-5-5[1m]"],
  ["sonnet", "claude-sonnet-5-5"],
  ["haiku", "claude-haiku-5-5-20261001"],
]);
const { priceOf } = createPriceTable();
const CHOICE: ModelChoice = {
  model: null,
  fallbackModel: null,
  offered: OFFERED,
  priceOf,
};
const rules = (over: Partial<ModelChoice> = {}) => createModelRules({ ...CHOICE, ...over });
const ask = (model: string, over = {}) => ({ ...WIRE, model, ...over });
const SMALL = { hasTools: false, maxOutputTokens: 999 };

test.each([
  ["the CLI's default, when none is set", rules(), "claude-opus-5-5"],
  ["the chosen one by alias", rules({ model: "Sonnet" }), "claude-sonnet-5-5-20260901"],
  ["the chosen one by name", rules({ model: "claude-fable-5-2" }), "claude-fable-5-2"],
  ["the fallback, when one is set", rules({ fallbackModel: "sonnet" }), "claude-sonnet-5-5"],
])("%s may be used", (_what, { refusalOf }, model) => {
  expect(refusalOf(ask(model))).toBeNull();
});

test.each([
  ["another model", "claude-fable-5-2", {}],
  ["the fallback of others", "claude-sonnet-5-5", {}],
  ["the small one with tools", "claude-haiku-5-5", { hasTools: true, maxOutputTokens: 10 }],
  ["the small one for a long answer", "claude-haiku-5-5", { hasTools: false, maxOutputTokens: 1000 }],
  ["the small one without a limit", "claude-haiku-5-5", { hasTools: false, maxOutputTokens: null }],
  ["a large one for a small request", "claude-fable-5-2", SMALL],
])("H30: %s may not", (_what, model, over) => {
  expect(rules().refusalOf(ask(model, over))).toContain(model);
});

test("the small model may be used for what is small", () => {
  expect(rules().refusalOf(ask("claude-haiku-5-5", SMALL))).toBeNull();
});

test("a model that a subagent call named may be used from then on", () => {
  const { refusalOf, allow } = rules();
  expect(refusalOf(ask("claude-sonnet-5-5"))).not.toBeNull();
  allow("sonnet");
  expect(refusalOf(ask("claude-sonnet-5-5"))).toBeNull();
});

test("a model is dearer by the price table, an unknown one as the dearest", () => {
  const { isDearer } = rules();
  expect(["haiku", "Sonnet", "opus", "claude-opus-5-5"].map(isDearer)).toEqual([false, false, false, false]);
  expect(["claude-fable-5", "claude-novelty-9"].map(isDearer)).toEqual([true, true]);
  expect(rules({ model: "claude-novelty-9" }).isDearer("claude-fable-5")).toBe(false);
});

test("an answer of the fallback is told apart from one of the chosen model", () => {
  const { isFallback } = rules({ fallbackModel: "sonnet" });
  expect([isFallback("claude-sonnet-5-5"), isFallback("claude-opus-5-5")]).toEqual([true, false]);
  expect(rules({ model: "sonnet", fallbackModel: "sonnet" }).isFallback("claude-sonnet-5-5")).toBe(false);
});
