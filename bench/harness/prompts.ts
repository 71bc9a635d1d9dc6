import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { atOfHrtime, steadyNow } from "./clock.ts";
import { readDatabase } from "./database.ts";
import type { Stage } from "./stage.ts";

const WARM_ROUNDS = 4;
const SETTLE_MS = 60_000;

/** When each prompt reached the stand-in's stdin, by the prompt's text. */
export function stdinTimes({ home }: Stage): ReadonlyMap<string, number> {
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

/** A text on its way: when the emulator was given it, where, and its number in the chat. */
export interface SentText {
  readonly text: string;
  readonly at: number;
  readonly chatId: number;
  readonly messageId: number;
}

/** How texts are sent: `count` of them, round the chats, one every `gapMs` whatever comes of those before. */
export interface Paced {
  readonly count: number;
  readonly gapMs: number;
  readonly word: string;
}

/** Sends texts at a steady pace: one that is slow does not hold back the next, so that slowness is not left out of the sample. */
export async function sendPaced(
  { chats }: Stage,
  { count, gapMs, word }: Paced,
): Promise<readonly SentText[]> {
  const sent: SentText[] = [];
  const startedAt = performance.now();
  for (let index = 0; index < count; index += 1) {
    const chat = chats[index % chats.length];
    if (!chat) throw new Error("A stage without people");
    const text = `${word} ${index}`;
    const at = steadyNow();
    const { messageId } = chat.send(text);
    sent.push({ text, at, chatId: chat.chatId, messageId });
    await sleep(Math.max(1, startedAt + (index + 1) * gapMs - performance.now()));
  }
  return sent;
}

/** Gives every chat a warm process, and the daemon's code some rounds to be compiled in. */
export async function warmUp(stage: Stage): Promise<void> {
  for (let round = 0; round < WARM_ROUNDS; round += 1) {
    await sendPaced(stage, {
      count: stage.chats.length,
      gapMs: round === 0 ? 300 : 60,
      word: `warm ${round}`,
    });
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
