import { constants, type Stats } from "node:fs";
import {
  type FileHandle,
  lstat,
  mkdir,
  open,
  readFile,
  readlink,
  rmdir,
  unlink,
  writeFile,
} from "node:fs/promises";
import { basename, dirname } from "node:path";
import { AppError, isErrno } from "../domain/errors.ts";
import { type Guard, isForeign } from "./protection.ts";

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Puts guards there for as long as somebody holds them. */
export interface GuardKeeper {
  /**
   * Makes what is missing and gives the function that lets go; the last one to let go removes what was made.
   * What existed before is left as it is, but a `commondir` of one dot, which a killed daemon left behind, counts as made.
   */
  readonly hold: (guards: readonly Guard[]) => Promise<() => Promise<void>>;
}

/** One keeper for all jails of the daemon, since jails of one project share their guards. Linux only: it needs /proc. */
export function createGuardKeeper(): GuardKeeper {
  const holders = new Map<string, number>();
  const made = new Set<string>();
  let queue: Promise<unknown> = Promise.resolve();

  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = queue.then(task);
    queue = result.catch(() => undefined); // told to the caller by `result`
    return result;
  }
  async function take(guard: Guard): Promise<void> {
    const count = holders.get(guard.path) ?? 0;
    if (count === 0 && (await make(guard))) made.add(guard.path);
    holders.set(guard.path, count + 1);
  }
  async function drop(guard: Guard): Promise<void> {
    const count = (holders.get(guard.path) ?? 1) - 1;
    if (count > 0) return void holders.set(guard.path, count);
    holders.delete(guard.path);
    if (made.delete(guard.path)) await remove(guard);
  }
  async function dropAll(guards: readonly Guard[]): Promise<void> {
    const results = [];
    for (const guard of guards) results.push(await Promise.allSettled([drop(guard)]));
    const failed = results.flat().find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }
  return {
    hold: (guards) =>
      inTurn(async () => {
        const taken: Guard[] = [];
        try {
          for (const guard of guards) {
            await take(guard);
            taken.push(guard);
          }
        } catch (error) {
          await dropAll(taken);
          throw error;
        }
        let isHeld = true;
        return () =>
          inTurn(async () => {
            if (isHeld) await dropAll(taken);
            isHeld = false;
          });
      }),
  };
}

/** True when it is ours to remove: it was made now, or is what an earlier life left. */
function make(guard: Guard): Promise<boolean> {
  return inFolder(dirname(guard.path), async (folder) => {
    const path = `${folder}/${basename(guard.path)}`;
    try {
      await (guard.content === null ? mkdir(path) : create(path, guard.content));
      return true;
    } catch (error) {
      if (isErrno(error, "EEXIST")) return isLeftover(path, guard);
      // What the daemon may not write, the jail may not either.
      if (isErrno(error, "EROFS") || (isErrno(error, "EACCES") && (await isForeign(folder)))) return false;
      throw error;
    }
  });
}

async function create(path: string, content: string): Promise<void> {
  await writeFile(path, content, { mode: 0o644, flag: "wx" });
}

/** Removes it unless somebody has made it something else meanwhile. */
function remove(guard: Guard): Promise<void> {
  return inFolder(dirname(guard.path), async (folder) => {
    const path = `${folder}/${basename(guard.path)}`;
    if (guard.content === null) return rmdir(path);
    if (await holds(path, guard.content)) await unlink(path);
  }).catch((error: unknown) => {
    const isGone = ["ENOENT", "ENOTDIR", "ENOTEMPTY", "ELOOP"].some((code) => isErrno(error, code));
    if (!isGone && !(error instanceof AppError)) throw error; // the owner has removed, used or moved it: his
  });
}

async function isLeftover(path: string, guard: Guard): Promise<boolean> {
  return basename(guard.path) === "commondir" && guard.content !== null && (await holds(path, guard.content));
}

async function holds(path: string, content: string): Promise<boolean> {
  const stats: Stats = await lstat(path);
  return stats.isFile() && stats.size === content.length && (await readFile(path, "utf8")) === content;
}

/**
 * Calls `use` with a path that means that very folder whatever happens to its name, so that nothing is ever made
 * elsewhere by a link put in its place.
 */
async function inFolder<T>(path: string, use: (folder: string) => Promise<T>): Promise<T> {
  const handle: FileHandle = await open(path, FOLDER);
  try {
    const folder = `/proc/self/fd/${handle.fd}`;
    const real = await readlink(folder);
    if (real !== path)
      throw new AppError("path_outside", `Expected the folder ${path}, but it leads to ${real}`);
    return await use(folder);
  } finally {
    await handle.close();
  }
}
