import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { ClaudeRunner } from "./claude/types.ts";
import type { LoadedConfig } from "./config/load.ts";
import type { Now } from "./domain/clock.ts";
import type { Internet } from "./domain/net.ts";
import type { Jail, Sift } from "./jail/jail.ts";
import type { OpenJailDeps } from "./jail/open-jail.ts";
import type { Logger } from "./log/logger.ts";
import type { Home } from "./store/home.ts";
import type { Toolbox } from "./workshop-of.ts";
import type { Git } from "./workspace/git.ts";

/** How long a stopped turn may take to end by itself before its jail is killed. */
const STOP_GRACE_MS = 700;

interface ClaudeSideDeps {
  readonly loaded: LoadedConfig;
  readonly home: Home;
  readonly log: Logger;
  readonly now: Now;
  /** How the jail's programs reach other machines. */
  readonly internet: Internet;
  /** The jail with what else is to know of what runs in it. */
  readonly over: (jail: Jail) => Jail;
  /** Looks system programs up; the system's own folders unless given. */
  readonly findOnPath: OpenJailDeps["findOnPath"];
  /** What runs in the CLI's place; else the CLI is looked for. */
  readonly program: string | undefined;
  /** Resolves when it may begin: what is more urgent has been done. */
  readonly after: Promise<unknown>;
}

/** The CLI with all that stands round it: its jail, and the proxy that pays for it. */
export interface ClaudeSide {
  /** May be used at once: a turn waits until all is open. */
  readonly claude: Pick<ClaudeRunner, "run" | "forget" | "forgetAll">;
  /** What git says of a project; used by turns, which run only when all is open. */
  readonly git: Git;
  /** What every jail offers; resolves when all is open. */
  readonly toolbox: () => Promise<Toolbox>;
  /** Looks into a file of somebody else's; waits until all is open. */
  readonly sift: Sift;
  /** Where a jail shows a folder of uploads. */
  readonly uploadsAt: (folder: string) => Promise<string>;
  /** How tool calls are decided. */
  readonly mode: "jail" | "ask" | "plan";
  /**
   * Resolves with the kind of the jail when all is open and the jail is proved; rejects when it cannot be: then no turn
   * ever begins.
   */
  readonly opened: Promise<Jail["kind"]>;
}

/**
 * Opens the jail, proves it, and opens the credential proxy and the runner, while the daemon goes on; `scope` closes them
 * in reverse. Their code is loaded here too, so that it does not hold up the first poll.
 */
export function openClaude(scope: AsyncDisposableStack, deps: ClaudeSideDeps): ClaudeSide {
  const { sandbox, claude: asked } = deps.loaded.config;
  // Without a jail nothing runs unasked, whatever is set.
  const mode = sandbox === "off" && asked.permissionMode === "jail" ? "ask" : asked.permissionMode;
  const parts = scope.use(new AsyncDisposableStack());
  const ending = new AbortController();
  const ended = new Promise((resolve) => ending.signal.addEventListener("abort", resolve, { once: true }));
  const opening = Promise.race([deps.after, ended]).then(() => {
    ending.signal.throwIfAborted();
    return open(parts, { ...deps, ending: ending.signal }, mode);
  });
  const whenOpen = async (): Promise<Opened | null> => opening.catch(() => null); // told by `opened`
  scope.defer(async () => void (await whenOpen())); // what is half open is opened before it is closed
  scope.defer(() => ending.abort());

  const claude: ClaudeSide["claude"] = {
    run: async (turn) => (await whenOpen())?.runner.run(turn) ?? endWith(turn.signal, turn.session.isResume),
    forget: async (key) => (await whenOpen())?.runner.forget(key),
    forgetAll: async () => (await whenOpen())?.runner.forgetAll(),
  };
  const git: Git = {
    remotes: async (project) => (await whenOpen())?.git.remotes(project) ?? [],
    commits: async (project, update) => (await whenOpen())?.git.commits(project, update) ?? null,
    isForced: async (project, update) => (await whenOpen())?.git.isForced(project, update) ?? true,
  };
  const toolbox = async (): Promise<Toolbox> =>
    (await whenOpen())?.toolbox ?? { tools: [], path: [], identity: {} };
  const sift: Sift = async (request) => {
    const all = await whenOpen();
    if (all !== null) return all.jail.sift(request);
    await untilAborted(request.signal);
    return { code: null, stdout: "" };
  };
  const uploadsAt = async (folder: string): Promise<string> => {
    const all = await whenOpen();
    return all === null ? folder : all.uploadsAt(folder);
  };
  return { claude, git, toolbox, sift, uploadsAt, mode, opened: opening.then(({ kind }) => kind) };
}

interface Opened {
  readonly runner: ClaudeRunner;
  readonly git: Git;
  readonly toolbox: Toolbox;
  readonly kind: Jail["kind"];
  readonly jail: Pick<Jail, "sift">;
  readonly uploadsAt: (folder: string) => string;
}

