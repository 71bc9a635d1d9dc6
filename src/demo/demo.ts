import { mkdirSync, mkdtempSync, openSync, realpathSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readEnvironment } from "../config/environment.ts";
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import { secretValues } from "../config/secret.ts";
import { systemNow } from "../domain/clock.ts";
import { AppError, EXIT } from "../domain/errors.ts";
import { findProgram } from "../jail/find-program.ts";
import { ensureSystemPackages } from "../jail/system-packages.ts";
import { createLogger, type Logger } from "../log/logger.ts";
import { createBotApi } from "./bot-api/bot-api.ts";
import { createMessagesApi } from "./messages-api/server.ts";
import { demoScript } from "./script.ts";
import { chatInTerminal } from "./terminal.ts";

const TOKEN = "100001:demo-token-that-opens-nothing-at-all";
const USER = 1;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

interface DemoOptions {
  /** Speaks to the real API with the credential in the environment. */
  readonly isReal: boolean;
  readonly version: string;
  readonly runDaemon: (
    loaded: LoadedConfig,
    log: Logger,
    run: { version: string; signal: AbortSignal; claudeProgram?: string },
  ) => Promise<void>;
}

/**
 * The whole daemon in this terminal, against a Bot API server of its own: no account, no token, no network. Everything
 * lives in a temporary folder, which is removed at the end. Returns the exit code; rejects with the fault that ended the
 * daemon. SIGINT, SIGTERM and SIGHUP end it as Ctrl-D does.
 */
export async function demo({ isReal, version, runDaemon }: DemoOptions): Promise<number> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const surroundings = readEnvironment();
  const installLog = {
    info: (_: object, message: string) => say(message),
    warn: (_: object, message: string) => say(message),
  };
  await ensureSystemPackages({
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    log: installLog,
  });

  const claudeProgram = await findClaude(surroundings.env.PATH ?? "", surroundings.homeDir);
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "sallyport-demo-")));
  const { approved, project } = makeSample(folder);
  const api = createBotApi({ token: TOKEN, now: systemNow, botInfo: { username: "sallyport_demo_bot" } });
  const model = createMessagesApi({ script: demoScript(project) });
  const ending = new AbortController();
  const { signal } = ending;
  const end = (): void => ending.abort("demo");
  for (const each of SIGNALS) process.once(each, end);
  try {
    const env = {
      PATH: surroundings.env.PATH,
      TELEGRAM_BOT_TOKEN: TOKEN,
      TELEGRAM_API_ROOT: await api.listen(),
      APPROVED_DIRECTORY: approved,
      ALLOWED_USERS: String(USER),
      SALLYPORT_HOME: join(folder, "home"),
      CLAUDE_PERMISSION_MODE: "ask", // so that a question is seen
      ...(isReal ? realAccount(surroundings.env) : scriptedAccount(await model.listen())),
    };
    const loaded = loadConfig({ ...surroundings, env, homeDir: folder, argv: {} });
    const logFile = join(folder, "daemon.log");
    const descriptor = openSync(logFile, "a", 0o600);
    const log = createLogger({
      level: "info",
      format: "json",
      secretValues: secretValues(loaded.secrets),
      destination: { write: (line: string) => writeSync(descriptor, line) },
    });
    const brain = isReal
      ? "the real API: this spends money"
      : "a scripted model: nothing leaves this machine";
    const who =
      claudeProgram === null
        ? "a scripted stand-in for the CLI (no claude was found)"
        : "the real claude CLI";
    say(`Claude here is ${who}, in the jail, speaking to ${brain}.`);
    say(
      `A line is a message, a number presses that button, /help lists commands, Ctrl-D ends. Log: ${logFile}\n`,
    );
    const standIn = join(
      import.meta.dirname,
      `stand-in-claude${import.meta.filename.endsWith(".ts") ? ".ts" : ".js"}`,
    );
    const daemon = runDaemon(loaded, log, {
      version,
      signal,
      claudeProgram: claudeProgram ?? standIn,
    });
    const person = api.user({ id: USER, firstName: "You" });
    const chat = chatInTerminal({ api, person, input: process.stdin, output: process.stdout, signal });
    // Whichever ends first ends the other: a daemon that is gone must not leave the person typing to nobody.
    const ends = await Promise.allSettled([daemon.finally(end), chat.finally(end)]);
    for (const each of ends) if (each.status === "rejected") throw each.reason;
    return EXIT.ok;
  } finally {
    end();
    for (const each of SIGNALS) process.off(each, end);
    await Promise.allSettled([api.close(), model.close()]);
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function makeSample(folder: string): { approved: string; project: string } {
  const approved = join(folder, "projects");
  const project = join(approved, "shed");
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, "README.md"), "# Shed\n\nA sample project of the Sallyport demo.\n");
  writeFileSync(
    join(project, "shed.test.mjs"),
    'import { test } from "node:test";\nimport assert from "node:assert";\ntest("the shed stands", () => assert.equal(1 + 1, 2));\n',
  );
  return { approved, project };
}

async function findClaude(path: string, home: string): Promise<string | null> {
  try {
    return await findProgram("claude", { path, home });
  } catch (error) {
    if (error instanceof AppError && error.code === "claude_missing") return null; // the stand-in takes its place
    throw error;
  }
}

function scriptedAccount(url: string): Record<string, string> {
  return {
    CLAUDE_AUTH: "api-key",
    ANTHROPIC_API_KEY: "demo-key-that-pays-for-nothing",
    ANTHROPIC_BASE_URL: url,
  };
}

function realAccount(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const { CLAUDE_CODE_OAUTH_TOKEN: token, ANTHROPIC_API_KEY: key } = env;
  if (token) return { CLAUDE_AUTH: "subscription", CLAUDE_CODE_OAUTH_TOKEN: token };
  if (key) return { CLAUDE_AUTH: "api-key", ANTHROPIC_API_KEY: key };
  throw new AppError(
    "config_invalid",
    "--real needs CLAUDE_CODE_OAUTH_TOKEN or ANTHROPIC_API_KEY in the environment",
  );
}
