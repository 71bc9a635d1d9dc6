import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Config } from "../../src/config/config.ts";
import type { BotApi } from "../../src/demo/bot-api/api.ts";
import { createBotApi } from "../../src/demo/bot-api/bot-api.ts";
import type { PersonChat } from "../../src/demo/bot-api/person.ts";
import type { ShownMessage } from "../../src/demo/bot-api/types.ts";
import { createLogger } from "../../src/log/logger.ts";
import { createSecretFinder, redactShapes } from "../../src/log/redact.ts";
import { createSecurity, type Security } from "../../src/security/security.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { openTelegram } from "../../src/telegram/door.ts";
import { tempDir } from "./temp.ts";
import { STALE_AFTER_MS, type TurnsBench, turnsBench } from "./turns.ts";

const TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
/** The owner, a second one, and one more whom they admit. */
const [OWNER, PARTNER, GUEST] = [7, 9, 8];

/** One life of the door, with turns of a scripted Claude behind it. */
export interface DoorLife extends Pick<TurnsBench, "turns" | "asked" | "until"> {
  readonly security: Security;
  /** Ends it as a daemon that is told to end. */
  readonly end: () => Promise<void>;
}

/** A person's chat, and what he reads in it. */
export interface DoorChat extends PersonChat {
  readonly texts: () => readonly string[];
  /** The newest message of the bot that holds the text; waits for it. */
  readonly reads: (text: string) => Promise<ShownMessage>;
  /** Presses the newest key of that label and gives what pops up. */
  readonly presses: (label: string) => Promise<string>;
  /** Sends a message that was sent so long ago when it reaches the bot. */
  readonly sentBefore: (ageMs: number, text: string) => ReturnType<PersonChat["send"]>;
}

export interface DoorBench {
  readonly api: BotApi;
  readonly store: Store;
  readonly path: string;
  readonly owner: DoorChat;
  readonly partner: DoorChat;
  readonly guest: DoorChat;
  /** The chat of anybody else. */
  readonly chatOf: (userId: number) => DoorChat;
  readonly live: () => DoorLife;
  /** How far the machine's clock goes ahead of Telegram's. */
  readonly setLocalAhead: (ms: number) => void;
}

interface DoorOptions {
  readonly access?: Partial<Config["access"]>;
  readonly limits?: Partial<Config["limits"]>;
  /** Where tokens are taken. */
  readonly tokenSecret?: string;
}

/** Telegram's whole side of the program, on a Bot API over HTTP and a database on disk, with both clocks in hand. */
export async function createDoorBench({
  access = {},
  limits = {},
  tokenSecret,
}: DoorOptions = {}): Promise<DoorBench> {
  const clocks = { server: 0, local: 0 };
  const now = (): number => Date.now() + clocks.local;
  const api = createBotApi({ token: TOKEN, now: () => Date.now() + clocks.server });
  const apiRoot = await api.listen();
  const path = join(tempDir(), "test.db");
  const store = openStore(path, now);
  onTestFinished(async () => {
    store[Symbol.dispose]();
    await api.close();
  });
  const config = {
    telegram: { apiRoot },
    access: {
      allowedUsers: [OWNER, PARTNER, GUEST],
      ownerUsers: [OWNER, PARTNER],
      allowedChats: [],
      takesTokens: tokenSecret !== undefined,
      needsToken: false,
      sessionMs: 168 * 3_600_000,
      ...access,
    },
    claude: { auth: "api-key" },
    staleAfterMs: STALE_AFTER_MS,
    retention: { contentMs: 30 * 86_400_000, auditMs: 365 * 86_400_000 },
    uploads: {
      types: { groups: ["text", "code", "images", "pdf", "archives"], extensions: [] },
      maxFileBytes: 20 * 1024 * 1024,
      maxArchiveBytes: 100 * 1024 * 1024,
    },
    secretFiles: [],
    limits: {
      requestsPerWindow: 60,
      windowMs: 60_000,
      burst: 10,
      costPerUserMicroUsd: 10_000_000,
      isCostLimitExplicit: false,
      costWindow: "day",
      costPerRequestMicroUsd: 5_000_000,
      maxPromptChars: 16_000,
      ...limits,
    },
  } as unknown as Config;

  function live(): DoorLife {
    const log = createLogger({ level: "silent", format: "json", secretValues: [] });
    const security = createSecurity({
      config,
      tokenSecret: tokenSecret ?? null,
      store,
      log,
      now,
      redactText: redactShapes,
    });
    const door = openTelegram({
      token: TOKEN,
      config,
      store,
      security,
      secrets: createSecretFinder([]),
      log,
      now,
    });
    const bench = turnsBench({
      store,
      now,
      presenter: door.presenter,
      record: security.audit.record,
      isLocked: () => security.lock.state() !== null,
    });
    bench.turns.start();
    const projects = { list: async () => ({ kind: "listed", names: ["app"], misnamed: [] }) as const };
    const received = door.receive({
      turns: bench.turns,
      projects,
      mode: "ask",
      findViolation: async () => null,
      accessOf: async () => [],
      findFile: async () => ({ kind: "gone" }),
      onPoll: () => undefined,
    });
    let ended: Promise<void> | null = null;
    const close = async (): Promise<void> => {
      await door.stop();
      await received;
      await bench.turns.close();
      await door.close();
    };
    const end = async (): Promise<void> => {
      ended ??= close();
      await ended;
    };
    onTestFinished(end);
    return { ...bench, security, end };
  }

  function chatOf(id: number): DoorChat {
    const chat = api.user({ id, firstName: `P${id}` }).chat();
    chat.open();
    const reads = (text: string) =>
      api.waitForMessage(id, (message) => message.isFromBot && message.text.includes(text), {
        what: `a message with ${text}`,
      });
    return {
      ...chat,
      reads,
      texts: () =>
        api
          .messages(id)
          .filter(({ isFromBot }) => isFromBot)
          .map(({ text }) => text),
      presses: async (label) => {
        const has = ({ keyboard }: ShownMessage) =>
          keyboard?.inline_keyboard.flat().some(({ text }) => text === label) ?? false;
        const { messageId } = await api.waitForMessage(id, has, { what: `the key [${label}]` });
        return (await chat.press(messageId, label).answered()).text;
      },
      sentBefore: (ageMs, text) => {
        clocks.server -= ageMs;
        const sent = chat.send(text);
        clocks.server += ageMs;
        return sent;
      },
    };
  }

  return {
    api,
    store,
    path,
    owner: chatOf(OWNER),
    partner: chatOf(PARTNER),
    guest: chatOf(GUEST),
    chatOf,
    live,
    setLocalAhead: (ms) => {
      clocks.local = ms;
    },
  };
}
