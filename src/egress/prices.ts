import { canonicalModel } from "../domain/model-name.ts";
import type { MicroUsd } from "../domain/money.ts";
import type { TokenCounts } from "../domain/usage.ts";

/** The day on which the table below was compared with what Claude Code CLI 2.1.330 charges (`total_cost_usd`). */
const PRICES_AS_OF = "2026-11-23";

/** Micro-USD per million tokens. */
interface Rates {
  readonly input: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly cacheRead: number;
  readonly output: number;
}

interface ModelPrice {
  readonly standard: Rates;
  /** For answers whose usage says `speed: "fast"`. */
  readonly fast?: Rates;
  /** In place of `standard` for a whole request whose prompt, cached parts included, has more tokens than this. */
  readonly longPrompt?: { readonly aboveTokens: number; readonly rates: Rates };
}

const OPUS_4 = { standard: rates(15_000_000, 75_000_000, 1_500_000) };
const OPUS_4_5 = rates(5_000_000, 25_000_000, 500_000);
const OPUS_4_6 = { standard: OPUS_4_5, fast: rates(30_000_000, 150_000_000, 3_000_000) };
const OPUS_4_8 = { standard: OPUS_4_5, fast: rates(10_000_000, 50_000_000, 1_000_000) };
const SONNET_3_AND_4 = { standard: rates(3_000_000, 15_000_000, 300_000) };
const LARGEST_5 = { standard: rates(10_000_000, 50_000_000, 1_000_000) };
const LARGEST_5_1 = { standard: rates(10_000_000, 50_000_000, 250_000) };
const LARGEST_5_2 = {
  standard: rates(8_000_000, 40_000_000, 200_000),
  fast: rates(16_000_000, 80_000_000, 400_000),
};

/** By the name without date and `[1m]`. */
const PRICES: ReadonlyMap<string, ModelPrice> = new Map<string, ModelPrice>([
  ["claude-3-5-haiku", { standard: rates(800_000, 4_000_000, 80_000) }],
  ["claude-haiku-4-5", { standard: rates(1_000_000, 5_000_000, 100_000) }],
  [
    "claude-haiku-5-5",
    {
      standard: rates(100_000, 500_000, 10_000),
      longPrompt: { aboveTokens: 100_000, rates: rates(500_000, 2_500_000, 50_000) },
    },
  ],
  ["claude-3-5-sonnet", SONNET_3_AND_4],
  ["claude-3-7-sonnet", SONNET_3_AND_4],
  ["claude-sonnet-4", SONNET_3_AND_4],
  ["claude-sonnet-4-0", SONNET_3_AND_4],
  ["claude-sonnet-4-5", SONNET_3_AND_4],
  ["claude-sonnet-4-6", SONNET_3_AND_4],
  ["claude-sonnet-5", { standard: rates(2_000_000, 10_000_000, 200_000) }],
  ["claude-sonnet-5-5", { standard: rates(2_000_000, 10_000_000, 100_000) }],
  // The CLI no longer asks for these three and puts its newest in their place; another program in the jail may ask.
  ["claude-opus-4", OPUS_4],
  ["claude-opus-4-0", OPUS_4],
  ["claude-opus-4-1", OPUS_4],
  ["claude-opus-4-5", { standard: OPUS_4_5 }],
  ["claude-opus-4-6", OPUS_4_6],
  ["claude-opus-4-7", OPUS_4_6],
  ["claude-opus-4-8", OPUS_4_8],
  ["claude-opus-5", OPUS_4_8],
  [
    "claude-opus-5-5",
    { standard: rates(4_000_000, 20_000_000, 200_000), fast: rates(8_000_000, 40_000_000, 400_000) },
  ],
  ["claude-fable-5", LARGEST_5],
  ["claude-fable-5-1", LARGEST_5_1],
  ["claude-fable-5-2", LARGEST_5_2],
  ["claude-mythos-5", LARGEST_5],
  ["claude-mythos-5-1", LARGEST_5_1],
  ["claude-mythos-5-2", LARGEST_5_2],
]);

const TOKENS_PER_RATE = 1_000_000;
const WEB_SEARCH_MICRO_USD = 10_000;

