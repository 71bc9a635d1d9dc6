import { randomUUID } from "node:crypto";
import { existsSync, realpathSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createToolPolicy, type ToolPolicy } from "../../src/claude/gate.ts";
import { createClaudeRunner } from "../../src/claude/runner.ts";
import type { ClaudeRunner, ClaudeSession, ClaudeSettings, ClaudeTurn } from "../../src/claude/types.ts";
import { createMessagesApi, type MessagesApi } from "../../src/demo/messages-api/server.ts";
import type { ModelScript } from "../../src/demo/messages-api/types.ts";
import type { ApprovedPath } from "../../src/domain/approved-path.ts";
import type { ClaudeEvent, ClaudeTurnEnd, ToolAsk } from "../../src/domain/claude-event.ts";
import { createPriceTable } from "../../src/egress/prices.ts";
import type { Jail } from "../../src/jail/jail.ts";
import { BARE_WORKSHOP } from "../../src/jail/jail.ts";
import { openJail } from "../../src/jail/open-jail.ts";
import { createLogger, type Logger } from "../../src/log/logger.ts";
import { NO_NET } from "../support/far-side.ts";
import { createTestProxy, type TestProxy } from "./test-proxy.ts";
import { type Wire, wired } from "./wire.ts";

/** The real CLI. */
const CLAUDE = claudeBinary();

/** A turn that ran, and what was seen of it. */
interface Ran {
  readonly end: ClaudeTurnEnd;
  readonly events: readonly ClaudeEvent[];
  readonly asks: readonly ToolAsk[];
}

/** A turn that runs. */
export interface Running {
  readonly done: Promise<Ran>;
  readonly stop: () => void;
  /** Resolves with the first event that fits; rejects when the turn ends without one. */
  readonly event: (fits: (event: ClaudeEvent) => boolean) => Promise<ClaudeEvent>;
  readonly events: readonly ClaudeEvent[];
  readonly isPrompted: () => boolean;
}

/** Runner, jail, proxy and scripted API in one temporary folder. */
export interface House {
  readonly root: string;
  readonly project: string;
  readonly configDir: string;
  readonly runner: ClaudeRunner;
  readonly jail: Jail;
  readonly proxy: TestProxy;
  readonly api: MessagesApi;
  readonly logged: readonly Readonly<Record<string, unknown>>[];
  readonly session: (over?: Partial<ClaudeSession>) => ClaudeSession;
  readonly start: (session: ClaudeSession, prompt: string, over?: Partial<ClaudeTurn>) => Running;
  readonly run: (session: ClaudeSession, prompt: string, over?: Partial<ClaudeTurn>) => Promise<Ran>;
  /** A second runner on the same folders, as after a restart of the daemon. */
  readonly another: (over?: Partial<ClaudeSettings>) => ClaudeRunner;
  readonly dispose: () => Promise<void>;
}

export interface HouseOptions {
  readonly script?: ModelScript;
  readonly settings?: Partial<ClaudeSettings>;
  readonly sandbox?: "require" | "off";
  /** Stands over the jail that the runner uses. */
  readonly over?: (jail: Jail) => Jail;
  readonly startTimeoutMs?: number;
  readonly pingTimeoutMs?: number;
  /** Layers round a tool call that are replaced. */
  readonly policy?: Partial<ToolPolicy>;
  /** What becomes of the lines between the daemon and the CLI. */
  readonly wire?: Wire;
}

