import type { FileHandle } from "node:fs/promises";
import { realpath, stat } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import type { ApprovedPath } from "../domain/approved-path.ts";
import { AppError } from "../domain/errors.ts";
import { canonicalBelow } from "./canonical.ts";
import { isInside, segmentsOf } from "./is-inside.ts";
import { openChecked } from "./open-checked.ts";
import { faultOfPath, faultOfProjectName } from "./path-text.ts";
import { quote } from "./visible.ts";

/** The approved directory as the only place there is. */
export interface PathJail {
  /** The approved directory itself, links resolved. */
  readonly root: ApprovedPath;
  /**
   * Gives the real path of what exists at `path` (relative ones are below the approved directory) when that lies inside,
   * whatever links, letter case or Unicode form the way there has. Rejects with `path_outside`, or with `path_invalid`
   * for a malformed path and for one inside that cannot be resolved. What is approved may be changed a moment later:
   * approve again right before use, and read files by `open`.
   */
  readonly approve: (path: string) => Promise<ApprovedPath>;
  /**
   * Gives the folder of a project by its name below the approved directory (`app`, `group/app`), spelled as on disk.
   * Rejects with `path_outside` for what leads out, else `path_invalid`.
   */
  readonly resolveProjectName: (name: string) => Promise<ApprovedPath>;
  /**
   * Opens an approved regular file for reading; what was swapped since it was approved does not get through. Rejects
   * with `path_outside` or `path_invalid`. The caller closes the handle.
   */
  readonly open: (path: ApprovedPath) => Promise<FileHandle>;
}

/** Makes the jail of paths. Rejects with `path_invalid` when the directory is none. */
export async function createPathJail(approvedDirectory: string): Promise<PathJail> {
  const root = await rootOf(approvedDirectory);

  const approve = async (path: string): Promise<ApprovedPath> => {
    const fault = faultOfPath(path);
    if (fault !== null) throw new AppError("path_invalid", `${fault}, got ${quote(path)}`);
    const asked = resolve(root, path);
    const unresolved = async (cause: unknown): Promise<never> => {
      if (await leadsOut(root, asked)) throw outside(path);
      throw new AppError("path_invalid", `Expected something that exists and opens, got ${quote(path)}`, {
        cause,
      });
    };
    const [rootNow, found] = await Promise.allSettled([realpath(approvedDirectory), realpath(asked)]);
    if (rootNow.status === "rejected")
      // a disk that is not mounted just now: nobody led anywhere
      throw new AppError("path_invalid", "The approved directory cannot be read", { cause: rootNow.reason });
    if (rootNow.value !== root)
      throw new AppError("path_outside", "The approved directory is not where it was at the start: restart");
    const real = found.status === "fulfilled" ? found.value : await unresolved(found.reason);
    const place = isInside(root, real) ? real : await canonicalBelow(root, real).catch(unresolved);
    if (place === null || !isApproved(place, root)) throw outside(path);
    return place;
  };

  return {
    root,
    approve,
    resolveProjectName: async (name) => {
      const fault = faultOfProjectName(name);
      if (fault !== null) throw new AppError(fault.code, `${fault.message}, got ${quote(name)}`);
      const found = await approve(join(root, name));
      const place = (await canonicalBelow(root, found).catch(() => null)) ?? found; // only the spelling is at stake
      const facts = await stat(place).catch(() => null); // gone a moment after: no folder
      if (!facts?.isDirectory() || place === root || segmentsOf(relative(root, place)).some(isGitInternal))
        throw new AppError("path_invalid", `A project must be a folder of its own, got ${quote(name)}`);
      if (!isApproved(place, root)) throw outside(name);
      return place;
    },
    open: (path) => openChecked(path, root),
  };
}

/** The one place where a path becomes an approved one; `path` must be real. */
function isApproved(path: string, root: string): path is ApprovedPath {
  return isInside(root, path);
}

/** Where the part of a path lies that exists: what is outside is told from what is not there without asking what is there. */
async function leadsOut(root: string, path: string): Promise<boolean> {
  const real = await realpath(path).catch(() => null); // not there, or not ours to see: the folder above tells
  if (real !== null) return !isInside(root, real);
  return dirname(path) === path || leadsOut(root, dirname(path));
}

async function rootOf(approvedDirectory: string): Promise<ApprovedPath> {
  const root = await realpath(approvedDirectory).catch((cause: unknown) => {
    throw new AppError("path_invalid", `The approved directory must exist, got ${quote(approvedDirectory)}`, {
      cause,
    });
  });
  if (!(await stat(root)).isDirectory() || !isApproved(root, root))
    throw new AppError(
      "path_invalid",
      `The approved directory must be a directory, got ${quote(approvedDirectory)}`,
    );
  return root;
}

/** Git's own folder is no project: bound for writing, its hooks would run outside the jail (hole H22). */
function isGitInternal(segment: string): boolean {
  return segment.toLowerCase() === ".git";
}

function outside(path: string): AppError {
  return new AppError("path_outside", `Path must be inside the approved directory, got ${quote(path)}`);
}
