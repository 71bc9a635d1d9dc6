import { afterEach, beforeEach, expect, test } from "vitest";
import { reply } from "../../src/demo/messages-api/scripts.ts";
import { createMessagesApi, type MessagesApi } from "../../src/demo/messages-api/server.ts";
import type { BlocksReply } from "../../src/demo/messages-api/types.ts";
import { type BillableUsage, createPriceTable } from "../../src/egress/prices.ts";
import { createClaudeHome, type Line } from "./run-claude.ts";

let home: Awaited<ReturnType<typeof createClaudeHome>>;
let api: MessagesApi;
let next: BlocksReply;

beforeEach(async () => {
  home = await createClaudeHome();
  api = createMessagesApi({ script: () => next });
});
afterEach(async () => {
  await home.dispose();
  await api.close();
});

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

/** One kind of token at a time, then a mixture, then what else changes the price. */
const USAGES: readonly Partial<BillableUsage>[] = [
  { inputTokens: 90_000 },
  { cacheWrite5mTokens: 90_000 },
  { cacheWrite1hTokens: 90_000 },
  { cacheReadTokens: 90_000 },
  { outputTokens: 90_000 },
  { inputTokens: 1, outputTokens: 2, cacheReadTokens: 30_001, cacheWrite5mTokens: 7, cacheWrite1hTokens: 11 },
  { inputTokens: 100_000, outputTokens: 10 },
  { inputTokens: 1, cacheReadTokens: 100_000, outputTokens: 10 },
  { inputTokens: 1000, outputTokens: 1000, isFast: true },
  { inputTokens: 1000, outputTokens: 1000, isUsOnly: true },
  { inputTokens: 1000, webSearches: 3 },
];

test.each([["claude-opus-5-5"], ["claude-sonnet-5-5[1m]"], ["claude-haiku-5-5"]])(
  "the table charges for %s what the CLI charges",
  async (model) => {
    const prices = createPriceTable();
    const claude = home.start({ ANTHROPIC_BASE_URL: await api.listen(), ANTHROPIC_API_KEY: "x" }, [
      `--model=${model}`,
    ]);
    for (const given of USAGES) {
      const usage = { ...NOTHING, ...given };
      next = {
        ...reply("ok"),
        usage,
        extraUsage: {
          ...(usage.isFast ? { speed: "fast" } : {}),
          ...(usage.isUsOnly ? { inference_geo: "us" } : {}),
          ...(usage.webSearches > 0 ? { server_tool_use: { web_search_requests: usage.webSearches } } : {}),
        },
      };
      const result = await claude.turn("go");
      const charged: Line[] = Object.values(result.model_usage_since_last_result);
      expect(charged).toHaveLength(1);
      expect(charged[0].costBasis).toBe("list");
      const theirs = charged[0].costUSD * 1_000_000;
      const { costMicroUsd, isKnown } = prices.costOf(model, usage);
      expect(isKnown).toBe(true);
      expect(costMicroUsd, JSON.stringify(given)).toBeGreaterThanOrEqual(theirs - 0.001);
      expect(costMicroUsd, JSON.stringify(given)).toBeLessThan(theirs + 1);
    }
  },
);

test("every model that the CLI offers has a price, the one that its description names", async () => {
  const prices = createPriceTable();
  const claude = home.start({ ANTHROPIC_BASE_URL: await api.listen(), ANTHROPIC_API_KEY: "x" });
  claude.send({ type: "control_request", request_id: "list", request: { subtype: "list_models" } });
  const { response } = await claude.next(({ type }) => type === "control_response");
  const models: Line[] = response.response.models;
  expect(models.length).toBeGreaterThan(3);
  for (const { resolvedModel, description } of models) {
    expect(prices.isKnown(resolvedModel)).toBe(true);
    const [, input, output] = /\$([\d.]+)\/\$([\d.]+) per Mtok/.exec(description) ?? [];
    const each = { inputTokens: 1000, outputTokens: 0 };
    expect(prices.costOf(resolvedModel, { ...NOTHING, ...each }).costMicroUsd).toBe(Number(input) * 1000);
    expect(prices.costOf(resolvedModel, { ...NOTHING, outputTokens: 1000 }).costMicroUsd).toBe(
      Number(output) * 1000,
    );
  }
});
