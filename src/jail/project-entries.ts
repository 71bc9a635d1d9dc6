import { lstat } from "node:fs/promises";
import type { ProjectEntry } from "../domain/finding.ts";
import { bytesOf, isGone } from "./byte-paths.ts";
import { isInPackages } from "./package-folders.ts";
import type { SeenFolder } from "./walk.ts";

/** Settings that make tools of the owner's run something (H22). */
const SETTINGS = [".mcp.json", ".claude", ".vscode", ".idea", ".husky"];

/** What a folder holds that git or a tool would obey, and which of its folders are to be looked into. */
export interface FolderEntries {
  readonly entries: readonly ProjectEntry[];
  readonly folders: readonly string[];
}

/**
 * What git itself looks for (setup.c, `is_git_directory`): `.git` as folder, file or link; a folder with HEAD and either
 * objects and refs or a commondir, of which HEAD is named, since without it the folder is none; the work trees and
 * submodules that a repository has; and settings, outside installed packages. Nothing else of a `.git` folder is looked into.
 * One for each walk: parents come before their children.
 */
export function createEntryFinder(): (folder: SeenFolder) => Promise<FolderEntries> {
  const gitDirs = new Set<string>();

  return async ({ path, at, entries: listed }) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const below = (child: string): string => (path === "" ? child : `${path}/${child}`);
    const identified = async (children: readonly string[]): Promise<readonly ProjectEntry[]> =>
      (await Promise.all(children.map((child) => identify(`${at}/${child}`, below(child))))).flat();
    const names = listed.map((entry) => entry.name);
    const folders = listed.filter((entry) => entry.isDirectory()).map((entry) => entry.name);

    const isWorktrees = name === "worktrees" && gitDirs.has(path.slice(0, -"/worktrees".length));
    if (isWorktrees) return { entries: await identified(names), folders: [] };
    if (isSame(name, ".git")) {
      gitDirs.add(path);
      const entries = await identified(names.filter((child) => child === "modules"));
      return { entries, folders: folders.filter((child) => child === "worktrees") };
    }
    const isBare = hasAll(names, "HEAD", "objects", "refs") || hasAll(names, "HEAD", "commondir");
    if (isBare) gitDirs.add(path);
    const isPackage = isInPackages(path);
    return {
      folders,
      entries: [
        ...(await identified(
          names.filter((child) => isSame(child, ".git") || (isBare && child === "modules")),
        )),
        ...(isBare ? [{ kind: "repository", path: below("HEAD"), ino: null } as const] : []),
        ...names
          .filter((child) => !isPackage && isSetting(child))
          .map((child) => ({ kind: "settings", path: below(child), ino: null }) as const),
      ],
    };
  };
}

/** Those of `now` that are not in `before`, or are another file; what lies in one of them goes with it. */
export function newEntries(
  before: readonly ProjectEntry[],
  now: readonly ProjectEntry[],
): readonly ProjectEntry[] {
  const known = new Map(before.map((entry) => [entry.path, entry.ino]));
  const fresh = now.filter(({ path, ino }) => known.get(path) !== ino);
  const paths = new Set(fresh.map(({ path }) => path));
  return fresh
    .filter(({ path }) => !parentsOf(path).some((parent) => paths.has(parent)))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function parentsOf(path: string): readonly string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

async function identify(at: string, path: string): Promise<readonly ProjectEntry[]> {
  const stats = await lstat(bytesOf(at), { bigint: true }).catch((error: unknown) => {
    if (isGone(error)) return null;
    throw error;
  });
  if (stats === null) return [];
  return [{ kind: stats.isDirectory() ? "repository" : "link", path, ino: String(stats.ino) }];
}

function isSetting(name: string): boolean {
  return isSame(name, ".gitmodules") || SETTINGS.some((setting) => isSame(name, setting));
}

/** In any case: some systems do not tell `.GIT` from `.git`. */
function isSame(name: string, wanted: string): boolean {
  return name.toLowerCase() === wanted;
}

function hasAll(names: readonly string[], ...wanted: readonly string[]): boolean {
  return wanted.every((name) => names.includes(name));
}