async function open(
  scope: AsyncDisposableStack,
  {
    loaded,
    home,
    log,
    now,
    internet,
    over,
    findOnPath,
    program,
    ending,
  }: ClaudeSideDeps & { readonly ending: AbortSignal },
  permissionMode: ClaudeSide["mode"],
): Promise<Opened> {
  const { config, secrets } = loaded;
  const [
    { createClaudeRunner },
    { createToolPolicy },
    { createLeases },
    { openLocalPorts },
    { createGitGate },
    { createNetGate },
    { createCredentialProxy },
    { createPriceTable },
    { createGit },
    { findProgram },
    { gitIdentity },
    { uploadsPath },
    { openToolchains },
    { openJail },
    { assertProved, proveJail },
  ] = await Promise.all([
    import("./claude/runner.ts"),
    import("./claude/gate.ts"),
    import("./egress/leases.ts"),
    import("./egress/local-ports.ts"),
    import("./egress/git-gate.ts"),
    import("./egress/net-gate.ts"),
    import("./egress/proxy.ts"),
    import("./egress/prices.ts"),
    import("./workspace/git.ts"),
    import("./jail/find-program.ts"),
    import("./jail/git-identity.ts"),
    import("./jail/inside-paths.ts"),
    import("./jail/open-toolchains.ts"),
    import("./jail/open-jail.ts"),
    import("./jail/proof/prove-jail.ts"),
  ]);
  const toolchains = openToolchains(config.tools, [config.home, config.approvedDirectory], ending);
  toolchains.catch(() => undefined); // awaited below, if nothing else fails before
  const identity = gitIdentity(homedir());
  // Settings have looked for the CLI already: null means that there is none, which the search then says.
  const places = { explicit: config.claude.cliPath ?? undefined, path: "", home: homedir() };
  const cli = program ?? (await findProgram("claude", places));

  const jail = await openJail({
    sandbox: config.sandbox,
    secretFiles: config.secretFiles,
    platform: process.platform,
    scratchDir: home.jail,
    log,
    ...(findOnPath === undefined ? {} : { findOnPath }),
  });
  scope.defer(() => jail.close());
  if (jail.kind !== "none") {
    const { home: folder } = config;
    const lines = await proveJail({ jail, home: folder, platform: process.platform, now, signal: ending });
    ending.throwIfAborted(); // what was not answered then was cut off
    assertProved(lines);
    const count = (outcome: string): number => lines.filter((line) => line.outcome === outcome).length;
    log.info(
      { event: "jail.proved", held: count("held"), untried: count("untried") },
      "no way out of the sandbox was found",
    );
  }

  const leases = createLeases();
  const prices = createPriceTable();
  const proxy = await createCredentialProxy({
    socketPath: join(home.run, "api.sock"),
    upstream: config.claude.baseUrl,
    leases,
    credential: secrets.claudeCredential,
    prices,
    log,
    now,
  });
  scope.defer(() => proxy.close());

  const gitGate = createGitGate({ internet, tokens: secrets.gitTokens, log });
  const socketPath = join(home.run, "net.sock");
  const hasPort = jail.kind === "seatbelt"; // which has no loopback of its own
  const netGate = await createNetGate({ socketPath, hasPort, leases, internet, gitGate, log, now });
  scope.defer(() => netGate.close());
  const local = await openLocalPorts(home.run, config.localPorts);
  scope.defer(() => local.close());

  const settings = { ...config.claude, program: cli, permissionMode, stopGraceMs: STOP_GRACE_MS } as const;
  const sockets = {
    apiSocket: proxy.socketPath,
    netSocket: netGate.socketPath,
    netPort: netGate.port,
    localPorts: local.ports,
  };
  const policy = createToolPolicy({ mode: permissionMode, secretFiles: config.secretFiles });
  const runner = createClaudeRunner({
    jail: over(jail),
    settings,
    policy,
    ...sockets,
    openLease: leases.open,
    priceOf: prices.priceOf,
    log,
    now,
  });
  scope.defer(() => runner.close());
  const { tools, path, refused } = await toolchains;
  log.info({ event: "jail.tools", tools, refused }, "toolchains of this machine");
  const toolbox = { tools, path, identity: await identity };
  const gitDir = join(home.jail, "git");
  await mkdir(gitDir, { recursive: true, mode: 0o700 });
  const git = createGit({ jail, configDir: gitDir, apiSocket: proxy.socketPath });
  const uploadsAt = (folder: string): string => uploadsPath(jail.kind, folder);
  return { runner, git, toolbox, kind: jail.kind, jail, uploadsAt };
}

/** Nothing could be opened, so the daemon ends: the turn has not begun, and ends with it. */
async function endWith(signal: AbortSignal, isResumable: boolean) {
  await untilAborted(signal);
  return { outcome: { kind: "stopped" }, model: null, turnCostMicroUsd: null, isResumable } as const;
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
