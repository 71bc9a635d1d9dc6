import { constants, type Dirent } from "node:fs";
import { type FileHandle, lstat, open, opendir, realpath } from "node:fs/promises";
import { basename, join } from "node:path";
import { isErrno, messageOf } from "../../domain/errors.ts";
import type { Leak, ScanPart } from "./leak.ts";
import type { FoundRepository } from "./repositories.ts";
import { createSearch, type Needles } from "./search.ts";

const PIECE_BYTES = 1_048_576;
/** No link at the end is followed, and no other end of a pipe is waited for. */
export const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
/** What such a file begins with (sqlite.org/fileformat.html, 1.3). */
const SQLITE = Buffer.from("SQLite format 3\0");
/** What stands in a folder of git's own. */
const GIT_DIR = ["HEAD", "objects", "refs"];
/** Faults of single files are told up to here, then counted. */
const MAX_NOTES = 10;

interface FilesDeps {
  /** Files and folders that are looked through, in this order. */
  readonly roots: readonly string[];
  /** True for what is left out, folders with all that is in them. */
  readonly isLeftOut: (path: string, entry: Pick<Dirent, "name">) => boolean;
  readonly needles: Needles;
  /** Once so much was read the rest is left, and that is told. */
  readonly maxBytes: number;
  /** Told of each folder that has an entry `.git`, or is git's own (gitrepository-layout(5)); the objects in there are left out then. */
  readonly onRepository?: (found: FoundRepository) => void;
  /** Told of each file that begins as a database of SQLite does. */
  readonly onDatabase?: (path: string) => void;
}

/** What a walk tells beside the files. */
interface Told {
  readonly leaks: Leak[];
  readonly faults: string[];
}

/**
 * Looks through files for credentials, their names and their bytes alone: nothing is parsed, unpacked or followed. Memory is bounded by a piece of
 * a megabyte. What cannot be read, and what was left when the bound was reached, is told.
 */
export async function scanFiles(deps: FilesDeps): Promise<ScanPart> {
  const leaks: Leak[] = [];
  const faults: string[] = [];
  let files = 0;
  let bytes = 0;
  let left = 0;

  for (const root of deps.roots) {
    for await (const path of walk(root, deps, { leaks, faults })) {
      if (bytes >= deps.maxBytes) {
        left += 1;
        continue;
      }
      try {
        const read = await scanFile(path, deps, deps.maxBytes - bytes);
        if (read === null) continue;
        files += 1;
        bytes += read.bytes;
        if (read.isCut) left += 1;
        for (const [credential, line] of read.found) leaks.push({ credential, place: path, line });
      } catch (error) {
        if (!isGone(error)) faults.push(`${path} was not looked through: ${messageOf(error)}`);
      }
    }
  }
  const shown = faults.slice(0, MAX_NOTES);
  if (faults.length > MAX_NOTES) shown.push(`${faults.length - MAX_NOTES} more could not be read`);
  if (left > 0)
    shown.push(
      `${left} files under ${deps.roots.join(", ")} were not looked through, or not to their end: --max-mb`,
    );
  return { leaks, files, bytes, notes: shown };
}

async function scanFile(path: string, { needles, onDatabase }: FilesDeps, budget: number) {
  await using handle = await open(path, READ);
  const stats = await handle.stat();
  if (!stats.isFile()) return null;
  const search = createSearch(needles);
  let isFirst = true;
  const push = (piece: Buffer): void => {
    if (isFirst && piece.subarray(0, SQLITE.length).equals(SQLITE)) onDatabase?.(path);
    isFirst = false;
    search.push(piece);
  };
  const bytes = await readInto(handle, push, budget);
  return { bytes, isCut: bytes >= budget && stats.size > bytes, found: search.found() };
}

async function readInto(handle: FileHandle, push: (piece: Buffer) => void, budget: number): Promise<number> {
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  let total = 0;
  while (total < budget) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(PIECE_BYTES, budget - total), null);
    if (bytesRead === 0) break;
    push(buffer.subarray(0, bytesRead));
    total += bytesRead;
  }
  return total;
}

/** The regular files below, folder by folder; links are passed over. */
async function* walk(root: string, deps: FilesDeps, told: Told): AsyncGenerator<string> {
  const real = await realpath(root).catch(() => null); // not there is nothing to look through
  if (real === null) return;
  const pending = [real];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    try {
      if ((await lstat(folder)).isDirectory()) yield* filesIn(folder, deps, { ...told, pending });
      else yield folder;
    } catch (error) {
      if (!isGone(error)) told.faults.push(`${folder} was not looked through: ${messageOf(error)}`);
    }
  }
}

async function* filesIn(
  folder: string,
  deps: FilesDeps,
  { leaks, pending }: Told & { readonly pending: string[] },
): AsyncGenerator<string> {
  const above = credentialsIn(folder, deps.needles);
  const ofGit = new Set<string>();
  for await (const entry of await opendir(folder)) {
    const path = join(folder, entry.name);
    if (entry.name === ".git") deps.onRepository?.({ folder, gitDir: ".git" });
    if (deps.isLeftOut(path, entry)) continue;
    for (const credential of credentialsIn(path, deps.needles))
      if (!above.has(credential)) leaks.push({ credential, place: `the name of ${path}` });
    if (GIT_DIR.includes(entry.name)) ofGit.add(entry.name);
    if (entry.isDirectory()) pending.push(path);
    else if (entry.isFile()) yield path;
  }
  if (deps.onRepository === undefined || ofGit.size < GIT_DIR.length) return;
  // git keeps them packed; their content is read by git itself.
  const objects = pending.indexOf(join(folder, "objects"));
  if (objects >= 0) pending.splice(objects, 1);
  if (basename(folder) !== ".git") deps.onRepository({ folder, gitDir: "." });
}

function credentialsIn(path: string, needles: Needles): ReadonlySet<string> {
  const search = createSearch(needles);
  search.push(Buffer.from(path));
  return new Set(search.found().keys());
}

/** Files come and go while a daemon works. */
function isGone(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].some((code) => isErrno(error, code));
}
