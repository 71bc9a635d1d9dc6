import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { claudeArgs } from "../../src/claude/argv.ts";
import { promptLine } from "../../src/claude/control-messages.ts";
import { findProgram } from "../../src/jail/find-program.ts";
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
  const program = await findProgram("claude", {
    explicit: join(ROOT, "node_modules/.bin/claude"),
    path: "",
    home: folder,
  });
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
  const startedAt = steadyNow();
  const child = spawn(
    program,
    claudeArgs(settings, { sessionId: randomUUID(), isResume: false, rules: [] }),
    {
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
    },
  );
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const results = new Map<string, (at: number) => void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
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
      child.stdin.write(`${JSON.stringify(promptLine(text, uuid))}\n`);
      return promise;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await exited;
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
