import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startStandInDaemon } from "../harness/daemon.ts";
import { type Bench, type BenchOptions, type Figure, repeat } from "../harness/figure.ts";
import { checkAudit, fillHome } from "../harness/fill.ts";
import { sendPaced, settled, stdinTimes, warmUp } from "../harness/prompts.ts";
import { createStage } from "../harness/stage.ts";
import { percentile } from "../harness/statistics.ts";

const NAME = "growth";
const LEVELS = [1_000, 10_000, 100_000, 1_000_000] as const;
const AIM = { of: "ratio", atMost: 1.1 } as const;
const PEOPLE = 8;
const PACE = { count: 150, gapMs: 100, word: "ping" } as const;
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
  const runs = await repeat(options, NAME, async (run) => {
    const empty = await chainTimes(join(folder, `empty-${run}`));
    const filled = new Map<number, readonly number[]>();
    for (const { rows, home } of homes) filled.set(rows, await chainTimes(home));
    return { empty, filled };
  });
  return LEVELS.flatMap((rows) =>
    [50, 99].map(
      (percent): Figure => ({
        bench: NAME,
        name: `update → Claude's stdin with ${rows.toLocaleString("en")} rows of audit, p${percent}`,
        unit: "ms",
        bare: "ours, with an empty database",
        runs: runs.map(({ empty, filled }) => ({
          ours: percentile(filled.get(rows) ?? [], percent),
          bare: percentile(empty, percent),
        })),
        ...(percent === 50 ? { aim: AIM } : {}),
      }),
    ),
  );
}

async function chainTimes(home: string): Promise<readonly number[]> {
  await using stage = await createStage({
    people: PEOPLE,
    home,
    env: { CLAUDE_MAX_PROCESSES: String(PEOPLE) },
  });
  await using _daemon = await startStandInDaemon(stage);
  await warmUp(stage);
  await sleep(QUIET_MS);
  const sent = await sendPaced(stage, PACE);
  await settled(stage);
  const times = stdinTimes(stage);
  return sent.map(({ text, at }) => (times.get(text) ?? Number.NaN) - at);
}
