import { lstat } from "node:fs/promises";
import { AppError } from "../domain/errors.ts";
import type { ProjectEntry } from "../domain/finding.ts";
import { type Bridge, portSocketOf, withBridges } from "./bridge.ts";
import { type Bind, bwrapOptions, insideArgv, programBinds } from "./bwrap-options.ts";
import { startBwrap } from "./bwrap-process.ts";
import { type CheckedRequest, checkRequest } from "./check-request.ts";
import { createGuardKeeper } from "./git-guards.ts";
import { collisionWith, INSIDE } from "./inside-paths.ts";
import type { InsidePaths, Jail, JailedProcess, JailLog, JailRequest } from "./jail.ts";
import type { Marks } from "./mark.ts";
import { planProtection } from "./plan-protection.ts";
import { identify, lstatOrNull, type ProtectedPath } from "./protection.ts";
import { createRoster } from "./roster.ts";
import type { SystemBinds } from "./system-binds.ts";
import { verifyMounts } from "./verify-mounts.ts";
import { watchProtected } from "./watch-protected.ts";

/** What the Linux jail stands on. `scratchDir` is the daemon's own, 0700. */
export interface BwrapJailDeps {
  readonly bwrap: string;
  readonly scratchDir: string;
  readonly marks: Marks;
  readonly system: SystemBinds;
  /** The program that bridges to the network's socket; null: then no jail has a network. */
  readonly socat: string | null;
  readonly log: JailLog;
}

/**
 * The Linux jail: every program in namespaces of its own, seeing /usr, the project and what it was given, without a
 * network. What the host would run or obey from the project cannot be changed from inside. When such a path is replaced
 * on the host, the mount over it is lost, so that jail is killed at once, and a warning is logged.
 */
export function createBwrapJail({ bwrap, scratchDir, marks, system, socat, log }: BwrapJailDeps): Jail {
  const guards = createGuardKeeper();
  const roster = createRoster();

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
    const plan = await planProtection(project);
    const release = await guards.hold(plan.guards);
    try {
      return await enter({
        request,
        checked,
        protectedPaths: await identify(plan),
        baseline: plan.entries,
        release,
      });
    } catch (error) {
      await release();
      throw error;
    }
  }

  async function enter({
    request,
    checked,
    protectedPaths,
    baseline,
    release,
  }: Entry): Promise<JailedProcess> {
    const { project } = checked;
    const folder = await identityOf(project);
    const emptyFile = await lstat(system.emptyFile, { bigint: true });
    const isNetworked = checked.netSocket !== null && socat !== null;
    const inside = insidePaths(checked, isNetworked);
    const program = [...insideArgv(checked.program), ...request.args(inside)];
    const mark = marks.next();
    const options = bwrapOptions({
      system,
      binds: bindsOf(checked),
      protectedPaths,
      env: { ...request.env(inside), ...checked.workshop.env(inside), ...mark.env },
      cwd: project,
    });
    const lost = Promise.withResolvers<string>();
    const unwatch = watchProtected(protectedPaths, lost.resolve);
    const running = await startBwrap({
      bwrap,
      scratchDir,
      mark,
      options,
      argv: socat === null ? program : withBridges(socat, bridgesOf(checked), program),
      check: (pid) => verifyMounts({ pid, project: folder, protectedPaths, emptyFile }),
    }).catch((error: unknown) => {
      unwatch();
      throw error;
    });
    void lost.promise.then((path) => {
      request.onLoss?.({ kind: "protection", path });
      log.warn(
        { event: "jail.protection_lost", path, jailPid: running.child.pid },
        "protected path replaced, jail killed",
      );
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
      settle: () => Promise.resolve(),
      baseline,
    };
  }

  return { kind: "bwrap", start: (request) => roster.admit(() => start(request)), close: roster.close };
}

interface Entry {
  readonly request: JailRequest;
  readonly checked: CheckedRequest;
  readonly protectedPaths: readonly ProtectedPath[];
  readonly baseline: readonly ProjectEntry[];
  readonly release: () => Promise<void>;
}

function insidePaths({ project, program, workshop }: CheckedRequest, isNetworked: boolean): InsidePaths {
  const { configDir, apiSocket, home, tmp } = INSIDE;
  return {
    program: insideArgv(program),
    project,
    configDir,
    apiSocket,
    home,
    tmp,
    path: [...workshop.path, INSIDE.path].join(":"),
    proxyPort: isNetworked ? INSIDE.proxyPort : null,
    cacheDir: workshop.cacheDir === null ? null : INSIDE.cacheDir,
  };
}

function bridgesOf({ netSocket, localPorts }: CheckedRequest): readonly Bridge[] {
  const proxy = { port: INSIDE.proxyPort, socket: INSIDE.netSocket };
  return [
    ...(netSocket === null ? [] : [proxy]),
    ...localPorts.map(({ port }) => ({ port, socket: portSocketOf(port) })),
  ];
}

function bindsOf({
  program,
  configDir,
  apiSocket,
  netSocket,
  localPorts,
  workshop,
  project,
}: CheckedRequest): readonly Bind[] {
  const readonly = (source: string, target = source): Bind => ({ source, target, isWritable: false });
  const { cacheDir } = workshop;
  return [
    ...workshop.tools.map((tool) => readonly(tool)),
    { source: configDir, target: INSIDE.configDir, isWritable: true },
    ...(cacheDir === null ? [] : [{ source: cacheDir, target: INSIDE.cacheDir, isWritable: true }]),
    ...programBinds(program),
    readonly(apiSocket, INSIDE.apiSocket),
    ...(netSocket === null ? [] : [readonly(netSocket, INSIDE.netSocket)]),
    ...localPorts.map(({ port, socket }) => readonly(socket, portSocketOf(port))),
    { source: project, target: project, isWritable: true },
  ];
}

/** The folder that was approved, as it is now: what is mounted in the end is compared with it. */
async function identityOf(project: string): Promise<ProtectedPath> {
  const stats = await lstatOrNull(project);
  if (stats?.isDirectory()) return { path: project, kind: "pin", dev: stats.dev, ino: stats.ino };
  throw new AppError("path_invalid", `Project must be a directory, but ${project} is none any more`);
}
