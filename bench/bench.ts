/**
 * `npm run bench`: measures the built program against bare baselines, and prints a Markdown table against the aims. See
 * README.md beside this file for how to read it.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { calls } from "./figures/calls.ts";
import { growth } from "./figures/growth.ts";
import { idle } from "./figures/idle.ts";
import { jail } from "./figures/jail.ts";
import { latency } from "./figures/latency.ts";
import { redaction } from "./figures/redaction.ts";
import { soak } from "./figures/soak.ts";
import { start } from "./figures/start.ts";
import { strangers } from "./figures/strangers.ts";
import { throughput } from "./figures/throughput.ts";
import { turn } from "./figures/turn.ts";
import type { Bench, Figure } from "./harness/figure.ts";
import { describeMachine, nameMachine } from "./harness/machine.ts";
import { markdownTable } from "./harness/table.ts";
import { profileHotPath } from "./profile.ts";

const BENCHES: readonly Bench[] = [
  latency,
  strangers,
  throughput,
  turn,
  calls,
  redaction,
  start,
  jail,
  idle,
  growth,
  soak,
];
const MAX_RUNS = 100;
const USAGE = `npm run bench -- [--only <${BENCHES.map(({ name }) => name).join("|")}>]... [--runs <1-${MAX_RUNS}>] [--long] [--json <file>] [--profile]`;

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    runs: { type: "string", default: "5" },
    json: { type: "string" },
    long: { type: "boolean", default: false },
    profile: { type: "boolean", default: false },
  },
});
const runs = Number(values.runs);
const unknown = values.only.filter((wanted) => !BENCHES.some(({ name }) => name === wanted));
if (unknown.length > 0 || !Number.isInteger(runs) || runs < 1 || runs > MAX_RUNS) {
  console.error(USAGE);
  process.exit(2);
}

const machine = nameMachine();
console.log(`${describeMachine(machine)}\n`);
if (values.profile) console.log(await profileHotPath());
else await measure();

/** Runs what was chosen, one after the other. What was measured before a bench failed is still told. */
async function measure(): Promise<void> {
  const chosen = BENCHES.filter(({ name }) => values.only.length === 0 || values.only.includes(name));
  const figures: Figure[] = [];
  const options = { runs, isLong: values.long, say: (line: string) => console.error(line) };
  try {
    for (const bench of chosen) figures.push(...(await bench.measure(options)));
  } finally {
    console.log(markdownTable(figures));
    if (values.json !== undefined)
      writeFileSync(values.json, `${JSON.stringify({ machine, figures }, null, 1)}\n`);
  }
}
