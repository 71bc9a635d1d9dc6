import { setTimeout as sleep } from "node:timers/promises";
import { reply } from "../../src/demo/messages-api/scripts.ts";
import { createMessagesApi } from "../../src/demo/messages-api/server.ts";
import type { ModelScript } from "../../src/demo/messages-api/types.ts";
import { isFinalText } from "../harness/answers.ts";
import { startBareCli } from "../harness/bare-cli.ts";
import type { Child } from "../harness/child.ts";
import { steadyNow } from "../harness/clock.ts";
import { startDaemon } from "../harness/daemon.ts";
import { type Bench, type Figure, repeat } from "../harness/figure.ts";
import { settled } from "../harness/prompts.ts";
import { createStage, type Stage } from "../harness/stage.ts";
import { median } from "../harness/statistics.ts";

const NAME = "turn";
const COLD = 2;
const WARM_AFTER_EACH = 5;
const PAUSE_MS = 1_500;
const DEADLINE_MS = 30_000;

/** Milliseconds from the beginning of a turn. */
interface TurnTimes {
  /** The first call that the person sees; null for the bare CLI. */
  readonly sign: number | null;
  /** The CLI asks the model, which answers at once: the first delta is under way. */
  readonly asked: number;
  /** The whole answer. */
  readonly final: number;
}

interface Turns {
  readonly cold: readonly TurnTimes[];
  readonly warm: readonly TurnTimes[];
}

/** Turns of the real CLI from update to answer, warm and cold, against the same CLI driven bare. */
export const turn: Bench = {
  name: NAME,
  measure: async (options) => {
    const runs = await repeat(options, NAME, async () => ({
      ours: await daemonTurns(),
      bare: await bareTurns(),
    }));
    const figures = (kind: keyof Turns, bareStart: string): readonly Figure[] => {
      const of = (turns: Turns, part: keyof TurnTimes) => turns[kind].flatMap((times) => times[part] ?? []);
      const pairs = (part: keyof TurnTimes) =>
        runs.map(({ ours, bare }) => ({
          ours: median(of(ours, part)),
          bare: part === "sign" ? null : median(of(bare, part)),
        }));
      const head = { bench: NAME, unit: "ms" } as const;
      return [
        { ...head, name: `${kind}: update → first sign, median`, bare: null, runs: pairs("sign") },
        {
          ...head,
          name: `${kind}: update → the CLI asks the model, median`,
          bare: `bare CLI: ${bareStart} → it asks`,
          runs: pairs("asked"),
        },
        {
          ...head,
          name: `${kind}: update → final answer, median`,
          bare: `bare CLI: ${bareStart} → its result`,
          runs: pairs("final"),
        },
      ];
    };
    const warmAgainstCold: Figure = {
      bench: NAME,
      name: "warm first delta against a cold one, median",
      unit: "ms",
      bare: "ours, cold",
      runs: runs.map(({ ours }) => ({
        ours: median(ours.warm.map(({ asked }) => asked)),
        bare: median(ours.cold.map(({ asked }) => asked)),
      })),
      aim: { of: "ratio", atMost: 0.25 },
    };
    return [
      ...figures("warm", "prompt written"),
      ...figures("cold", "spawn, prompt written at once"),
      warmAgainstCold,
    ];
  },
};

/** A model that notes when it is asked and says one short line. */
function notingModel() {
  let askedAt = Number.NaN;
  const script: ModelScript = ({ isAuxiliary }) => {
    if (!isAuxiliary) askedAt = steadyNow();
    return reply("Short.");
  };
  return { script, askedAt: () => askedAt };
}

async function daemonTurns(): Promise<Turns> {
  const model = notingModel();
  await using stage = await createStage({ script: model.script });
  await using daemon = await startDaemon(stage);
  const chat = stage.chats[0];
  if (!chat) throw new Error("A stage without people");

  const once = async (text: string): Promise<TurnTimes> => {
    let sign = Number.POSITIVE_INFINITY;
    const final = Promise.withResolvers<number>();
    const off = stage.api.on("call", ({ method, payload, at: arrivedAt }) => {
      if (method !== "getUpdates") sign = Math.min(sign, arrivedAt);
      if (isFinalText(payload.text)) final.resolve(arrivedAt);
    });
    const at = steadyNow();
    chat.send(text);
    const deadline = sleep(DEADLINE_MS, null, { ref: false });
    const finalAt = await Promise.race([daemon.alive(final.promise), deadline]);
    off();
    if (finalAt === null) throw new Error(`No answer in ${DEADLINE_MS} ms:\n${await daemon.output()}`);
    await settled(stage);
    await sleep(PAUSE_MS);
    return { sign: sign - at, asked: model.askedAt() - at, final: finalAt - at };
  };

  await once("the first turn ever, which does not count");
  const cold: TurnTimes[] = [];
  const warm: TurnTimes[] = [];
  for (let round = 0; round < COLD; round += 1) {
    await endProcess(stage, daemon);
    cold.push(await once("a cold turn"));
    for (let index = 0; index < WARM_AFTER_EACH; index += 1) warm.push(await once("a warm turn"));
  }
  return { cold, warm };
}

/** /new, and until the CLI of the conversation has ended: the next turn starts a new one. */
async function endProcess({ chats }: Stage, daemon: Child): Promise<void> {
  const count = async (): Promise<number> => (await daemon.output()).split('"claude.exited"').length;
  const before = await count();
  chats[0]?.send("/new");
  for (const deadline = performance.now() + DEADLINE_MS; (await count()) === before; ) {
    if (performance.now() > deadline) throw new Error("The CLI of the conversation does not end");
    await sleep(50);
  }
  await sleep(PAUSE_MS);
}

async function bareTurns(): Promise<Turns> {
  const model = notingModel();
  const api = createMessagesApi({ script: model.script, now: steadyNow });
  const url = await api.listen();
  const cold: TurnTimes[] = [];
  const warm: TurnTimes[] = [];
  for (let round = 0; round <= COLD; round += 1) {
    await using cli = await startBareCli(url);
    const first = await cli.turn("a cold turn");
    const { startedAt } = cli;
    const asked = model.askedAt() - startedAt;
    if (round > 0) cold.push({ sign: null, asked, final: first.resultAt - startedAt }); // the very first reads from the disk
    for (let index = 0; index < WARM_AFTER_EACH; index += 1) {
      await sleep(PAUSE_MS);
      const { writtenAt, resultAt } = await cli.turn("a warm turn");
      if (round > 0)
        warm.push({ sign: null, asked: model.askedAt() - writtenAt, final: resultAt - writtenAt });
    }
  }
  await api.close();
  return { cold, warm };
}
