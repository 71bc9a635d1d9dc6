import { setTimeout as sleep } from "node:timers/promises";
import { reply } from "../../src/demo/messages-api/scripts.ts";
import type { ModelScript } from "../../src/demo/messages-api/types.ts";
import { isFinal } from "../harness/answers.ts";
import { startDaemon } from "../harness/daemon.ts";
import { type Bench, type Figure, repeat } from "../harness/figure.ts";
import { createStage, type Stage } from "../harness/stage.ts";

const NAME = "calls";
/** What still belongs to an answer after it has come. */
const AFTER_MS = 2_000;
const ANSWER_MS = 60_000;
const BARE = 1;

const STREAMED = {
  text: "Ten seconds of words. ".repeat(100),
  pace: { chunkSize: 22, delayMs: 100 },
} as const;

const SCRIPT: ModelScript = ({ isAuxiliary, lastUserText }) =>
  isAuxiliary || !lastUserText.includes("long") ? reply("Short.") : reply(STREAMED.text, STREAMED.pace);

/** Telegram calls that one answer of the real CLI takes, polls left out; a bare echo takes one. */
export const calls: Bench = {
  name: NAME,
  measure: async (options) => {
    const runs = await repeat(options, NAME, async () => {
      await using stage = await createStage({ script: SCRIPT });
      await using _daemon = await startDaemon(stage);
      await callsFor(stage, "warm up");
      return {
        "a short answer": await callsFor(stage, "a short one"),
        "an answer streamed for 10 s": await callsFor(stage, "a long one"),
      };
    });
    return (["a short answer", "an answer streamed for 10 s"] as const).flatMap((what) =>
      figuresOf(
        what,
        runs.map((run) => run[what]),
      ),
    );
  },
};

/** The calls, by method, that the bot makes for one text. */
async function callsFor({ api, chats }: Stage, text: string): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const off = api.on("call", ({ method }) => {
    if (method !== "getUpdates") counts.set(method, (counts.get(method) ?? 0) + 1);
  });
  const chatId = chats[0]?.chatId ?? 0;
  const before = api.messages(chatId).length;
  chats[0]?.send(text);
  await api.waitFor(() => api.messages(chatId).slice(before).some(isFinal), {
    what: "an answer",
    timeoutMs: ANSWER_MS,
  });
  await sleep(AFTER_MS);
  off();
  return counts;
}

function figuresOf(what: string, runs: readonly ReadonlyMap<string, number>[]): readonly Figure[] {
  const head = { bench: NAME, unit: "calls" } as const;
  const total: Figure = {
    ...head,
    name: `calls for ${what}`,
    bare: "bare echo: one sendMessage",
    runs: runs.map((run) => ({ ours: [...run.values()].reduce((sum, count) => sum + count, 0), bare: BARE })),
  };
  const methods = new Set(runs.flatMap((run) => [...run.keys()]));
  const each = [...methods].map(
    (method): Figure => ({
      ...head,
      name: `of which ${method}`,
      bare: null,
      runs: runs.map((run) => ({ ours: run.get(method) ?? 0, bare: null })),
    }),
  );
  return [total, ...each];
}
