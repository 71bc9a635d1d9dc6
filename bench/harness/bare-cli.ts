import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { claudeArgs } from "../../src/claude/argv.ts";
import { promptLine } from "../../src/claude/control-messages.ts";
import { claudeEnv } from "../../src/claude/env.ts";
import { findProgram } from "../../src/jail/find-program.ts";
import type { Jail } from "../../src/jail/jail.ts";
import { approved } from "./approved.ts";
import { ROOT } from "./built.ts";
import { steadyNow } from "./clock.ts";

/** The real CLI, driven by the bench itself: no jail, no proxy, no daemon. Disposing ends it. */
export interface BareCli extends AsyncDisposable {
  /** When it was started. */
  readonly startedAt: number;
  /** Writes a prompt; gives when, and when its result came. */
  readonly turn: (text: string) => Promise<{ readonly writtenAt: number; readonly resultAt: number }>;
}

/** Starts it with the arguments that the daemon gives, against the Messages API at `url`. */
export async function startBareCli(url: string): Promise<BareCli> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "spb-cli-")));
  const { program, argv } = await commandOf(folder);
  const startedAt = steadyNow();
  const child = spawn(program, argv, {
    cwd: folder,
    env: {
      PATH: process.env.PATH ?? "",
      HOME: folder,
      CLAUDE_CONFIG_DIR: join(folder, ".claude"),
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_API_KEY: "sk-ant-api03-a-key-that-pays-for-nothing",
      DISABLE_TELEMETRY: "1",
      DISABLE_AUTOUPDATER: "1",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      CLAUDE_CODE_DISABLE_FILE_MENTIONS: "1",
      CLAUDE_CODE_DISABLE_AUTO_MEMORY: "1",
      CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: "1",
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return drive(child, {
    startedAt,
    exited,
    end: async () => {
      child.kill("SIGKILL");
      await exited;
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  });
}

/** The same in a jail, where its one way to the API is a socket that is piped to `url`, without a proxy. */
export async function startJailedCli(jail: Jail, url: string): Promise<BareCli> {
  const folder = realpathSync(mkdtempSync("/var/tmp/spb-cli-")); // a jail has a /tmp of its own
  const { program, argv } = await commandOf(folder);
  const [project, configDir] = [join(folder, "project"), join(folder, "config")];
  for (const path of [project, configDir]) mkdirSync(path, { mode: 0o700 });
  const apiSocket = join(folder, "api.sock");
  const pipe = createServer((socket) => {
    const api = connect(Number(new URL(url).port), "127.0.0.1");
    for (const side of [socket, api]) side.on("error", () => side.destroy());
    socket.pipe(api).pipe(socket);
  });
  await new Promise<void>((resolve) => pipe.listen(apiSocket, resolve));
  const startedAt = steadyNow();
  const jailed = await jail.start({
    project: approved(project),
    program,
    configDir,
    apiSocket,
    args: () => argv,
    env: (inside) =>
      claudeEnv({ inside, auth: "api-key", token: "sk-ant-api03-a-key-that-pays-for-nothing" }),
  });
  jailed.stderr.resume();
  return drive(jailed, {
    startedAt,
    exited: jailed.exited.then(() => undefined),
    end: async () => {
      await jailed.kill();
      pipe.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  });
}

/** The real CLI's binary, and the arguments that the daemon gives it. */
async function commandOf(home: string) {
  const explicit = join(ROOT, "node_modules/.bin/claude");
  const program = await findProgram("claude", { explicit, path: "", home });
  const settings = {
    program,
    auth: "api-key",
    model: "claude-opus-5-5",
    fallbackModel: null,
    effort: null,
    permissionMode: "ask",
    tools: ["Bash", "Read", "Edit", "Write"],
    maxProcesses: 1,
    idleMs: 0,
    stallMs: 0,
    stopGraceMs: 0,
  } as const;
  return { program, argv: claudeArgs(settings, { sessionId: randomUUID(), isResume: false, rules: [] }) };
}

interface Running {
  readonly startedAt: number;
  readonly exited: Promise<void>;
  readonly end: () => Promise<void>;
}

function drive(
  { stdin, stdout }: { readonly stdin: Writable; readonly stdout: Readable },
  { startedAt, exited, end }: Running,
): BareCli {
  const results = new Map<string, (at: number) => void>();
  createInterface({ input: stdout }).on("line", (line) => {
    const message: { type: string; user_message_uuids?: string[] } = JSON.parse(line);
    if (message.type !== "result") return;
    for (const uuid of message.user_message_uuids ?? []) results.get(uuid)?.(steadyNow());
  });
  return {
    startedAt,
    turn: (text) => {
      const uuid = randomUUID();
      const { promise, resolve, reject } = Promise.withResolvers<{ writtenAt: number; resultAt: number }>();
      const writtenAt = steadyNow();
      results.set(uuid, (resultAt) => resolve({ writtenAt, resultAt }));
      void exited.then(() => reject(new Error("The bare CLI ended in a turn")));
      stdin.write(`${JSON.stringify(promptLine(text, uuid))}\n`);
      return promise;
    },
    [Symbol.asyncDispose]: end,
  };
}
