import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { onTestFinished } from "vitest";
import type { BotApi } from "../../src/demo/bot-api/api.ts";
import { createBotApi } from "../../src/demo/bot-api/bot-api.ts";
import type { Person, PersonChat } from "../../src/demo/bot-api/person.ts";
import type { ShownMessage } from "../../src/demo/bot-api/types.ts";
import { createMessagesApi, type MessagesApi } from "../../src/demo/messages-api/server.ts";
import type { ModelScript } from "../../src/demo/messages-api/types.ts";
import { listenForGood } from "./own-port.ts";
import { tempDir } from "./temp.ts";
import { WAIT_MS } from "./wait-ms.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const TOKEN = "123456:test-token-of-thirty-characters-or-more";
/** Where the starts of the program share what was compiled: a quarter of what a start costs. */
const COMPILED = join(ROOT, "node_modules/.cache/sallyport-compiled");
/** The person on the whitelist. */
export const USER = 1001;

/** A line of the daemon's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly event?: string; readonly msg?: string };

/** One life of the daemon. */
export interface Life {
  readonly pid: number;
  readonly log: readonly LogLine[];
  /** Everything it wrote, as it stands. */
  readonly output: () => string;
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  readonly kill: (signal?: NodeJS.Signals) => Promise<{ code: number | null; signal: string | null }>;
}

/** The whole program with a person, a Bot API and a model of the test's own round it. */
export interface Stage {
  readonly api: BotApi;
  /** Where `api` listens. */
  readonly apiRoot: string;
  readonly model: MessagesApi;
  readonly person: Person;
  readonly chat: PersonChat;
  readonly home: string;
  /** The folder that holds the projects, and the one project in it. */
  readonly approved: string;
  readonly project: string;
  /** Starts a life of the daemon and, unless told otherwise, waits until it polls. */
  readonly start: (options?: {
    env?: Record<string, string>;
    isReady?: boolean;
    args?: string[];
  }) => Promise<Life>;
  /** Waits for a message of the bot in the private chat that says all it will: none that a turn still writes on. */
  readonly waitFor: (predicate: (message: ShownMessage) => boolean, what?: string) => Promise<ShownMessage>;
  /** Waits for what a turn that is under way shows of itself. */
  readonly waitForProgress: (predicate?: (message: ShownMessage) => boolean) => Promise<ShownMessage>;
  /** Sends a text and waits for a message of the bot that comes after it and holds `expected`. */
  readonly ask: (text: string, expected: string) => Promise<ShownMessage>;
  readonly botTexts: () => readonly string[];
  /** The environment that a life is started in. */
  readonly settings: Record<string, string>;
}

interface StageOptions {
  readonly script: ModelScript;
  readonly env?: Record<string, string>;
  /** What is run in place of the program's own entry file. */
  readonly entry?: string;
  /** Telegram's clock. */
  readonly now?: () => number;
  /** What is run in place of the source and this Node: a command. */
  readonly program?: readonly string[];
  /** How long a message is waited for; `WAIT_MS` unless given. */
  readonly waitMs?: number;
}

