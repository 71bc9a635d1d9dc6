import type { PersonChat } from "../../src/demo/bot-api/person.ts";
import { reply } from "../../src/demo/messages-api/scripts.ts";
import { type LoopDelay, openChannel } from "../harness/channel.ts";
import type { Child } from "../harness/child.ts";
import { startStandInDaemon } from "../harness/daemon.ts";
import { readDatabase } from "../harness/database.ts";
import type { Bench, BenchOptions, Figure } from "../harness/figure.ts";
import { usageOf } from "../harness/processes.ts";
import { settled, warmUp } from "../harness/prompts.ts";
import { createStage, type Stage } from "../harness/stage.ts";
import { median } from "../harness/statistics.ts";

const NAME = "soak";
const UPDATES = { long: 100_000, short: 2_000 } as const;
/**
 * A round: ten prompts, two looks, and else edits that change nothing, spread over the people. These go through the whole
 * chain and are not answered: Telegram's pace for answers would make the soak one of the emulator's patience.
 */
const ROUND = 50;
const PROMPT_EVERY = 5;
const LOOK_EVERY = 25;
/** Every so many rounds a conversation begins a new session, which ends its process. */
const NEW_SESSION_EVERY = 40;
const PEOPLE = 24;
/** Rows of the outbox that may wait: Telegram's pace must not become a backlog that the daemon's memory is blamed for. */
const MAX_UNSENT = 200;
const ROUND_MS = 120_000;
/** The whole soak ends by then, whatever it has reached. */
const LIMIT_MS = { long: 4 * 3_600_000, short: 10 * 60_000 } as const;
const ANSWER = "A line of an answer that streams. ".repeat(8);

/** Many updates and turns on one daemon: does its memory grow, does its event loop stall. Long only with `--long`. */
export const soak: Bench = {
  name: NAME,
  measure: async (options) => {
    const size = options.isLong ? "long" : "short";
    const script = () => reply(ANSWER, { chunkSize: 32 });
    await using stage = await createStage({
      people: PEOPLE,
      script,
      env: { CLAUDE_MAX_PROCESSES: String(PEOPLE) },
    });
    await using daemon = await startStandInDaemon(stage);
    const channel = openChannel(daemon);
    await warmUp(stage);
    await channel.watchLoop();
    const rssMb = await soakRounds({ stage, daemon, options, size });
    const delay = await channel.loopDelay();
    return figuresOf(rssMb, delay, UPDATES[size]);
  },
};

interface Soak {
  readonly stage: Stage;
  readonly daemon: Child;
  readonly options: BenchOptions;
  readonly size: keyof typeof UPDATES;
}

/** Resident memory after each round. */
async function soakRounds({ stage, daemon, options, size }: Soak): Promise<readonly number[]> {
  using database = readDatabase(stage.home);
  const startedAt = performance.now();
  const rounds = UPDATES[size] / ROUND;
  const sendRound = createRounds(stage);
  const samples: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    if (performance.now() - startedAt > LIMIT_MS[size])
      throw new Error(`The soak came to round ${round} of ${rounds} in its time`);
    const firstId = sendRound(round);
    const isDone = (): boolean => database.handled(firstId) >= ROUND && database.unsent() <= MAX_UNSENT;
    await daemon.alive(database.until(isDone, ROUND_MS));
    if (round % NEW_SESSION_EVERY === 0) await daemon.alive(settled(stage));
    samples.push(usageOf(daemon.pid).rssMb);
    if (round % 100 === 0)
      options.say(`${NAME}: round ${round} of ${rounds}, ${Math.round(samples.at(-1) ?? 0)} MB`);
  }
  await daemon.alive(settled(stage));
  return samples;
}

/** Gives the function that sends the updates of a round at once; it gives the id of the first. */
function createRounds({ chats }: Stage): (round: number) => number {
  const prompts = new Map<PersonChat, { readonly messageId: number; readonly text: string }>();

  const act = (chat: PersonChat, round: number, index: number): number => {
    const isNew = round % NEW_SESSION_EVERY === 0 && index === 1;
    const text = `ask ${round}`;
    if (index % PROMPT_EVERY === 0) {
      const { messageId, updateId } = chat.send(text);
      prompts.set(chat, { messageId, text });
      return updateId;
    }
    const last = prompts.get(chat);
    if (index % LOOK_EVERY === 1 || last === undefined) return chat.send(isNew ? "/new" : "/status").updateId;
    return chat.edit(last.messageId, last.text).updateId;
  };

  return (round) => {
    const ids = Array.from({ length: ROUND }, (_, index) => {
      const chat = chats[(round * ROUND + index) % chats.length];
      if (!chat) throw new Error("A stage without people");
      return act(chat, round, index);
    });
    return Math.min(...ids);
  };
}

function figuresOf(rssMb: readonly number[], delay: LoopDelay, updates: number): readonly Figure[] {
  const tenth = Math.max(1, Math.floor(rssMb.length / 10));
  const head = { bench: NAME, unit: "ms", bare: null } as const;
  const one = (ours: number) => [{ ours, bare: null }];
  const what = `${updates.toLocaleString("en")} updates, ${(updates / PROMPT_EVERY).toLocaleString("en")} turns`;
  return [
    {
      bench: NAME,
      name: `resident memory, last tenth of ${what}`,
      unit: "MB",
      bare: "ours, first tenth",
      runs: [{ ours: median(rssMb.slice(-tenth)), bare: median(rssMb.slice(0, tenth)) }],
      aim: { of: "ratio", atMost: 1.1 },
    },
    { ...head, name: "event loop delay, p99", runs: one(delay.p99) },
    { ...head, name: "event loop delay, p99.9", runs: one(delay.p999) },
    { ...head, name: "event loop delay, longest", runs: one(delay.max), aim: { of: "ours", atMost: 50 } },
  ];
}
