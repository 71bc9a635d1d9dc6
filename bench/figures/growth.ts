import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startStandInDaemon } from "../harness/daemon.ts";
import { type Bench, type BenchOptions, type Figure, repeat } from "../harness/figure.ts";
import { checkAudit, fillHome } from "../harness/fill.ts";
import { sendPaced, settled, stdinLatencies, warmUp } from "../harness/prompts.ts";
import { createStage, type Stage } from "../harness/stage.ts";
import { percentile } from "../harness/statistics.ts";

const NAME = "growth";
const LEVELS = [1_000, 10_000, 100_000, 1_000_000] as const;
const AIM = { of: "ratio", atMost: 1.1 } as const;
/** Few, for each has a process of its own in each of the daemons. */
const PEOPLE = 4;
const PACE = { count: 150, gapMs: 75, word: "ping" } as const;
const QUIET_MS = 500;

/** The chain's latency on a database with that many rows of audit, the other tables in proportion, against an empty one. */
export const growth: Bench = {
  name: NAME,
  measure: async (options) => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "spb-growth-")));
    try {
      return await measureIn(folder, options);
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  },
};

async function measureIn(folder: string, options: BenchOptions): Promise<readonly Figure[]> {
  const homes = LEVELS.map((rows) => ({ rows, home: join(folder, String(rows)) }));
  for (const { rows, home } of homes) {
    options.say(`${NAME}: filling ${rows} rows`);
    fillHome(home, rows);
    if (rows === LEVELS[0]) checkAudit(home, rows);
  }
  const runs = await repeat(options, NAME, (run) =>
    chainTimes([join(folder, `empty-${run}`), ...homes.map(({ home }) => home)]),
  );
  return LEVELS.flatMap((rows, index) =>
    [50, 99].map(
      (percent): Figure => ({
        bench: NAME,
        name: `update → Claude's stdin with ${rows.toLocaleString("en")} rows of audit, p${percent}`,
        unit: "ms",
        bare: "ours, with an empty database",
        runs: runs.map(([empty = [], ...filled]) => ({
          ours: percentile(filled[index] ?? [], percent),
          bare: percentile(empty, percent),
        })),
        ...(percent === 50 ? { aim: AIM } : {}),
      }),
    ),
  );
}

/** Latencies of daemons on those homes, which take turns, text by text. */
async function chainTimes(homes: readonly string[]): Promise<readonly (readonly number[])[]> {
  await using scope = new AsyncDisposableStack();
  const stages: Stage[] = [];
  for (const home of homes) {
    const env = { CLAUDE_MAX_PROCESSES: String(PEOPLE) };
    const stage = scope.use(await createStage({ people: PEOPLE, home, env }));
    scope.use(await startStandInDaemon(stage));
    await warmUp(stage);
    stages.push(stage);
  }
  await sleep(QUIET_MS);
  const sent = await sendPaced(stages, PACE);
  await Promise.all(stages.map(settled));
  return stages.map((stage, index) => stdinLatencies(stage, sent[index] ?? []));
}
