import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { atOfHrtime, steadyNow } from "./clock.ts";
import { readDatabase } from "./database.ts";
import type { Stage } from "./stage.ts";

const WARM_ROUNDS = 4;
const COLD_GAP_MS = 300;
const WARM_GAP_MS = 60;
const SETTLE_MS = 60_000;
const NEVER = Number.POSITIVE_INFINITY;

/** A text on its way: when the emulator was given it, where, and its number in the chat. */
export interface SentText {
  readonly text: string;
  readonly at: number;
  readonly chatId: number;
  readonly messageId: number;
}

/** How texts are sent: `count` of them to each stage, round its chats, one every `gapMs` whatever comes of those before. */
export interface Paced {
  readonly count: number;
  readonly gapMs: number;
  readonly word: string;
}

/**
 * Sends texts at a steady pace, and gives what each stage was sent, in the order of the stages. One that is slow does not
 * hold back the next, so that slowness is not left out of the sample; the stages take turns, text by text, so that what
 * else the machine does meets all of them alike.
 */
export async function sendPaced(
  stages: readonly Stage[],
  { count, gapMs, word }: Paced,
): Promise<readonly (readonly SentText[])[]> {
  const sent = stages.map((): SentText[] => []);
  const startedAt = performance.now();
  for (let turn = 0; turn < count * stages.length; turn += 1) {
    const index = Math.floor(turn / stages.length);
    const stage = stages[turn % stages.length];
    const chat = stage?.chats[index % stage.chats.length];
    if (!chat) throw new Error("A stage without people");
    const text = `${word} ${index}`;
    const at = steadyNow();
    const { messageId } = chat.send(text);
    sent[turn % stages.length]?.push({ text, at, chatId: chat.chatId, messageId });
    await sleep(Math.max(1, startedAt + (turn + 1) * gapMs - performance.now()));
  }
  return sent;
}

/** Gives every chat a warm process, and the daemon's code some rounds to be compiled in. */
export async function warmUp(stage: Stage): Promise<void> {
  for (let round = 0; round < WARM_ROUNDS; round += 1) {
    const gapMs = round === 0 ? COLD_GAP_MS : WARM_GAP_MS;
    await sendPaced([stage], { count: stage.chats.length, gapMs, word: `warm ${round}` });
    await settled(stage);
  }
}

/** Resolves when no work waits or is under way, and all updates are confirmed. */
export async function settled(stage: Stage): Promise<void> {
  using database = readDatabase(stage.home);
  await database.until(
    () => stage.api.pendingUpdates().length === 0 && database.unfinishedWorks() === 0,
    SETTLE_MS,
  );
}

/** Milliseconds from each text to its arrival on the stdin of the stand-in; infinitely many for one that never came there. */
export function stdinLatencies(stage: Stage, sent: readonly SentText[]): readonly number[] {
  const times = stdinTimes(stage);
  return sent.map(({ text, at }) => {
    const arrivedAt = times.get(text) ?? NEVER;
    return arrivedAt >= at ? arrivedAt - at : NEVER; // an earlier one is of another run in this home
  });
}

/** When each prompt reached the stand-in's stdin, by the prompt's text. */
function stdinTimes({ home }: Stage): ReadonlyMap<string, number> {
  const files = readdirSync(join(home, "claude"), { recursive: true, encoding: "utf8" });
  const lines = files
    .filter((file) => file.endsWith("stdin.log"))
    .flatMap((file) =>
      readFileSync(join(home, "claude", file), "utf8")
        .split("\n")
        .filter(Boolean),
    );
  return new Map(
    lines.map((line) => {
      const [at = "0", ...words] = line.split(" ");
      return [words.join(" "), atOfHrtime(BigInt(at))];
    }),
  );
}
