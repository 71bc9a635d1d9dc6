import { setTimeout as sleep } from "node:timers/promises";
import { startEcho, startStandInDaemon } from "../harness/daemon.ts";
import { commitTimes } from "../harness/disk.ts";
import { type Bench, latencyFigures, repeat } from "../harness/figure.ts";
import { pipeTimes } from "../harness/pipe.ts";
import { sendPaced, settled, stdinLatencies, warmUp } from "../harness/prompts.ts";
import { watchSigns } from "../harness/signs.ts";
import { createStage, type Stage } from "../harness/stage.ts";

const PEOPLE = 16;
const PACE = { count: 300, gapMs: 75, word: "ping" } as const;
const QUIET_MS = 500;
const NAME = "latency";
const NEVER = Number.POSITIVE_INFINITY;

/** Milliseconds, a sample a text. */
interface Samples {
  /** From the update to the stdin of a warm CLI. */
  readonly stdin: readonly number[];
  /** From the update to the first call to Telegram about it. */
  readonly firstSign: readonly number[];
  /** From the update to the echo's answer. */
  readonly echo: readonly number[];
  /** A durable commit of the disk's, in the same minute. */
  readonly disk: readonly number[];
}

/**
 * From an update that becomes available to the prompt on a warm CLI's stdin, against a bare echo: an update to its answer's
 * arrival. The echo's end is an HTTP call, ours a pipe. Daemon and echo take turns, text by text.
 */
export const latency: Bench = {
  name: NAME,
  measure: async (options) => {
    const runs = await repeat(options, NAME, sample);
    const pipe = await pipeTimes(PACE.count);
    const bare = "bare echo: update → its sendMessage arriving";
    const against = (of: "stdin" | "firstSign") => runs.map((run) => ({ ours: run[of], bare: run.echo }));
    return [
      ...latencyFigures({
        bench: NAME,
        name: "update → Claude's stdin, warm",
        bare,
        runs: against("stdin"),
        aims: [
          { of: "difference", atMost: 3 },
          { of: "difference", atMost: 12 },
        ],
      }),
      ...latencyFigures({
        bench: NAME,
        name: "update → first Telegram call arriving",
        bare,
        runs: against("firstSign"),
      }),
      ...latencyFigures({
        bench: NAME,
        name: "of which: a line through a pipe to the stand-in",
        bare: null,
        runs: [{ ours: pipe, bare: null }],
      }),
      ...latencyFigures({
        bench: NAME,
        name: "of which: each durable commit, as the disk takes it",
        bare: null,
        runs: runs.map(({ disk }) => ({ ours: disk, bare: null })),
      }),
    ];
  },
};

async function sample(): Promise<Samples> {
  await using stage = await createStage({ people: PEOPLE, env: { CLAUDE_MAX_PROCESSES: String(PEOPLE) } });
  await using echoStage = await createStage({ people: PEOPLE });
  await using _daemon = await startStandInDaemon(stage);
  await using _echo = await startEcho(echoStage);
  const signs = watchSigns(stage);
  const echoes = watchEchoes(echoStage);
  await warmUp(stage);
  await sendPaced([echoStage], { count: PEOPLE * 4, gapMs: 60, word: "warm" });
  await sleep(QUIET_MS);
  const [sent = [], sentToEcho = []] = await sendPaced([stage, echoStage], PACE);
  await settled(stage);
  await echoStage.api.waitFor(() => sentToEcho.every(({ text }) => echoes.has(text)), { what: "all echoes" });
  return {
    stdin: stdinLatencies(stage, sent),
    firstSign: sent.map(({ chatId, messageId, at }) => (signs.get(`${chatId}:${messageId}`) ?? NEVER) - at),
    echo: sentToEcho.map(({ text, at }) => (echoes.get(text) ?? NEVER) - at),
    disk: await commitTimes(PACE.count),
  };
}

/** When each text came back. */
function watchEchoes({ api }: Stage): ReadonlyMap<unknown, number> {
  const echoes = new Map<unknown, number>();
  api.on("call", ({ method, payload, at }) => {
    if (method === "sendMessage") echoes.set(payload.text, at);
  });
  return echoes;
}
