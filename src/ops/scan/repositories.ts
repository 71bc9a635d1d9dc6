import { lstat, open, realpath } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isErrno } from "../../domain/errors.ts";
import { READ } from "./files.ts";

/** A repository as it was found. Paths are absolute and real. */
export interface FoundRepository {
  readonly folder: string;
  /** `.` for a folder that is git's own: a bare repository, or a submodule's in `.git/modules`. */
  readonly gitDir: ".git" | ".";
}

/** A repository and the folder of its objects, where that could be learnt. */
export interface Repository extends FoundRepository {
  readonly objects: string | null;
}

/** Links of git and lists of alternates are short. */
const MAX_BYTES = 65_536;

/** Each store of objects once: work trees and submodules that link to one which was found are left out. */
export async function distinctRepositories(
  found: readonly FoundRepository[],
): Promise<readonly Repository[]> {
  const all = await Promise.all(
    found.map(async (one) => ({ ...one, ...(await objectsOf(join(one.folder, one.gitDir), one.folder)) })),
  );
  const known = new Set<string>();
  return all
    .toSorted((one, other) => Number(one.isLink) - Number(other.isLink))
    .filter(({ objects }) => {
      if (objects === null) return true; // git will say
      const isNew = !known.has(objects);
      known.add(objects);
      return isNew;
    })
    .map(({ isLink: _isLink, ...repository }) => repository);
}

/** True when a store takes objects from outside of the project too (gitrepository-layout(5), `objects/info/alternates`): no jail shows them. */
export async function borrowsElsewhere({ objects }: Repository, project: string): Promise<boolean> {
  if (objects === null) return false;
  const file = join(objects, "info", "alternates");
  const isThere = await lstat(file).then(
    () => true,
    (error: unknown) => !isErrno(error, "ENOENT") && !isErrno(error, "ENOTDIR"),
  );
  if (!isThere) return false;
  const text = await readSmall(file);
  if (text === null) return true;
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const real = await realpath(resolve(objects, line)).catch(() => null); // nothing is there, or nothing we may see
    if (real === null || !`${real}/`.startsWith(`${project}/`)) return true;
  }
  return false;
}

async function objectsOf(gitDir: string, folder: string) {
  const isLink = !(await lstat(gitDir).catch(() => null))?.isDirectory();
  const target = isLink ? /^gitdir: (.*?)\r?\n?$/s.exec((await readSmall(gitDir)) ?? "")?.[1] : gitDir;
  if (target === undefined) return { isLink, objects: null };
  const real = resolve(folder, target);
  const common = (await readSmall(join(real, "commondir")))?.trim() ?? ".";
  const objects = await realpath(resolve(real, common, "objects")).catch(() => null); // not there
  return { isLink, objects };
}

/** The text of a regular file; null for what is none, or cannot be read, or is longer. */
async function readSmall(path: string): Promise<string | null> {
  const handle = await open(path, READ).catch(() => null); // the answer
  if (handle === null) return null;
  await using file = handle;
  const stats = await file.stat();
  return stats.isFile() && stats.size <= MAX_BYTES ? file.readFile("utf8") : null;
}