/** What one API request is charged for: tokens, and what changes or adds to their price. */
export interface BillableUsage extends TokenCounts {
  /** Searches that the API itself ran for the model. */
  readonly webSearches: number;
  /** The answer's usage says `speed: "fast"`. */
  readonly isFast: boolean;
  /** The answer's usage says `inference_geo: "us"`: tokens cost a tenth more. */
  readonly isUsOnly: boolean;
}

/** Prices of models. */
export interface PriceTable {
  /** The day on which the prices were true, `YYYY-MM-DD`. */
  readonly asOf: string;
  readonly isKnown: (model: string) => boolean;
  /** What a million tokens each way cost, for comparing models; of an unknown one as of the dearest. */
  readonly priceOf: (model: string) => MicroUsd;
  /** Whole micro-USD, rounded up. An unknown model costs as much as the dearest of the table. */
  readonly costOf: (
    model: string,
    usage: BillableUsage,
  ) => { readonly costMicroUsd: MicroUsd; readonly isKnown: boolean };
}

/** The list prices of Anthropic's API as the CLI charges them. */
export function createPriceTable(): PriceTable {
  const dearest = dearestOf([...PRICES.values()]);
  return {
    asOf: PRICES_AS_OF,
    isKnown: (model) => PRICES.has(canonicalModel(model)),
    priceOf: (model) => {
      const { input, output } = (PRICES.get(canonicalModel(model)) ?? dearest).standard;
      return input + output;
    },
    costOf: (model, usage) => {
      const price = PRICES.get(canonicalModel(model));
      const { isFast, isUsOnly, webSearches } = usage;
      const rates = ratesFor(price ?? dearest, usage, isFast);
      const tokens = tokenCost(usage, rates);
      // Whole numbers until the last step: a tenth more is eleven tenths.
      const tokensMicroUsd = isUsOnly ? (tokens * 11) / (TOKENS_PER_RATE * 10) : tokens / TOKENS_PER_RATE;
      return {
        costMicroUsd: Math.ceil(tokensMicroUsd) + webSearches * WEB_SEARCH_MICRO_USD,
        isKnown: price !== undefined,
      };
    },
  };
}

/** Cache writes cost five quarters of the input (kept for 5 minutes) or twice as much (an hour), for every model. */
function rates(input: number, output: number, cacheRead: number): Rates {
  return { input, output, cacheRead, cacheWrite5m: (input * 5) / 4, cacheWrite1h: input * 2 };
}

function ratesFor({ standard, fast, longPrompt }: ModelPrice, usage: TokenCounts, isFast: boolean): Rates {
  if (isFast && fast !== undefined) return fast;
  const { inputTokens, cacheWrite5mTokens, cacheWrite1hTokens, cacheReadTokens } = usage;
  const promptTokens = inputTokens + cacheWrite5mTokens + cacheWrite1hTokens + cacheReadTokens;
  return longPrompt !== undefined && promptTokens > longPrompt.aboveTokens ? longPrompt.rates : standard;
}

function tokenCost(usage: TokenCounts, rates: Rates): number {
  return (
    usage.inputTokens * rates.input +
    usage.cacheWrite5mTokens * rates.cacheWrite5m +
    usage.cacheWrite1hTokens * rates.cacheWrite1h +
    usage.cacheReadTokens * rates.cacheRead +
    usage.outputTokens * rates.output
  );
}

function dearestOf(prices: readonly ModelPrice[]): ModelPrice {
  return {
    standard: maxOf(prices.map(({ standard }) => standard)),
    fast: maxOf(prices.map(({ standard, fast }) => fast ?? standard)),
  };
}

function maxOf(all: readonly Rates[]): Rates {
  return {
    input: Math.max(...all.map(({ input }) => input)),
    cacheWrite5m: Math.max(...all.map(({ cacheWrite5m }) => cacheWrite5m)),
    cacheWrite1h: Math.max(...all.map(({ cacheWrite1h }) => cacheWrite1h)),
    cacheRead: Math.max(...all.map(({ cacheRead }) => cacheRead)),
    output: Math.max(...all.map(({ output }) => output)),
  };
}
