import { readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
import { isErrno } from "../domain/errors.ts";

/** More links than Linux follows (40) is a loop, or meant as one. */
const MAX_LINKS = 40;

/** Replaces a leading `~/` (or a bare `~`) by the home folder; other text is given back as it is. */
export function expandHome(path: string, homeDir: string): string {
  if (path === "~") return homeDir;
  return path.startsWith("~/") ? join(homeDir, path.slice(2)) : path;
}

/** The real path of an absolute `path`, in the file system's own spelling. What does not exist yet is kept as written. */
export function realPathOf(path: string): string {
  try {
    return realpathSync.native(path);
  } catch (error) {
    if (!isUnreachable(error) || dirname(path) === path) throw error;
    return join(realPathOf(dirname(path)), basename(path));
  }
}

/**
 * Every place that deciding over `path` depends on: each symbolic link passed on the way, and where it ends.
 * Whoever may write to one of them decides what `path` is.
 */
export function placesOf(path: string): readonly string[] {
  const pending = path.split(sep).filter(Boolean);
  const passed: string[] = [];
  let current: string = sep;
  for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
    const here = join(current, part);
    const target = linkTarget(here);
    if (target === null || passed.length >= MAX_LINKS) {
      current = here;
      continue;
    }
    passed.push(here);
    pending.unshift(...target.split(sep).filter(Boolean));
    if (isAbsolute(target)) current = sep;
  }
  return [...passed, current];
}

/**
 * True when `child` is `parent` or lies below it. Both are absolute and without links. Besides the spelling the identity
 * (device and inode) of each existing parent folder is compared: bind mounts, firmlinks and case-blind disks have several
 * spellings for one folder.
 */
export function isWithin(child: string, parent: string): boolean {
  const path = relative(parent, child);
  if (path === "" || (path !== ".." && !path.startsWith(`..${sep}`) && !isAbsolute(path))) return true;
  const wanted = identityOf(parent);
  if (wanted === null) return false;
  for (let folder = child; ; folder = dirname(folder)) {
    if (identityOf(folder) === wanted) return true;
    if (dirname(folder) === folder) return false;
  }
}

function identityOf(path: string): string | null {
  try {
    const stats = statSync(path, { bigint: true });
    return `${stats.dev}:${stats.ino}`;
  } catch (error) {
    if (isUnreachable(error)) return null;
    throw error;
  }
}

function linkTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch (error) {
    // EINVAL: there is something, and it is no link.
    if (isErrno(error, "EINVAL") || isUnreachable(error)) return null;
    throw error;
  }
}

function isUnreachable(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "EACCES", "ELOOP", "ENAMETOOLONG"].some((code) => isErrno(error, code));
}
