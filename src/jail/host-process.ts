import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type CheckedRequest, checkRequest } from "./check-request.ts";
import { HOST_PATH, type HostCommand, type SiftEntry } from "./host-command.ts";
import { createHostSift } from "./host-sift.ts";
import type { InsidePaths, Jail, JailedProcess, JailLog, JailRequest } from "./jail.ts";
import { endTree } from "./kill-tree.ts";
import { listProcesses } from "./list-processes.ts";
import { lookThrough } from "./look-through.ts";
import type { Marks } from "./mark.ts";
import { hostArgv } from "./program.ts";
import { createRoster } from "./roster.ts";
import { spawnChild } from "./spawn.ts";

/** A request made ready, for whoever wraps it into a sandbox. */
export interface HostEntry {
  readonly checked: CheckedRequest;
  readonly inside: InsidePaths;
  /** The program's whole argv. */
  readonly argv: readonly string[];
}

/** What a jail without namespaces stands on. `command` says how the program is to be spawned. */
export interface HostJailDeps {
  readonly kind: "seatbelt" | "none";
  readonly scratchDir: string;
  readonly marks: Marks;
  readonly platform: NodeJS.Platform;
  readonly log: JailLog;
  readonly command: (entry: HostEntry) => Promise<HostCommand>;
  /** The same for a program of `sift/`. */
  readonly siftCommand: (entry: SiftEntry) => Promise<HostCommand>;
}

/**
 * Runs programs at their host paths, each with a home and temp folder of its own that are removed after it. Descendants
 * are found by walking the processes (see `endTree`), when it is killed and when it ends by itself. A daemon that is
 * killed takes none of them with it: they see their stdin closed, no more, until the next one ends them by their mark.
 */
export function createHostJail(deps: HostJailDeps): Jail {
  const { kind, scratchDir, marks, platform, log, command } = deps;
  const roster = createRoster();

  async function start(request: JailRequest): Promise<JailedProcess> {
    const checked = await checkRequest(request, scratchDir);
    const baseline = await lookThrough(checked.project);
    const mark = marks.next();
    const folder = join(scratchDir, `jail-${randomUUID().slice(0, 8)}`);
    const inside = insideOf(checked, folder);
    for (const path of [folder, inside.home, inside.tmp]) await mkdir(path, { mode: 0o700 });
    try {
      const argv = [...inside.program, ...request.args(inside)];
      const { file, argv: wrapped } = await command({ checked, inside, argv });
      const env = { ...request.env(inside), ...checked.workshop.env(inside), ...mark.env };
      const child = await spawnChild({ file, argv: wrapped, env, cwd: checked.project, isDetached: true });
      const tree = {
        root: child.pid,
        list: () => listProcesses(platform, { isIn: mark.isIn, uid: null }),
      };
      const exited = child.exited.then(async (exit) => {
        await cleanUp(folder, tree, log);
        return exit;
      });
      const { pid, stdin, stdout, stderr } = child;
      const kill = async (): Promise<void> => {
        child.kill();
        await exited;
      };
      return {
        pid,
        stdin,
        stdout,
        stderr,
        exited,
        kill,
        settle: () => Promise.resolve(),
        baseline,
      };
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  return {
    kind,
    start: (request) => roster.admit(() => start(request)),
    sift: createHostSift(deps),
    close: roster.close,
  };
}

function insideOf(
  { project, configDir, apiSocket, netPort, program, workshop }: CheckedRequest,
  folder: string,
): InsidePaths {
  const head = hostArgv(program);
  return {
    program: head,
    project,
    configDir,
    apiSocket,
    home: join(folder, "home"),
    tmp: join(folder, "tmp"),
    path: [...workshop.path, HOST_PATH].join(":"),
    proxyPort: netPort,
    cacheDir: workshop.cacheDir,
  };
}

async function cleanUp(folder: string, tree: Parameters<typeof endTree>[0], log: JailLog): Promise<void> {
  try {
    if (!(await endTree(tree))) {
      log.warn({ event: "jail.left_alive", jailPid: tree.root }, "processes of a jail could not be ended");
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    log.warn({ event: "jail.not_cleaned", folder, err: error }, "could not clean up after a jail");
  }
}
