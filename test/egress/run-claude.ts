import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const CLAUDE = resolve(import.meta.dirname, "../../node_modules/.bin/claude");

/** JSON as it comes over a wire, read by the tests without ceremony. */
export type Line = ReturnType<typeof JSON.parse>;

/** The real CLI in a fresh home, spoken to by stream-json. */
export interface Claude {
  readonly child: ChildProcess;
  readonly lines: readonly Line[];
  readonly send: (message: unknown) => void;
  readonly say: (text: string) => void;
  /** The next line that fits, among those that came after the last one found; rejects at the deadline or when the CLI ends. */
  readonly next: (fits: (line: Line) => boolean, deadlineMs?: number) => Promise<Line>;
  /** Says the text and waits for the turn's result. */
  readonly turn: (text: string) => Promise<Line>;
  readonly kill: (signal: NodeJS.Signals) => Promise<void>;
}

/** A place for CLI processes; removes the folder and kills what it started at `dispose`. */
export async function createClaudeHome() {
  const root = await mkdtemp(join(tmpdir(), "claude-"));
  const running: Claude[] = [];
  return {
    root,
    start(env: Readonly<Record<string, string>>, argv: readonly string[] = []): Claude {
      const claude = startClaude(root, env, argv);
      running.push(claude);
      return claude;
    },
    async dispose() {
      await Promise.all(running.map((claude) => claude.kill("SIGKILL")));
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function startClaude(root: string, env: Readonly<Record<string, string>>, argv: readonly string[]): Claude {
  const child = spawn(
    CLAUDE,
    [
      "-p",
      "--output-format=stream-json",
      "--input-format=stream-json",
      "--verbose",
      "--include-partial-messages",
      "--permission-prompt-tool=stdio",
      "--permission-mode=default",
      "--setting-sources=",
      "--strict-mcp-config",
      "--disable-slash-commands",
      "--tools=Bash,Read,Edit,Write",
      ...argv,
    ],
    {
      cwd: root,
      stdio: ["pipe", "pipe", "inherit"],
      env: {
        PATH: process.env.PATH ?? "",
        HOME: root,
        CLAUDE_CONFIG_DIR: join(root, "config"),
        LANG: "C.UTF-8",
        TERM: "dumb",
        DISABLE_TELEMETRY: "1",
        DISABLE_AUTOUPDATER: "1",
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
        CLAUDE_CODE_DISABLE_FILE_MENTIONS: "1",
        CLAUDE_CODE_MAX_RETRIES: "2",
        ...env,
      },
    },
  );
  const lines: Line[] = [];
  const waiters = new Set<() => void>();
  const exited = new Promise<void>((done) => child.once("close", () => done()));
  let hasEnded = false;
  let read = 0;
  const wake = () => {
    for (const waiter of waiters) waiter();
  };
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(JSON.parse(line));
    wake();
  });
  void exited.then(() => {
    hasEnded = true;
    wake();
  });
  child.stdin.on("error", () => undefined); // the CLI may be gone when the test writes

  const next = (fits: (line: Line) => boolean, deadlineMs = 20_000) =>
    new Promise<Line>((done, fail) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        waiters.delete(look);
        settle();
      };
      const look = () => {
        const index = lines.findIndex((line, at) => at >= read && fits(line));
        if (index >= 0) {
          read = index + 1;
          return end(() => done(lines[index]));
        }
        if (hasEnded) end(() => fail(new Error(`The CLI ended; last: ${JSON.stringify(lines.at(-1))}`)));
      };
      const timer = setTimeout(
        () => end(() => fail(new Error(`No such line; last: ${JSON.stringify(lines.at(-1))}`))),
        deadlineMs,
      );
      waiters.add(look);
      look();
    });
  const send = (message: unknown) => void child.stdin.write(`${JSON.stringify(message)}\n`);
  const say = (text: string) =>
    send({
      type: "user",
      message: { role: "user", content: text },
      parent_tool_use_id: null,
      session_id: "",
    });
  return {
    child,
    lines,
    send,
    say,
    next,
    turn: (text) => {
      say(text);
      return next(({ type }) => type === "result");
    },
    kill: async (signal) => {
      child.kill(signal);
      await exited;
    },
  };
}
