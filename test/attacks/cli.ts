import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { Transform } from "node:stream";
import { claudeArgs } from "../../src/claude/argv.ts";
import { hookLine, promptLine, requestLine } from "../../src/claude/control-messages.ts";
import { claudeEnv } from "../../src/claude/env.ts";
import { createGate, createToolPolicy, type Gate } from "../../src/claude/gate.ts";
import { hookRegistration, parseHookCall } from "../../src/claude/hook.ts";
import type { ClaudeSettings } from "../../src/claude/types.ts";
import type { InsidePaths, Jail } from "../../src/jail/jail.ts";
import { createLogger } from "../../src/log/logger.ts";
import type { LayerSet } from "./layers.ts";
import { BOT_TOKEN, REAL_KEY, type World } from "./world.ts";

const CLAUDE = resolve(import.meta.dirname, "../../node_modules/.bin/claude");
/** What a hostile project counts on: the CLI started without the flags that keep it out. */
const HARDENING = /^--(setting-sources=|strict-mcp-config|disable-slash-commands)/;
/** Silence of the CLI that is taken for its end: a prompt of hundreds of calls takes as long as the machine needs. */
const SILENCE_MS = 240_000;

/** As a user runs it who has changed nothing. */
export const SETTINGS: ClaudeSettings = {
  program: CLAUDE,
  auth: "api-key",
  model: "claude-opus-5-5",
  fallbackModel: null,
  effort: null,
  permissionMode: "jail",
  tools: ["Bash", "Read", "Edit", "Write", "Agent"],
  maxProcesses: 1,
  idleMs: 60_000,
  stallMs: 60_000,
  stopGraceMs: 700,
};

/** For parts whose log is not looked at. */
export const QUIET = createLogger({
  level: "error",
  format: "json",
  secretValues: [],
  destination: { write: () => undefined },
});

/** The product's own. */
export const POLICY = createToolPolicy({ mode: SETTINGS.permissionMode, secretFiles: [] });

/** One process of the CLI, driven by hand, so that each layer round it can be left out. */
export interface BareCli {
  /** Writes a prompt; resolves with the CLI's result. */
  readonly prompt: (text: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

interface BareCliDeps {
  readonly world: World;
  readonly jail: Jail;
  readonly layers: LayerSet;
  /** The credential proxy's socket, and a token for it. */
  readonly apiSocket: string;
  readonly token: string;
}

/** Starts the real CLI with those layers; what is not on allows everything. */
export async function startCli({ world, jail, layers, apiSocket, token }: BareCliDeps): Promise<BareCli> {
  const jailed = await jail.start({
    project: world.project,
    program: CLAUDE,
    configDir: world.configDir,
    apiSocket,
    args: () => argsFor(layers),
    env: (inside) =>
      layers.has("launch")
        ? claudeEnv({ inside, auth: "api-key", token })
        : openEnv(inside, { world, layers }),
  });
  const gate = createGate({
    policy: POLICY,
    project: world.project,
    isPersons: () => false,
    onPolicy: () => undefined,
    log: QUIET,
  });
  let stderr = "";
  jailed.stderr.on("data", (chunk) => {
    stderr += String(chunk);
  });
  const write = (line: object) => jailed.stdin.write(`${JSON.stringify(line)}\n`);
  let finish: (() => void) | null = null;
  let timer: NodeJS.Timeout | undefined;
  createInterface({ input: jailed.stdout }).on("line", (line) => {
    timer?.refresh();
    const message = JSON.parse(line) as Record<string, unknown>;
    if (message.type === "result") finish?.();
    if (message.type === "control_request") write(answerTo(message, layers, gate));
  });
  const hooks = layers.has("hook") ? hookRegistration() : { PreToolUse: [] };
  write(requestLine("init", { subtype: "initialize", hooks }));
  return {
    prompt: async (text) => {
      const done = Promise.withResolvers<void>();
      finish = done.resolve;
      timer = setTimeout(() => done.reject(new Error(`Silent for ${SILENCE_MS} ms: ${stderr}`)), SILENCE_MS);
      void jailed.exited.then(({ code }) => done.reject(new Error(`The CLI ended with ${code}: ${stderr}`)));
      const line = promptLine(text, randomUUID());
      write(layers.has("launch") ? line : { ...line, message: { role: "user", content: text } });
      await done.promise.finally(() => {
        clearTimeout(timer);
        timer = undefined;
      });
    },
    close: () => jailed.kill(),
  };
}

function argsFor(layers: LayerSet): readonly string[] {
  const args = claudeArgs(SETTINGS, { sessionId: randomUUID(), isResume: false, rules: POLICY.rules });
  return args
    .filter((arg) => layers.has("launch") || !HARDENING.test(arg))
    .filter((arg) => layers.has("rules") || !arg.startsWith("--settings="));
}

/** The daemon's own environment handed on, as a careless program would. */
function openEnv(
  inside: InsidePaths,
  { world, layers }: Pick<BareCliDeps, "world" | "layers">,
): Record<string, string> {
  return {
    PATH: inside.path,
    HOME: layers.has("jail") ? inside.home : world.ownerHome,
    TMPDIR: inside.tmp,
    CLAUDE_CODE_TMPDIR: inside.tmp,
    CLAUDE_CONFIG_DIR: inside.configDir,
    ANTHROPIC_UNIX_SOCKET: inside.apiSocket,
    ANTHROPIC_BASE_URL: "http://localhost",
    ANTHROPIC_API_KEY: REAL_KEY,
    TELEGRAM_BOT_TOKEN: BOT_TOKEN,
    DISABLE_TELEMETRY: "1",
    DISABLE_AUTOUPDATER: "1",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: "1", // only so that a subagent is waited for
  };
}

function answerTo(message: Record<string, unknown>, layers: LayerSet, gate: Gate): object {
  const { request_id, request } = message as { request_id: string; request: Record<string, unknown> };
  if (request.subtype === "hook_callback") return hookLine(request_id, gate.hook(parseHookCall(request)));
  const isAsk = request.subtype === "can_use_tool";
  const response = layers.has("ask")
    ? { behavior: "deny", message: "No." }
    : { behavior: "allow", updatedInput: request.input };
  return {
    type: "control_response",
    response: isAsk
      ? { subtype: "success", request_id, response }
      : { subtype: "error", request_id, error: "not served" },
  };
}

/** What stands in the proxy's place where the launch layer is off. */
export interface Pipe {
  readonly path: string;
  /** What the CLI sends waits for this. */
  readonly setBarrier: (barrier: () => Promise<void>) => void;
  /** Ends what is under way. */
  readonly cut: () => void;
  readonly close: () => Promise<void>;
}

/** A socket that passes everything on to the API. */
export async function openPipe(world: World, apiUrl: string): Promise<Pipe> {
  const path = join(world.root, "pipe.sock");
  const { hostname, port } = new URL(apiUrl);
  const open = new Set<Socket>();
  let wait = async (): Promise<void> => undefined;
  const server: Server = createServer((socket) => {
    const far = createConnection({ host: hostname, port: Number(port) });
    open.add(far.on("close", () => open.delete(far)));
    const held = new Transform({
      transform: (chunk, _encoding, done) => void wait().then(() => done(null, chunk)),
    });
    socket
      .on("error", () => far.destroy())
      .pipe(held)
      .pipe(far);
    far.on("error", () => socket.destroy()).pipe(socket);
  });
  server.listen(path);
  await once(server, "listening");
  return {
    path,
    setBarrier: (barrier) => {
      wait = barrier;
    },
    cut: () => {
      for (const far of open) far.destroy();
    },
    close: () => new Promise((done) => server.close(() => done())),
  };
}