export async function createStage({
  script,
  env: stageEnv = {},
  entry,
  now = Date.now,
  program,
  waitMs = WAIT_MS,
}: StageOptions): Promise<Stage> {
  const folder = tempDir("sp-");
  const home = join(folder, "home");
  const approved = join(folder, "projects");
  const project = join(approved, "demo");
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, "README.md"), "# A sample\n");

  const api = createBotApi({ token: TOKEN, now });
  const apiRoot = await listenForGood((port) => api.listen(port)); // tests close it and open it again
  const model = createMessagesApi({ script });
  const modelUrl = await model.listen();
  onTestFinished(async () => {
    await api.close();
    await model.close();
  });
  const person = api.user({ id: USER, firstName: "Ada" });
  const chat = person.chat();
  chat.open();

  const settings: Record<string, string> = {
    TELEGRAM_BOT_TOKEN: TOKEN,
    TELEGRAM_API_ROOT: apiRoot,
    APPROVED_DIRECTORY: approved,
    ALLOWED_USERS: String(USER),
    CLAUDE_AUTH: "api-key",
    ANTHROPIC_API_KEY: "sk-ant-api03-the-real-key-that-never-enters-the-jail",
    ANTHROPIC_BASE_URL: modelUrl,
    CLAUDE_CLI_PATH: join(ROOT, "node_modules/.bin/claude"),
    CLAUDE_MODEL: "claude-opus-5-5",
    CLAUDE_PERMISSION_MODE: "ask",
    SALLYPORT_HOME: home,
    LOG_LEVEL: "debug",
    // Tests ask more in a second than people do.
    RATE_LIMIT_BURST: "100",
    ...stageEnv,
  };

  const surroundings = { PATH: process.env.PATH ?? "", HOME: folder, ...settings };

  async function start({
    env = {},
    isReady = true,
    args = [],
  }: Parameters<Stage["start"]>[0] = {}): Promise<Life> {
    const life = launch(["start", ...args], { ...surroundings, ...env }, { entry, program });
    if (isReady) {
      const polls = api.log.filter(({ method }) => method === "getUpdates").length;
      const polled = () => api.log.filter(({ method }) => method === "getUpdates").length > polls;
      await Promise.race([
        api.waitFor(polled, { what: "a poll of the daemon", timeoutMs: 20_000 }),
        life.exited.then(() => Promise.reject(new Error(`the daemon ended:\n${life.output()}`))),
      ]);
    }
    return life;
  }

  const waitForAny = (predicate: (message: ShownMessage) => boolean, what: string): Promise<ShownMessage> =>
    api.waitForMessage(USER, (message) => message.isFromBot && predicate(message), {
      what,
      timeoutMs: waitMs,
    });
  const waitFor: Stage["waitFor"] = (predicate, what = "a message of the bot") =>
    waitForAny((message) => isWhole(message) && predicate(message), what);
  const waitForProgress: Stage["waitForProgress"] = (predicate = () => true) =>
    waitForAny((message) => isProgress(message) && predicate(message), "the progress of a turn");

  return {
    api,
    apiRoot,
    model,
    person,
    chat,
    home,
    approved,
    project,
    start,
    waitFor,
    waitForProgress,
    ask: (text, expected) => {
      const sent = chat.send(text);
      return waitFor(
        (message) => message.messageId > sent.messageId && message.text.includes(expected),
        `an answer with ${expected}`,
      );
    },
    settings: surroundings,
    botTexts: () =>
      api
        .messages(USER)
        .filter(({ isFromBot }) => isFromBot)
        .map(({ text }) => text),
  };
}

interface LaunchOptions {
  /** A command that is put before the program. */
  readonly wrap?: readonly string[];
  /** What is run in place of the program's own entry file. */
  readonly entry?: string | undefined;
  /** What is run in place of the source and this Node: a command. */
  readonly program?: readonly string[] | undefined;
}

/** Runs the program from source as a child of this test. */
export function launch(
  args: readonly string[],
  env: Record<string, string>,
  {
    wrap = [],
    entry = join(ROOT, "src/cli.ts"),
    program = [process.execPath, "--disable-warning=DEP0040", entry],
  }: LaunchOptions = {},
): Life {
  const [file = "", ...argv] = [...wrap, ...program, ...args];
  const child = spawn(file, argv, {
    env: { NODE_COMPILE_CACHE: COMPILED, ...env },
    cwd: env.HOME,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log: LogLine[] = [];
  let output = "";
  let rest = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("{")) log.push(JSON.parse(line) as LogLine);
  });
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
  });
  const exited = exitOf(child);
  const kill: Life["kill"] = async (signal = "SIGKILL") => {
    child.kill(signal);
    return exited;
  };
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) await kill();
  });
  return { pid: child.pid ?? 0, log, output: () => output, exited, kill };
}

async function exitOf(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  const [code, signal]: unknown[] = await once(child, "close");
  return { code: code as number | null, signal: signal as string | null };
}

/** True for a message of the bot that says all it will. */
export const isWhole = (message: ShownMessage): boolean => message.isFromBot && !isProgress(message);

/** True for such a message that holds the text. */
export const says =
  (text: string) =>
  (message: ShownMessage): boolean =>
    isWhole(message) && message.text.includes(text);

/** True for a call of the bot that shows how a turn goes on. */
export const showsProgress = (payload: Readonly<Record<string, unknown>>): boolean =>
  JSON.stringify(payload.reply_markup ?? "").includes('"Stop"');

/** True for a message that a turn under way still writes on: it has [Stop], and nothing beside it. */
const isProgress = (message: ShownMessage): boolean => {
  const labels = message.keyboard?.inline_keyboard.flat().map(({ text }) => text) ?? [];
  return labels.length === 1 && labels[0] === "Stop";
};

/** True for a message that shows a button of that label. */
export const hasButton =
  (label: string) =>
  (message: ShownMessage): boolean =>
    message.keyboard?.inline_keyboard.flat().some(({ text }) => text === label) ?? false;
