import { expect, test } from "vitest";
import { fuzzPaths } from "../../bench/fuzz/paths.ts";
import { fuzzPrompts } from "../../bench/fuzz/prompts.ts";
import { fuzzUpdates } from "../../bench/fuzz/updates.ts";

/** The rest runs by `node bench/fuzz/fuzz.ts --seconds 600 --seed 1`. */
const OPTIONS = { seed: 20_261_126, cases: 2_000, until: Number.POSITIVE_INFINITY };

test("2,000 generated paths: nothing outside is approved, opened or named, and nothing inside is refused", async () => {
  const { cases, kinds, faults, examples } = await fuzzPaths(OPTIONS);
  expect({ faults, examples }).toEqual({ faults: 0, examples: [] });
  expect(cases).toBe(2_000);
  expect(kinds.approved).toBeGreaterThan(50);
}, 120_000);

test("2,000 generated prompts: plain prose comes through as it is, and of the rest only what cannot be seen is taken", async () => {
  const { cases, kinds, faults, examples } = await fuzzPrompts(OPTIONS);
  expect({ faults, examples }).toEqual({ faults: 0, examples: [] });
  expect(cases).toBe(2_000);
  for (const kind of ["plain", "admitted", "cleaned", "refused"])
    expect(kinds[kind], kind).toBeGreaterThan(50);
}, 120_000);

test("2,000 generated updates: the chain never stumbles, a stranger brings nothing about, and plain prose is never refused", async () => {
  const { cases, kinds, faults, examples } = await fuzzUpdates(OPTIONS);
  expect({ faults, examples }).toEqual({ faults: 0, examples: [] });
  expect(cases).toBe(2_000);
  for (const kind of ["prose", "stranger", "admitted"]) expect(kinds[kind], kind).toBeGreaterThan(100);
}, 120_000);
