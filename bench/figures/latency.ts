import { setTimeout as sleep } from "node:timers/promises";
import { startEcho, startStandInDaemon } from "../harness/daemon.ts";
import { commitTimes } from "../harness/disk.ts";
import { type Bench, latencyFigures, repeat } from "../harness/figure.ts";
import { pipeTimes } from "../harness/pipe.ts";
import { sendPaced, settled, stdinTimes, warmUp } from "../harness/prompts.ts";
import { createStage, type Stage } from "../harness/stage.ts";

const PEOPLE = 16;
const PACE = { count: 300, gapMs: 100, word: "ping" } as const;
const QUIET_MS = 500;
const NAME = "latency";

/**
 * From an update that becomes available to the prompt on a warm CLI's stdin, against a bare echo: the same update to its
 * answer's arrival. The echo's end is an HTTP call, ours a pipe.
 */
export const latency: Bench = {
  name: NAME,
  measure: async (options) => {
    const runs = await repeat(options, NAME, async () => ({
      ours: await daemonTimes(),
      bare: await echoTimes(),
      disk: await commitTimes(PACE.count),
    }));
    const pipe = await pipeTimes(PACE.count);
    const bare = "bare echo: update → its sendMessage arriving";
    return [
      ...latencyFigures({
        bench: NAME,
        name: "update → Claude's stdin, warm",
        bare,
        runs: runs.map(({ ours, bare: times }) => ({ ours: ours.stdin, bare: times })),
        aims: [
          { of: "difference", atMost: 3 },
          { of: "difference", atMost: 12 },
        ],
      }),
      ...latencyFigures({
        bench: NAME,
        name: "update → first Telegram call arriving",
        bare,
        runs: runs.map(({ ours, bare: times }) => ({ ours: ours.firstSign, bare: times })),
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

async function daemonTimes(): Promise<{ stdin: readonly number[]; firstSign: readonly number[] }> {
  await using stage = await createStage({ people: PEOPLE, env: { CLAUDE_MAX_PROCESSES: String(PEOPLE) } });
  await using _daemon = await startStandInDaemon(stage);
  await warmUp(stage);
  await sleep(QUIET_MS);
  const signs = watchSigns(stage);
  const sent = await sendPaced(stage, PACE);
  await settled(stage);
  const times = stdinTimes(stage);
  return {
    stdin: sent.map(({ text, at }) => (times.get(text) ?? Number.NaN) - at),
    firstSign: sent.map(
      ({ chatId, messageId, at }) => (signs.get(`${chatId}:${messageId}`) ?? Number.NaN) - at,
    ),
  };
}

/** The first call of the bot that is about a person's message: a reaction to it, or a reply. */
function watchSigns({ api }: Stage): ReadonlyMap<string, number> {
  const signs = new Map<string, number>();
  api.on("call", ({ method, payload, at }) => {
    const about =
      method === "setMessageReaction" ? payload.message_id : replyTarget(payload.reply_parameters);
    const key = `${String(payload.chat_id)}:${String(about)}`;
    if (about !== undefined) signs.set(key, Math.min(at, signs.get(key) ?? Number.POSITIVE_INFINITY));
  });
  return signs;
}

function replyTarget(parameters: unknown): unknown {
  const value = typeof parameters === "string" ? JSON.parse(parameters) : parameters;
  return typeof value === "object" && value !== null && "message_id" in value ? value.message_id : undefined;
}

async function echoTimes(): Promise<readonly number[]> {
  await using stage = await createStage({ people: PEOPLE });
  await using _echo = await startEcho(stage);
  const arrivals = new Map<unknown, number>();
  stage.api.on("call", ({ method, payload, at }) => {
    if (method === "sendMessage") arrivals.set(payload.text, at);
  });
  await sendPaced(stage, { ...PACE, count: PEOPLE * 4, gapMs: 60, word: "warm" });
  await sleep(QUIET_MS);
  const sent = await sendPaced(stage, PACE);
  await stage.api.waitFor(() => sent.every(({ text }) => arrivals.has(text)), { what: "all echoes" });
  return sent.map(({ text, at }) => (arrivals.get(text) ?? Number.NaN) - at);
}
