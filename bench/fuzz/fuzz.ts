/**
 * `node bench/fuzz/fuzz.ts --seconds 600 --seed 1 [--only paths|prompts|updates]`: as many generated cases as fit into the time, of
 * each kind the same time. Prints JSON with the seed, the counts and what was wrong; ends with 1 when something was.
 */
import { parseArgs } from "node:util";
import { fuzzPaths } from "./paths.ts";
import { fuzzPrompts } from "./prompts.ts";
import type { FuzzOptions, FuzzResult } from "./run.ts";
import { fuzzUpdates } from "./updates.ts";

/** What is run, and how many cases of it are enough. */
const FUZZERS: Readonly<Record<string, readonly [(options: FuzzOptions) => Promise<FuzzResult>, number]>> = {
  paths: [fuzzPaths, 1_000_000],
  prompts: [fuzzPrompts, 200_000],
  updates: [fuzzUpdates, 200_000],
};

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
  },
});
const chosen = Object.entries(FUZZERS).filter(([name]) => values.only === undefined || values.only === name);
const seconds = Number(values.seconds) / chosen.length;
const seed = Number(values.seed);
if (chosen.length === 0 || !(seconds > 0) || !Number.isInteger(seed)) {
  console.error("node bench/fuzz/fuzz.ts [--seconds <n>] [--seed <n>] [--only paths|prompts|updates]");
  process.exit(2);
}
const results: Record<string, FuzzResult & { readonly seconds: number }> = {};
for (const [name, [run, cases]] of chosen) {
  const startedAt = performance.now();
  const result = await run({ seed, cases, until: startedAt + 1_000 * seconds });
  results[name] = { ...result, seconds: Math.round((performance.now() - startedAt) / 1_000) };
}
console.log(JSON.stringify({ seed, results }, null, 1));
process.exit(Object.values(results).some(({ faults }) => faults > 0) ? 1 : 0);
