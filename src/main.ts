import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { configDirOf } from "./claude/config-dir.ts";
import type { LoadedConfig } from "./config/load.ts";
import { systemNow as now } from "./domain/clock.ts";
import { AppError } from "./domain/errors.ts";
import type { Reach } from "./domain/fault-point.ts";
import type { Internet } from "./domain/net.ts";
import { createIsSecret } from "./domain/secret-files.ts";
import { systemInternet } from "./egress/internet.ts";
import type { OpenJailDeps } from "./jail/open-jail.ts";
import type { Logger } from "./log/logger.ts";
import { openClaude } from "./open-claude.ts";
import { startHousekeeping } from "./ops/housekeeping.ts";
import { isInside } from "./security/is-inside.ts";
import { createFindFile } from "./security/named-file.ts";
import { faultOfProjectName } from "./security/path-text.ts";
import { createPathJail } from "./security/paths.ts";
import { summariseTool } from "./security/redact.ts";
import { createSecurity } from "./security/security.ts";
import { prepareHome } from "./store/home.ts";
import { lockHome } from "./store/lock.ts";
import { openStore } from "./store/store.ts";
import { openTelegram } from "./telegram/door.ts";
import { createProjectWatch } from "./turns/project-watch.ts";
import { createTurns } from "./turns/turns.ts";
import { createWorkshopOf } from "./workshop-of.ts";
import { createGitEnv } from "./workspace/git-env.ts";
import { createProjects } from "./workspace/projects.ts";

const SUMMARY_CHARS = 120;
/** How long what Claude needs waits for the first poll, which with no network never comes. */
const CLAUDE_WAITS_MS = 500;
const NOBODY = { userId: null, conversation: null };

/** How one run of the daemon is begun and ended. */
export interface DaemonRun {
  readonly version: string;
  /** Aborted = end; its reason goes on record. */
  readonly signal: AbortSignal;
  /** What runs in the CLI's place; the demo's stand-in where no CLI is installed. */
  readonly claudeProgram?: string;
  /** Called once everything is open and updates are asked for. */
  readonly onReady?: () => void;
  /** For tests, which cannot wait for it: milliseconds from one look at what housekeeping is due to the next. */
  readonly housekeepingEveryMs?: number;
  /** For tests, which end the daemon at a fault point: told of each as it is reached. */
  readonly reach?: Reach;
  /** For tests, whose machines stand for the internet. */
  readonly internet?: Internet;
  /** For tests, which hand in a sandbox that does not hold. */
  readonly findOnPath?: OpenJailDeps["findOnPath"];
}

const noFault: Reach = () => undefined;

/** Runs the daemon until its signal is aborted; rejects with what ended it. Everything it opened is closed by then. */
export async function runDaemon(loaded: LoadedConfig, log: Logger, run: DaemonRun): Promise<void> {
  const { config, secrets } = loaded;
  await using scope = new AsyncDisposableStack();

  const home = prepareHome(config.home);
  scope.use(lockHome(config.home));
  const store = scope.use(
    openStore(home.database, now, {
      onFault: (err) => log.error({ event: "store.after", err }, "a follow-up of a commit failed"),
      reach: run.reach ?? noFault,
    }),
  );
  const security = createSecurity({ config, store, log, now });
  const { record } = security.audit;
  let isStarted = false;
  scope.defer(() => {
    if (isStarted) record({ type: "daemon.stopped", cause: String(run.signal.reason ?? "fault") }, NOBODY);
  });

  const paths = await createPathJail(config.approvedDirectory);
  const projects = createProjects({
    approvedDirectory: paths.root,
    isOffered: (name) =>
      faultOfProjectName(name) === null && !isInside(join(paths.root, name), import.meta.dirname),
  });
  const polling = Promise.withResolvers<void>();
  const { claude, git, toolbox, mode, opened } = openClaude(scope, {
    loaded,
    home,
    log,
    now,
    program: run.claudeProgram,
    internet: run.internet ?? systemInternet,
    findOnPath: run.findOnPath,
    over: (jail) => watch.over(jail),
    after: Promise.race([polling.promise, sleep(CLAUDE_WAITS_MS)]),
  });

  const token = secrets.botToken.reveal();
  const telegram = openTelegram({ token, config, store, security, log, now });
  scope.defer(() => telegram.close());
  const watch = createProjectWatch({
    store,
    presenter: telegram.presenter,
    record,
    folder: home.quarantine,
    log,
  });
  scope.defer(() => watch.close());
  const turns = createTurns({
    store,
    watch,
    claude,
    presenter: telegram.presenter,
    record,
    reserve: security.reserve,
    isLocked: () => security.lock.state() !== null,
    resolveProject: paths.resolveProjectName,
    allowedHosts: config.allowedHosts,
    git,
    isOwner: (userId) => config.access.ownerUsers.includes(userId),
    workshopOf: createWorkshopOf({
      toolbox,
      gitEnvOf: createGitEnv(git),
      exposedIn: (project) => store.exposedFiles.of(project).map((path) => join(project, path)),
      cacheRoot: home.caches,
    }),
    configDirOf: (userId, project) => configDirOf(home.claude, userId, project),
    summarise: (name, input) =>
      `${name} ${summariseTool(name, input, { projectPath: paths.root, maxLength: SUMMARY_CHARS })}`,
    approvalTimeoutMs: config.approvalTimeoutMs,
    staleAfterMs: config.staleAfterMs,
    newUuid: randomUUID,
    now,
    log,
  });
  scope.defer(() => turns.close());

  turns.start();
  const receiving = telegram.receive({
    turns,
    projects,
    mode,
    isSuspicious: leadsOut,
    findFile: createFindFile(paths, createIsSecret(config.secretFiles)),
    onPoll: polling.resolve,
  });
  scope.defer(() => telegram.stop());
  const { tellOwners } = telegram;
  scope.use(
    startHousekeeping({ store, config, record, tellOwners, now, log, lookEveryMs: run.housekeepingEveryMs }),
  );
  const started = opened.then((sandbox) => {
    record({ type: "daemon.started", version: run.version, sandbox, permissionMode: mode }, NOBODY);
    isStarted = true;
    const facts = { version: run.version, sandbox, mode, asked: config.claude.permissionMode };
    log.info({ event: "daemon.started", ...facts }, "started");
    run.onReady?.();
    return untilAborted(run.signal);
  });
  opened.catch((error: unknown) => {
    if (!(error instanceof AppError) || error.code !== "sandbox_broken") return; // told where it ends the daemon
    record({ type: "violation.sandbox", found: error.message }, NOBODY);
  });
  await Promise.race([receiving, started, untilAborted(run.signal)]);
}

function leadsOut(name: string): boolean {
  return faultOfProjectName(name)?.code === "path_outside";
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
