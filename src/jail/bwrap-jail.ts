import { lstat } from "node:fs/promises";
import { AppError } from "../domain/errors.ts";
import type { ProjectEntry } from "../domain/finding.ts";
import { withBridges } from "./bridge.ts";
import { bindsOf, bridgesOf, insidePaths } from "./bwrap-binds.ts";
import { bwrapOptions, insideArgv } from "./bwrap-options.ts";
import { startBwrap } from "./bwrap-process.ts";
import { createBwrapReading } from "./bwrap-reading.ts";
import { createBwrapSift } from "./bwrap-sift.ts";
import { type CheckedRequest, checkRequest } from "./check-request.ts";
import { createGuardKeeper } from "./git-guards.ts";
import { collisionWith } from "./inside-paths.ts";
import type { Jail, JailedProcess, JailLog, JailLoss, JailRequest } from "./jail.ts";
import type { Marks } from "./mark.ts";
import { planProtection } from "./plan-protection.ts";
import { identify, type ProtectedPath } from "./protection.ts";
import { createRoster } from "./roster.ts";
import type { SecretWatcher } from "./secret-watch.ts";
import type { Tenants } from "./tenants.ts";
import { approvedFolder, verifyMounts } from "./verify-mounts.ts";
import { watchProtected } from "./watch-protected.ts";

/** What the Linux jail stands on. `scratchDir` is the daemon's own, 0700. */
export interface BwrapJailDeps {
  readonly bwrap: string;
  readonly scratchDir: string;
  readonly marks: Marks;
  readonly tenants: Tenants;
  /** The program that bridges to the network's socket; null: then no jail has a network. */
  readonly socat: string | null;
  readonly secrets: SecretWatcher;
  /** The owner's additions to the list of secrets. */
  readonly secretFiles: readonly string[];
  readonly log: JailLog;
}

/**
 * The Linux jail: every program in namespaces of its own, seeing /usr, the project and what it was given, without a
 * network. What the host would run or obey from the project cannot be changed from inside. When such a path is replaced
 * on the host, the mount over it is lost, so that jail is killed at once, and a warning is logged.
 */
export function createBwrapJail(deps: BwrapJailDeps): Jail {
  const { bwrap, scratchDir, marks, tenants, socat, secrets, log } = deps;
  const guards = createGuardKeeper();
  const roster = createRoster();
  const run = createBwrapReading(deps);

  async function start(request: JailRequest): Promise<JailedProcess> {
    const checked = await checkRequest(request, scratchDir);
    const { project } = checked;
    const place = collisionWith(project);
    if (place !== null) {
      throw new AppError(
        "path_invalid",
        `Project ${project} collides with ${place} of the sandbox: move it elsewhere`,
      );
    }
    for (let attempt = 1; ; attempt += 1) {
      const entered = await attemptEntry(request, checked);
      if (!("lost" in entered)) return entered;
      if (attempt === MAX_ATTEMPTS) {
        throw new AppError(
          "path_invalid",
          `${entered.lost.path} is, or is a second name of, a file that holds secrets, and cannot be hidden: move it out of the project`,
        );
      }
    }
  }

  async function attemptEntry(request: JailRequest, checked: CheckedRequest): Promise<Entered> {
    const { exposed } = checked.workshop;
    const plan = await planProtection(checked.project, { run, additions: deps.secretFiles, exposed });
    const release = await guards.hold(plan.guards);
    try {
      const protectedPaths = await identify(plan);
      const entered = await enter({ request, checked, protectedPaths, baseline: plan.entries, release });
      if ("lost" in entered) await release();
      return entered;
    } catch (error) {
      await release();
      throw error;
    }
  }

  async function enter({ request, checked, protectedPaths, baseline, release }: Entry): Promise<Entered> {
    const { project } = checked;
    const { folder, owner } = await approvedFolder(project);
    const { identity, system, become, moveIn } = await tenants.admit(checked, owner);
    const emptyFile = await lstat(system.emptyFile, { bigint: true });
    const isNetworked = checked.netSocket !== null && socat !== null;
    const inside = insidePaths(checked, isNetworked);
    const program = [...insideArgv(checked.program), ...request.args(inside)];
    const mark = marks.next();
    const options = bwrapOptions({
      system,
      identity,
      binds: bindsOf(checked),
      protectedPaths,
      env: { ...request.env(inside), ...checked.workshop.env(inside), ...mark.env },
      cwd: project,
    });
    const lost = Promise.withResolvers<JailLoss>();
    let first: JailLoss | null = null;
    let hasBegun = false;
    const tell = (loss: JailLoss): void => {
      first ??= loss;
      if (!hasBegun) return;
      request.onLoss?.(loss);
      lost.resolve(loss);
    };
    const unwatchPaths = watchProtected(protectedPaths, (path) => tell({ kind: "protection", path }));
    const { exposed } = checked.workshop;
    const watched = secrets.watch({ project, protectedPaths, exposed, onLoss: tell });
    const unwatch = (): void => {
      unwatchPaths();
      watched.close();
    };
    const running = await startBwrap({
      bwrap,
      scratchDir,
      mark,
      options,
      become,
      argv: socat === null ? program : withBridges(socat, bridgesOf(checked), program),
      check: async (pid) => {
        await verifyMounts({ pid, project: folder, protectedPaths, emptyFile });
        await moveIn(pid);
        await watched.opened;
        if (first !== null)
          throw new AppError(
            "path_outside",
            "The project was changed while its jail was being made: try again",
          );
        hasBegun = true;
      },
    }).catch((error: unknown) => {
      unwatch();
      if (first?.kind !== "secret") throw error;
      return { lost: first };
    });
    if ("lost" in running) return running;
    void lost.promise.then(({ kind, path }) => {
      log.warn({ event: "jail.lost", kind, path, jailPid: running.child.pid }, LOSSES[kind]);
      return running.kill();
    });
    const exited = running.exited.then(async (exit) => {
      unwatch();
      await release().catch((error: unknown) => {
        log.warn(
          { event: "jail.guard_left", project, err: error },
          "could not remove the jail's guard files",
        );
      });
      return exit;
    });
    const { pid, stdin, stdout, stderr } = running.child;
    return {
      pid,
      stdin,
      stdout,
      stderr,
      exited,
      kill: () =>
        running
          .kill()
          .then(() => exited)
          .then(() => undefined),
      settle: watched.settle,
      baseline,
    };
  }

  return {
    kind: "bwrap",
    start: (request) => roster.admit(() => start(request)),
    sift: createBwrapSift(deps),
    close: async () => {
      await roster.close();
      await secrets.close();
    },
  };
}

/** A secret that appears while a jail is being made is masked by the next attempt. */
const MAX_ATTEMPTS = 3;

/** A running program, or the secret that was there before it began: then nothing runs. */
type Entered = JailedProcess | { readonly lost: JailLoss };

const LOSSES = {
  protection: "protected path replaced, jail killed",
  secret: "a secret appeared in the project, jail killed",
  unwatched: "a folder can no longer be watched for secrets, jail killed",
} as const;

interface Entry {
  readonly request: JailRequest;
  readonly checked: CheckedRequest;
  readonly protectedPaths: readonly ProtectedPath[];
  readonly baseline: readonly ProjectEntry[];
  readonly release: () => Promise<void>;
}
