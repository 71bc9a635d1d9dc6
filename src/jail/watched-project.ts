import { type FSWatcher, lstatSync, readdirSync, realpathSync, watch } from "node:fs";
import { join, relative } from "node:path";
import { createIsSecret } from "../domain/secret-files.ts";
import { isWithin } from "./inside-paths.ts";
import type { ToWatcher } from "./secret-messages.ts";

/** Not looked into, as by the plan of the jail. */
const SKIPPED = ["node_modules", ".git"];

interface WatchedProjectDeps extends Omit<Extract<ToWatcher, { kind: "open" }>, "kind" | "id"> {
  readonly onSecret: (path: string) => void;
  readonly onFault: (error: unknown) => void;
}

/** One project in which a secret may appear. */
export interface WatchedProject {
  /** Looks at everything once more. */
  readonly scan: () => void;
  /** Events noticed since the last call. */
  readonly takeCount: () => number;
  readonly close: () => void;
}

/**
 * Watches every folder of a project. A new folder is looked through after its watch stands, so that nothing slips in between.
 * A secret is told by its name, also through a link to a file of the project, and by its inode, when a masked one gets a
 * second name. Works synchronously, in a thread of its own: what was noticed has been looked at.
 */
export function watchProject(deps: WatchedProjectDeps): WatchedProject {
  const { project, masked, onSecret, onFault } = deps;
  const isSecret = createIsSecret(deps.additions);
  const exposed = new Set(deps.exposed);
  const inodes = new Set(masked.values());
  const watchers = new Map<string, { readonly watcher: FSWatcher; readonly ino: bigint }>();
  let count = 0;

  function check(path: string): void {
    const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) return; // gone again: nothing to read
    if (stats.isDirectory()) {
      scan(path);
      return;
    }
    const id = `${stats.dev}:${stats.ino}`;
    if (masked.get(path) === id || exposed.has(path)) return;
    const isNamed = isSecret(relative(project, path));
    if (stats.isSymbolicLink()) {
      if (isNamed && leadsInside(path)) onSecret(path);
      return;
    }
    // A masked file that was moved, or whose folder was, took its mask along; one with two names has a bare one.
    const isRead = inodes.has(id) ? stats.nlink > 1n : isNamed;
    if (isRead && stats.isFile()) onSecret(path);
  }

  /** A link that leads out of the project leads nowhere in the jail, and one to a masked file to nothing. */
  function leadsInside(path: string): boolean {
    try {
      const target = realpathSync(path);
      return isWithin(target, project) && lstatSync(target).isFile() && !masked.has(target);
    } catch (error) {
      if (isGone(error)) return false; // dangling
      throw error;
    }
  }

  function scan(folder: string): void {
    observe(folder);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (SKIPPED.includes(entry.name)) continue;
      const path = join(folder, entry.name);
      const isOfInterest = entry.isDirectory() || inodes.size > 0 || isSecret(relative(project, path));
      if (isOfInterest) safely(() => check(path));
    }
  }

  /** A folder that was made again under its name is another one, of which the old watch says nothing. */
  function observe(folder: string): void {
    const { ino } = lstatSync(folder, { bigint: true });
    if (watchers.get(folder)?.ino === ino) return;
    forget(folder);
    const watcher = watch(folder, { persistent: false }, (_event, name) => {
      count += 1;
      if (name === null) safely(() => scan(folder));
      else if (!SKIPPED.includes(name)) safely(() => check(join(folder, name)));
    });
    watcher.on("error", () => forget(folder)); // the folder is gone
    watchers.set(folder, { watcher, ino });
  }

  function safely(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!isGone(error)) onFault(error);
    }
  }

  function forget(folder: string): void {
    watchers.get(folder)?.watcher.close();
    watchers.delete(folder);
  }

  return {
    scan: () => safely(() => scan(project)),
    takeCount: () => {
      const taken = count;
      count = 0;
      return taken;
    },
    close: () => {
      for (const folder of watchers.keys()) forget(folder);
    },
  };
}

/** What went since it was listed, or cannot be entered, by the jail no more than by us. */
function isGone(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return code === "ENOENT" || code === "ENOTDIR" || code === "EACCES" || code === "ELOOP";
}
