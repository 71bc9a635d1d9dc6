import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startStandInDaemon } from "../harness/daemon.ts";
import { type Bench, type BenchOptions, type Figure, repeat } from "../harness/figure.ts";
import { checkAudit, fillHome } from "../harness/fill.ts";
import { makeHome } from "../harness/home.ts";
import { sendPaced, settled, stdinLatencies, warmUp } from "../harness/prompts.ts";
import { createStage, firstPoll, type Stage } from "../harness/stage.ts";
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
  const runs = await repeat(options, NAME, (run) => {
    const empty = join(folder, `empty-${run}`);
    makeHome(empty);
    return measureHomes([empty, ...homes.map(({ home }) => home)]);
  });
  return LEVELS.flatMap((rows, index): readonly Figure[] => {
    const bare = "ours, with an empty database";
    const head = { bench: NAME, unit: "ms", bare } as const;
    const what = `with ${rows.toLocaleString("en")} rows of audit`;
    const chain = [50, 99].map((percent) => ({
      ...head,
      name: `update → Claude's stdin ${what}, p${percent}`,
      runs: runs.map(([empty, ...filled]) => ({
        ours: percentile(filled[index]?.chain ?? [], percent),
        bare: percentile(empty?.chain ?? [], percent),
      })),
      ...(percent === 50 ? { aim: AIM } : {}),
    }));
    const starts = runs.map(([empty, ...filled]) => ({
      ours: filled[index]?.startMs ?? Number.NaN,
      bare: empty?.startMs ?? Number.NaN,
    }));
    return [...chain, { ...head, name: `spawn → first getUpdates ${what}`, runs: starts }];
  });
}

/** How a daemon did on one home. */
interface OnHome {
  readonly chain: readonly number[];
  readonly startMs: number;
}

/** Daemons on those homes, which are started one after the other, and then take turns, text by text. */
async function measureHomes(homes: readonly string[]): Promise<readonly OnHome[]> {
  await using scope = new AsyncDisposableStack();
  const stages: Stage[] = [];
  const startMs: number[] = [];
  for (const home of homes) {
    const env = { CLAUDE_MAX_PROCESSES: String(PEOPLE) };
    const stage = scope.use(await createStage({ people: PEOPLE, home, env }));
    const { startedAt } = scope.use(await startStandInDaemon(stage));
    startMs.push((await firstPoll(stage, startedAt)) - startedAt);
    await warmUp(stage);
    stages.push(stage);
  }
  await sleep(QUIET_MS);
  const sent = await sendPaced(stages, PACE);
  await Promise.all(stages.map(settled));
  return stages.map((stage, index) => ({
    chain: stdinLatencies(stage, sent[index] ?? []),
    startMs: startMs[index] ?? Number.NaN,
  }));
}