export async function createHouse(options: HouseOptions = {}): Promise<House> {
  const root = await mkdtemp(join(tmpdir(), "slc-"));
  const project = join(root, "projects", "app");
  const configDir = join(root, "config");
  await mkdir(project, { recursive: true });
  await mkdir(configDir, { mode: 0o700 });
  const lines: Record<string, unknown>[] = [];
  const log: Logger = createLogger({
    level: "debug",
    format: "json",
    secretValues: [],
    destination: { write: (line) => lines.push(JSON.parse(line)) },
  });
  const api = createMessagesApi({ script: options.script ?? (() => ({ kind: "blocks", blocks: [] })) });
  const apiSocket = join(root, "api.sock");
  const proxy = await createTestProxy({
    socketPath: apiSocket,
    upstream: await api.listen(),
    auth: options.settings?.auth ?? SETTINGS.auth,
    log,
  });
  const jail = await openJail({
    sandbox: options.sandbox ?? "require",
    platform: process.platform,
    scratchDir: join(root, "jail"),
    log,
  });
  const runners: ClaudeRunner[] = [];
  const another = (over: Partial<ClaudeSettings> = {}) => {
    const settings = { ...SETTINGS, ...options.settings, ...over };
    const runner = createClaudeRunner({
      jail: options.over?.(jail) ?? (options.wire ? wired(jail, options.wire) : jail),
      settings,
      apiSocket,
      policy: { ...createToolPolicy({ mode: settings.permissionMode, secretFiles: [] }), ...options.policy },
      priceOf: createPriceTable().priceOf,
      netPort: null,
      netSocket: apiSocket, // the way out is not what these tests are about
      localPorts: [],
      openLease: proxy.openLease,
      log,
      now: Date.now,
      pingTimeoutMs: options.pingTimeoutMs ?? 20_000, // a busy machine is no reason for a cold start
      ...(options.startTimeoutMs === undefined ? {} : { startTimeoutMs: options.startTimeoutMs }),
    });
    runners.push(runner);
    return runner;
  };
  const runner = another();

  function start(session: ClaudeSession, prompt: string, over: Partial<ClaudeTurn> = {}): Running {
    return startTurn(runner, session, prompt, over);
  }

  return {
    root,
    project,
    configDir,
    runner,
    jail,
    proxy,
    api,
    logged: lines,
    another,
    session: (over = {}) => ({
      conversationKey: "7:0",
      userId: 1,
      project: approved(project),
      configDir,
      workshop: BARE_WORKSHOP,
      sessionId: randomUUID(),
      isResume: false,
      ...over,
    }),
    start,
    run: (session, prompt, over) => start(session, prompt, over).done,
    dispose: async () => {
      await Promise.all(runners.map((one) => one.close()));
      await jail.close();
      await proxy.close();
      await api.close();
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export function startTurn(
  runner: ClaudeRunner,
  session: ClaudeSession,
  prompt: string,
  over: Partial<ClaudeTurn> = {},
): Running {
  const events: ClaudeEvent[] = [];
  const asks: ToolAsk[] = [];
  const waiting = new Set<() => void>();
  const stopper = new AbortController();
  let isPrompted = false;
  let isOver = false;
  const wake = () => {
    for (const look of waiting) look();
  };
  const turn: ClaudeTurn = {
    session,
    prompt,
    uuid: randomUUID(),
    payer: { mayStart: () => ({ kind: "ok" }), onUsage: () => undefined },
    net: NO_NET,
    onPolicy: () => undefined,
    decide: async () => ({ kind: "deny", message: "No." }),
    signal: stopper.signal,
    ...over,
    onPrompting: (isResume) => {
      isPrompted = true;
      over.onPrompting?.(isResume);
    },
    onEvent: (event) => {
      events.push(event);
      over.onEvent?.(event);
      wake();
    },
  };
  const decide = turn.decide;
  const done = runner
    .run({
      ...turn,
      decide: (ask, signal) => {
        asks.push(ask);
        return decide(ask, signal);
      },
    })
    .then((end): Ran => {
      isOver = true;
      wake();
      return { end, events, asks };
    });
  return {
    done,
    events,
    stop: () => stopper.abort(),
    isPrompted: () => isPrompted,
    event: (fits) =>
      new Promise((resolveEvent, reject) => {
        const look = () => {
          const found = events.find(fits);
          if (!found && !isOver) return;
          waiting.delete(look);
          if (found) resolveEvent(found);
          else reject(new Error(`The turn ended without the event; seen: ${JSON.stringify(events)}`));
        };
        waiting.add(look);
        look();
      }),
  };
}

const SETTINGS: ClaudeSettings = {
  program: CLAUDE,
  auth: "api-key",
  model: null,
  fallbackModel: null,
  effort: null,
  permissionMode: "ask",
  tools: ["Bash", "Read", "Edit", "Write", "Agent", "AskUserQuestion", "EnterPlanMode", "ExitPlanMode"],
  maxProcesses: 3,
  idleMs: 60_000,
  stallMs: 60_000,
  stopGraceMs: 700,
};

/** A process as /proc shows it. */
export interface ProcessSight {
  readonly pid: number;
  readonly cmdline: string;
}

/** Every process whose command line contains `text`. */
export async function processesWith(text: string): Promise<readonly ProcessSight[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const seen = await Promise.all(
    pids.map(async (name) => ({
      pid: Number(name),
      cmdline: await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => ""), // it ended meanwhile
    })),
  );
  return seen.filter(({ cmdline }) => cmdline.includes(text));
}

/** Only security/ approves paths; here the folder was made a moment ago. */
function approved(path: string): ApprovedPath {
  if (!isApproved(path)) throw new Error(`Not a real path: ${path}`);
  return path;
}

function isApproved(path: string): path is ApprovedPath {
  return realpathSync(path) === path;
}

function claudeBinary(): string {
  const modules = resolve(import.meta.dirname, "../../node_modules/@anthropic-ai");
  const names = [
    `claude-code-${process.platform}-${process.arch}`,
    `claude-code-${process.platform}-${process.arch}-musl`,
  ];
  const found = names.map((name) => join(modules, name, "claude")).find((path) => existsSync(path));
  if (!found) throw new Error(`No native claude in ${modules}: run npm ci`);
  return found;
}
