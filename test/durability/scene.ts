import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { PersonChat } from "../../src/demo/bot-api/person.ts";
import type { ShownMessage } from "../../src/demo/bot-api/types.ts";
import { createStage, type Life, type Stage, USER } from "../support/daemon.ts";
import { queryDaemon } from "../support/daemon-database.ts";
import { sendFile } from "../support/send-file.ts";
import { until } from "../support/until.ts";
import { type Evidence, type SentPrompt, violationsIn } from "./invariants.ts";
import { type Pressed, reactIn } from "./reactions.ts";
import { answerTo, createTalk, type Kind, type Talk } from "./talk.ts";

const ENTRY = join(import.meta.dirname, "daemon.fixture.ts");

/** Daemon, people and model of a durability test, and what is known of them from outside. */
export interface Scene {
  readonly stage: Stage;
  readonly talk: Talk;
  /** The people's private chats, the stage's own first where it is among them. */
  readonly chats: readonly PersonChat[];
  readonly sent: readonly SentPrompt[];
  /** Sends `<tag>: <kind>` with a fresh tag and gives the tag. */
  readonly say: (kind: Kind, chat?: PersonChat) => SentPrompt & { readonly messageId: number };
  /** The same with a file, to the first of the chats. */
  readonly sayWithFile: (kind: Kind) => SentPrompt & { readonly messageId: number };
  /** What is sent in `act` was sent so long ago when it reaches the bot. */
  readonly ago: <T>(ageMs: number, act: () => T) => T;
  readonly pressed: () => readonly Pressed[];
  /** A life that ends itself at that fault point; or one that does not, once it polls. */
  readonly live: (killAt?: string) => Promise<Life>;
  /** Notes what was on its way when a life ended. To be called while none runs. */
  readonly noteDeath: () => readonly number[];
  /** Waits until nothing is left to do: no update, work or message on its way. */
  readonly settle: (timeoutMs?: number) => Promise<void>;
  readonly evidence: () => Evidence;
  readonly violations: () => readonly string[];
  /** Answers that are on the screen more than once. */
  readonly doubled: () => number;
}

export interface SceneOptions {
  readonly wants?: (message: ShownMessage) => readonly string[];
  readonly people?: readonly number[];
  readonly env?: Record<string, string>;
}

/** What people press when a scene does not say otherwise: they allow, answer, and have run again what was cut off. */
const WILLING = ["Allow once", "Yes", "Run it again", "Run", "demo"];

export async function createScene({
  wants = () => WILLING,
  people = [USER],
  env = {},
}: SceneOptions = {}): Promise<Scene> {
  const project = { path: "" };
  const talk = createTalk((tag) => join(project.path, `${tag}.txt`));
  let behindMs = 0;
  const stage = await createStage({
    script: talk.script,
    now: () => Date.now() - behindMs,
    entry: ENTRY,
    waitMs: 60_000, // some of it is for two lives
    env: {
      ALLOWED_USERS: people.join(","),
      RATE_LIMIT_BURST: "10000",
      RATE_LIMIT_REQUESTS: "10000",
      CLAUDE_MAX_COST_PER_USER: "10000",
      TEST_STAND_IN: "1",
      LOG_LEVEL: "info",
      ...env,
    },
  });
  project.path = stage.project;
  const chats = new Map(
    people.map((id) => [id, id === USER ? stage.chat : stage.api.user({ id, firstName: `P${id}` }).chat()]),
  );
  for (const chat of chats.values()) chat.open();
  const presses = [...chats.values()].map((chat) => reactIn(stage.api, chat, wants));
  const sent: SentPrompt[] = [];
  const ambiguous = new Set<number>();

  const rows = (sql: string): readonly unknown[] => queryDaemon(stage.home, sql);

  function isAtRest(): boolean {
    const open = rows(`SELECT
        (SELECT count(*) FROM inbox WHERE state = 'new')
      + (SELECT count(*) FROM work WHERE state IN ('queued', 'preparing', 'running', 'waiting', 'delivering'))
      + (SELECT count(*) FROM outbox WHERE state IN ('queued', 'sending'))
      + (SELECT count(*) FROM quarantine WHERE state IN ('moving', 'accepting'))
      + (SELECT count(*) FROM conversations WHERE held_by IS NOT NULL) AS n`) as readonly {
      readonly n: number;
    }[];
    return open[0]?.n === 0 && stage.api.pendingUpdates().length === 0;
  }

  const evidence = (): Evidence => ({
    home: stage.home,
    api: stage.api,
    sent,
    runs: talk.runs,
    ambiguous,
    reruns: presses.flat().filter(({ label }) => label === "Run it again" || label === "Continue it").length,
  });

  /** Notes what a person sends under a fresh tag. */
  function note(
    kind: Kind,
    chat: PersonChat,
    send: (text: string, tag: string) => { readonly updateId: number; readonly messageId: number },
  ): SentPrompt & { readonly messageId: number } {
    const tag = `m${sent.length + 1}`;
    const prompt = { tag, chatId: chat.chatId, ...send(`${tag}: ${kind}`, tag) };
    sent.push(prompt);
    return prompt;
  }

  return {
    stage,
    talk,
    chats: [...chats.values()],
    sent,
    say: (kind, chat = stage.chat) => note(kind, chat, (text) => chat.send(text)),
    sayWithFile: (kind) =>
      note(kind, stage.chat, (caption, tag) =>
        sendFile(stage, { name: `${tag}.txt`, content: "sent along", caption }),
      ),
    ago: (ageMs, act) => {
      behindMs = ageMs;
      try {
        return act();
      } finally {
        behindMs = 0;
      }
    },
    pressed: () => presses.flat(),
    live: (killAt) =>
      killAt === undefined ? stage.start() : stage.start({ isReady: false, env: { TEST_KILL_AT: killAt } }),
    noteDeath: () => {
      if (!existsSync(join(stage.home, "sallyport.db"))) return []; // killed before it came to anything
      const sending = rows("SELECT id FROM outbox WHERE state = 'sending'") as readonly {
        readonly id: number;
      }[];
      for (const { id } of sending) ambiguous.add(id);
      return sending.map(({ id }) => id);
    },
    settle: async (timeoutMs = 30_000) => {
      // Twice: a press that follows a message may be on its way just then.
      for (let calm = 0; calm < 3; ) {
        await until(isAtRest, "nothing left to do", timeoutMs);
        await delay(60);
        calm = isAtRest() ? calm + 1 : 0;
      }
    },
    evidence,
    violations: () => violationsIn(evidence()),
    doubled: () =>
      sent.filter(({ tag, chatId }) => {
        const texts = stage.api.messages(chatId).map(({ text }) => text);
        return texts.filter((text) => text.includes(answerTo(tag))).length > 1;
      }).length,
  };
}
