import { accessSync, constants, type FSWatcher, lstatSync, readdirSync, watch } from "node:fs";
import { basename, join } from "node:path";
import { textOfPath } from "../domain/finding.ts";
import { createIsSecret } from "../domain/secret-files.ts";
import { byteString, bytesOf, isGone } from "./byte-paths.ts";
import { isPackageFolder } from "./package-folders.ts";
import { isInSecretFolder } from "./secret-folders.ts";
import { createSecretLinks } from "./secret-links.ts";
import type { WatchOrder } from "./secret-messages.ts";

/** Not looked into, as by the plan of the jail. */
function isSkipped(name: string): boolean {
  return name === ".git" || isPackageFolder(name);
}

interface WatchedProjectDeps extends Omit<WatchOrder, "sentinelDir"> {
  readonly onSecret: (path: string) => void;
  /** A folder that cannot be watched, with the system's code. */
  readonly onFault: (code: string, path: string) => void;
}

/** One project in which a secret may appear. */
export interface WatchedProject {
  /** Looks at everything once more. */
  readonly scan: () => void;
  /** Looks once more at where links lead that bear the name of a secret: what is made there has an innocent name. */
  readonly checkLinks: () => void;
  /** Events noticed since the last call. */
  readonly takeCount: () => number;
}

/**
 * Watches every folder of a project. A new folder is looked through after its watch stands, so that nothing slips in between.
 * A secret is told by its name, also by that which a link gives it, and by its inode, when a masked one gets a second name.
 * Works synchronously, in a thread of its own: what was noticed has been looked at. Inside, paths are byte strings.
 */
export function watchProject(deps: WatchedProjectDeps): WatchedProject {
  const project = byteString(deps.project);
  const isSecret = createIsSecret(deps.additions);
  const { isOne, filesBehind } = createSecretLinks(project, deps.additions);
  const exposed = new Set(deps.exposed.map(byteString));
  const masked = new Map([...deps.masked].map(([path, id]) => [byteString(path), id]));
  const inodes = new Set(masked.values());
  const watchers = new Map<string, { readonly watcher: FSWatcher; readonly ino: bigint }>();
  const links = new Set<string>();
  let count = 0;
  let isChecking = false;

  function check(path: string): void {
    const stats = lstatSync(bytesOf(path), { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) return; // gone again: nothing to read
    if (stats.isDirectory()) {
      scan(path);
      return;
    }
    if (stats.isSymbolicLink()) {
      if (isOne(path)) links.add(path);
      return;
    }
    const id = `${stats.dev}:${stats.ino}`;
    if (masked.get(path) === id || exposed.has(path)) return;
    // A masked file that was moved, or whose folder was, took its mask along; one with two names has a bare one.
    const isRead = inodes.has(id) ? stats.nlink > 1n : isNamed(path.slice(project.length + 1));
    if (isRead && (stats.isFile() || stats.isFIFO())) deps.onSecret(textOfPath(path));
  }

  function isNamed(below: string): boolean {
    return isSecret(textOfPath(below)) || isInSecretFolder(project, below, isSecret);
  }

  function checkLinks(): void {
    for (const link of links) safely(link, () => checkLink(link));
  }

  function checkLink(link: string): void {
    const isLink = lstatSync(bytesOf(link), { throwIfNoEntry: false })?.isSymbolicLink();
    if (isLink !== true) {
      links.delete(link); // what is there now was noticed
      return;
    }
    if (exposed.has(link)) return;
    const bare = filesBehind(link).find((path) => !exposed.has(path) && !isMasked(path));
    if (bare !== undefined) deps.onSecret(textOfPath(link));
  }

  function isMasked(path: string): boolean {
    const { dev, ino } = lstatSync(bytesOf(path), { bigint: true });
    return masked.get(path) === `${dev}:${ino}`;
  }

  /** Once for all events that come together. */
  function checkLinksSoon(): void {
    if (links.size === 0 || isChecking) return;
    isChecking = true;
    setImmediate(() => {
      isChecking = false;
      checkLinks();
    });
  }

  function scan(folder: string): void {
    observe(folder);
    const isAllSecret = isInSecretFolder(project, `${folder.slice(project.length + 1)}/`, isSecret);
    for (const entry of readdirSync(bytesOf(folder), { withFileTypes: true, encoding: "latin1" })) {
      if (isSkipped(entry.name)) continue;
      const path = join(folder, entry.name);
      const isOfInterest =
        isAllSecret ||
        !entry.isFile() ||
        inodes.size > 0 ||
        isSecret(textOfPath(path.slice(project.length + 1)));
      if (isOfInterest) safely(path, () => check(path));
    }
  }

  /** A folder that was made again under its name is another one, of which the old watch says nothing. */
  function observe(folder: string): void {
    const { ino } = lstatSync(bytesOf(folder), { bigint: true });
    if (watchers.get(folder)?.ino === ino) return;
    forget(folder);
    const options = { persistent: false, encoding: "latin1" } as const;
    const watcher = watch(bytesOf(folder), options, (_event, name) => {
      count += 1;
      if (folder === project && name === basename(project)) safely(project, () => readdirSync(project)); // its own mode
      if (name === null) safely(folder, () => scan(folder));
      else if (!isSkipped(name)) safely(join(folder, name), () => check(join(folder, name)));
      checkLinksSoon();
    });
    watcher.on("error", () => forget(folder)); // the folder is gone
    watchers.set(folder, { watcher, ino });
  }

  /** What went since it was listed is nothing to watch, and what is shut to us is to the jail. */
  function safely(path: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (isGone(error) || (codeOf(error) === "EACCES" && !canBeEntered(path))) return;
      deps.onFault(codeOf(error), textOfPath(path));
    }
  }

  function forget(folder: string): void {
    watchers.get(folder)?.watcher.close();
    watchers.delete(folder);
  }

  return {
    scan: () => {
      safely(project, () => scan(project));
      checkLinks();
    },
    checkLinks,
    takeCount: () => {
      const taken = count;
      count = 0;
      return taken;
    },
  };
}

/** A folder that can be entered and not listed hides nothing from whoever knows a name in it. */
function canBeEntered(path: string): boolean {
  try {
    accessSync(bytesOf(path), constants.X_OK);
    return true;
  } catch {
    return false; // the answer asked for
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown";
}
