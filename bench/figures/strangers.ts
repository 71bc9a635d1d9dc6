import { setTimeout as sleep } from "node:timers/promises";
import { startStandInDaemon } from "../harness/daemon.ts";
import { type Bench, latencyFigures, repeat } from "../harness/figure.ts";
import { sendPaced, settled, warmUp } from "../harness/prompts.ts";
import { watchSigns } from "../harness/signs.ts";
import { createStage, type Stage } from "../harness/stage.ts";

const PEOPLE = 16;
/** Blocks with the flood and without take turns, so that what else the machine does meets both alike. */
const BLOCKS = 10;
const PACE = { count: 60, gapMs: 100 } as const;
/** 10,000 in the five blocks that have it. */
const FLOOD = { count: 2_000, people: 100, firstId: 700_001 } as const;
const QUIET_MS = 500;
const NAME = "strangers";
const NEVER = Number.POSITIVE_INFINITY;

/** Milliseconds from a person's update to the first call about it. */
interface Samples {
  readonly flooded: readonly number[];
  readonly quiet: readonly number[];
}

/** What an admitted person notices of a flood of people who are not admitted: the same prompts with it and without. */
export const strangers: Bench = {
  name: NAME,
  measure: async (options) => {
    const runs = await repeat(options, NAME, sample);
    return latencyFigures({
      bench: NAME,
      name: "update → first Telegram call arriving, in a flood of 10,000 updates of strangers",
      bare: "the same daemon without the flood",
      runs: runs.map(({ flooded, quiet }) => ({ ours: flooded, bare: quiet })),
      aims: [{ of: "ratio" }, { of: "ratio", atMost: 1.2 }],
    });
  },
};

async function sample(run: number): Promise<Samples> {
  await using stage = await createStage({ people: PEOPLE, env: { CLAUDE_MAX_PROCESSES: String(PEOPLE) } });
  await using _daemon = await startStandInDaemon(stage);
  const signs = watchSigns(stage);
  await warmUp(stage);

  const flooded: number[] = [];
  const quiet: number[] = [];
  for (let block = 0; block < BLOCKS; block += 1) {
    const isFlooded = (block + run) % 2 === 0;
    await sleep(QUIET_MS);
    const [[sent = []]] = await Promise.all([
      sendPaced([stage], { ...PACE, word: `block ${block}` }),
      isFlooded ? flood(stage) : undefined,
    ]);
    await settled(stage);
    const samples = sent.map(
      ({ chatId, messageId, at }) => (signs.get(`${chatId}:${messageId}`) ?? NEVER) - at,
    );
    (isFlooded ? flooded : quiet).push(...samples);
  }
  return { flooded, quiet };
}

/** Sends a part of the flood evenly over the time that the prompts of a block take. */
async function flood({ api }: Stage): Promise<void> {
  const chats = Array.from({ length: FLOOD.people }, (_, index) =>
    api.user({ id: FLOOD.firstId + index, firstName: "Mallory" }).chat(),
  );
  const startedAt = performance.now();
  const gapMs = (PACE.count * PACE.gapMs) / FLOOD.count;
  for (let index = 0; index < FLOOD.count; index += 1) {
    chats[index % chats.length]?.send(`let me in ${index}`);
    const aheadMs = startedAt + (index + 1) * gapMs - performance.now();
    if (aheadMs > 1) await sleep(aheadMs);
  }
}
