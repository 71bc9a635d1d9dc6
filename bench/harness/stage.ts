import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BotApi } from "../../src/demo/bot-api/api.ts";
import { createBotApi } from "../../src/demo/bot-api/bot-api.ts";
import type { PersonChat } from "../../src/demo/bot-api/person.ts";
import { reply } from "../../src/demo/messages-api/scripts.ts";
import { createMessagesApi, type MessagesApi } from "../../src/demo/messages-api/server.ts";
import type { ModelScript } from "../../src/demo/messages-api/types.ts";
import { ROOT } from "./built.ts";
import { steadyNow } from "./clock.ts";
import { makeHome } from "./home.ts";

const TOKEN = "123456:bench-token-of-thirty-characters-or-more";
const FIRST_PERSON = 1001;
/** Each stage has a row of update ids of its own: a home that is used again has seen those of the stage before. */
const FIRST_UPDATE = 500_000_001;
const UPDATES_A_STAGE = 1_000_000;
/** The emulator forgets what is older: a bench must not measure how its far side grows. */
const MAX_LOG = 2_000;
const MAX_MESSAGES = 100;

/** A Bot API, a Messages API, people and folders for one life of a program. Disposing removes it all. */
export interface Stage extends AsyncDisposable {
  readonly api: BotApi;
  readonly model: MessagesApi;
  readonly folder: string;
  readonly home: string;
  readonly project: string;
  /** The private chats of the people, all of whom are admitted. */
  readonly chats: readonly PersonChat[];
  /** The settings of the daemon. */
  readonly env: Readonly<Record<string, string>>;
}

interface StageOptions {
  readonly people?: number;
  readonly script?: ModelScript;
  /** Settings beside the usual ones. */
  readonly env?: Readonly<Record<string, string>>;
  /** A home folder that is there already; else a new one. */
  readonly home?: string;
}

const stageNumber = counter();

/** Sets the stage. The limits of people are raised so far that none is met: a bench asks more than a person does. */
export async function createStage(options: StageOptions = {}): Promise<Stage> {
  const { people = 1, script = () => reply("Done."), env = {} } = options;
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "spb-")));
  const home = options.home ?? join(folder, "home");
  const approved = join(folder, "projects");
  const project = join(approved, "shed");
  mkdirSync(project, { recursive: true });
  if (options.home === undefined) makeHome(home);
  writeFileSync(join(project, "README.md"), "# A sample\n");

  const api = createBotApi({
    token: TOKEN,
    now: steadyNow,
    firstUpdateId: FIRST_UPDATE + stageNumber() * UPDATES_A_STAGE,
    maxLog: MAX_LOG,
    maxMessagesPerChat: MAX_MESSAGES,
  });
  const model = createMessagesApi({ script, now: steadyNow });
  const [apiRoot, modelUrl] = await Promise.all([api.listen(), model.listen()]);
  const ids = Array.from({ length: people }, (_, index) => FIRST_PERSON + index);
  const chats = ids.map((id) => api.user({ id, firstName: "Ada" }).chat());
  for (const chat of chats) chat.open();

  return {
    api,
    model,
    folder,
    home,
    project,
    chats,
    env: {
      PATH: process.env.PATH ?? "",
      HOME: folder,
      TELEGRAM_BOT_TOKEN: TOKEN,
      TELEGRAM_API_ROOT: apiRoot,
      APPROVED_DIRECTORY: approved,
      ALLOWED_USERS: ids.join(","),
      CLAUDE_AUTH: "api-key",
      ANTHROPIC_API_KEY: "sk-ant-api03-a-key-that-pays-for-nothing",
      ANTHROPIC_BASE_URL: modelUrl,
      CLAUDE_CLI_PATH: join(ROOT, "node_modules", ".bin", "claude"),
      CLAUDE_MODEL: "claude-opus-5-5",
      CLAUDE_MAX_COST_PER_USER: "100000",
      RATE_LIMIT_REQUESTS: "10000",
      RATE_LIMIT_WINDOW: "1",
      RATE_LIMIT_BURST: "10000",
      SALLYPORT_HOME: home,
      ...env,
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([api.close(), model.close()]);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Resolves when a program asks for updates for the first time since `since`, with the time of that. */
export function firstPoll({ api }: Pick<Stage, "api">, since: number): Promise<number> {
  const poll = () => api.log.find(({ method, at }) => method === "getUpdates" && at >= since);
  return api.waitFor(() => poll()?.at, { what: "a first poll", timeoutMs: 30_000 });
}

/** Gives 0, 1, 2 and so on. */
function counter(): () => number {
  let next = 0;
  return () => next++;
}
