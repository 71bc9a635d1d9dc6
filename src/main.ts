import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { configDirOf } from "./claude/config-dir.ts";
import type { LoadedConfig } from "./config/load.ts";
import { secretValues } from "./config/secret.ts";
import type { AuditEvent } from "./domain/audit-event.ts";
import { systemNow as now } from "./domain/clock.ts";
import { AppError } from "./domain/errors.ts";
import type { Reach } from "./domain/fault-point.ts";
import type { Internet } from "./domain/net.ts";
import { createIsSecret } from "./domain/secret-files.ts";
import { systemInternet } from "./egress/internet.ts";
import type { OpenJailDeps } from "./jail/open-jail.ts";
import { type Logger, securityLogger } from "./log/logger.ts";
import { createSecretFinder } from "./log/redact.ts";
import { openClaude } from "./open-claude.ts";
import { readHomeKey } from "./ops/home-key.ts";
import { startHousekeeping } from "./ops/housekeeping.ts";
import { noteCredentials } from "./ops/note-credentials.ts";
import { noteSettings } from "./ops/note-settings.ts";
import { createStoreWatch } from "./ops/store-trouble.ts";
import { createFindAccessFaults } from "./security/access.ts";
import type { Audit } from "./security/audit.ts";
import { isInside } from "./security/is-inside.ts";
import { createFindFile } from "./security/named-file.ts";
import { faultOfProjectName } from "./security/path-text.ts";
import { createFindViolation } from "./security/path-violation.ts";
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
import { createUploads, newFolderName } from "./workspace/uploads.ts";

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
  /** For tests as well: from one try whether the database takes anything again to the next. */
  readonly storeAgainMs?: number;
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
  const storeWatch = scope.use(createStoreWatch({ log, now, againMs: run.storeAgainMs }));
  const store = scope.use(
    openStore(home.database, now, {
      onTrouble: storeWatch.onTrouble,
      onFault: (err) => log.error({ event: "store.after", err }, "a follow-up of a commit failed"),
      reach: run.reach ?? noFault,
    }),
  );
  const finder = createSecretFinder(secretValues(secrets));
  const redactText = (text: string): string => finder.redact(text, "all");
  const security = createSecurity({
    config,
    tokenSecret: secrets.tokenSecret?.reveal() ?? null,
    store,
    log,
    now,
    redactText,
  });
  const { people, access } = security;
  const { record } = security.audit;
  const key = readHomeKey(home.settingsKey);
  const recordOwn = (event: AuditEvent): void => record(event, NOBODY);
  noteSettings({ store, digestsBy: loaded.digestsBy, key, record: recordOwn });
  const known = noteCredentials({ store, loaded, key: key.text, record: recordOwn, now });
  let isStarted = false;
  scope.defer(() => {
    if (!isStarted) return;
    const cause = String(run.signal.reason ?? "fault");
    recordOrLog({ record, log }, { type: "daemon.stopped", cause }, "the end could not be put on record");
  });

  const accessFaults = createFindAccessFaults(process.geteuid?.() ?? 0);
  const paths = await createPathJail(config.approvedDirectory);
  const projects = createProjects({
    approvedDirectory: paths.root,
    isOffered: (name) => !isInside(join(paths.root, name), import.meta.dirname),
    isNameable: (name) => faultOfProjectName(name) === null,
    log,
  });
  const polling = Promise.withResolvers<void>();
  const { claude, git, toolbox, sift, uploadsAt, mode, opened } = openClaude(scope, {
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
  const telegram = openTelegram({ token, config, store, security, secrets: finder, log, now });
  scope.defer(() => telegram.close());
  const watch = createProjectWatch({
    store,
    presenter: telegram.presenter,
    record,
    folder: home.quarantine,
    log,
  });
  scope.defer(() => watch.close());
  const uploads = createUploads({
    root: home.uploads,
    ...config.uploads,
    secretFiles: config.secretFiles,
    fetchFile: telegram.fetchFile,
    sift,
  });
  await uploads.sweep();
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
    isOwner: people.owners.has,
    admission: {
      isAdmitted: (userId) => people.roleOf(userId) !== null,
      all: people.all,
      canChange: access.isOn,
      isOverdue: access.isOverdue,
      sweep: telegram.sweepLogins,
    },
    workshopOf: createWorkshopOf({
      toolbox,
      gitEnvOf: createGitEnv(git),
      exposedIn: (project) => store.exposedFiles.of(project).map((path) => join(project, path)),
      cacheRoot: home.caches,
      uploadsDirOf: (userId, project) =>
        uploads.folder(store.uploadFolders.of(userId, project, newFolderName())),
    }),
    accessFaults,
    isEquivalent: config.claude.auth === "subscription",
    files: { ...uploads, shownAt: uploadsAt },
    configDirOf: (userId, project) => configDirOf(home.claude, userId, project),
    summarise: (name, input) =>
      `${name} ${summariseTool(name, input, { projectPath: paths.root, maxLength: SUMMARY_CHARS, redactText })}`,
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
    findViolation: createFindViolation(paths),
    // What is not there has no faults: that is told in its place.
    accessOf: (name) =>
      paths
        .resolveProjectName(name)
        .then(accessFaults)
        .catch(() => []),
    findFile: createFindFile(paths, createIsSecret(config.secretFiles)),
    onPoll: polling.resolve,
  });
  scope.defer(() => telegram.stop());
  const { tellOwners, tellHead } = telegram;
  storeWatch.tellBy({ store, tellOwners });
  scope.use(
    startHousekeeping({
      store,
      config,
      credentials: known,
      record,
      tellOwners,
      tellHead,
      now,
      log,
      lookEveryMs: run.housekeepingEveryMs,
    }),
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
    const event = { type: "violation.sandbox", found: error.message } as const;
    recordOrLog({ record, log }, event, "a way out of the sandbox could not be put on record");
  });
  await Promise.race([receiving, started, untilAborted(run.signal)]);
}

/** What cannot be left undone is told by the log where the store does not take it. */
function recordOrLog(
  { record, log }: { readonly record: Audit["record"]; readonly log: Logger },
  event: AuditEvent,
  words: string,
): void {
  try {
    record(event, NOBODY);
  } catch (err) {
    const { type, ...facts } = event;
    securityLogger(log).error({ security: true, event: type, facts, err }, words);
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
