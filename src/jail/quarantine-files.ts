import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError, isErrno } from "../domain/errors.ts";
import { byteString, bytesOf, isGone, placeOf } from "./byte-paths.ts";
import { copyTree, removeTree } from "./copy-tree.ts";

/** One thing of a project that lies, or is to lie, in the quarantine. */
export interface QuarantinedFile {
  /** The project, absolute and real. */
  readonly root: string;
  /** Below the project, as a byte string. */
  readonly path: string;
  /** The inode that was found there; null when any will do. */
  readonly ino: string | null;
  /** A folder of the quarantine for this thing alone. */
  readonly folder: string;
}

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Moves a thing out of its project, whatever is exchanged under it meanwhile: its parents are opened one from another, so
 * nothing outside the project is ever moved. May be repeated after a crash at any point of it. On another file system it
 * is copied, following no link and running nothing, then removed. `gone` when nothing was there any more.
 */
export async function moveOut({ root, path, ino, folder }: QuarantinedFile): Promise<"moved" | "gone"> {
  const item = byteString(join(folder, "item"));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const isMoved = await exists(item);
  const moved = await inParent(root, path, async (parent, name) => {
    const source = `${parent}/${name}`;
    // The copy of an earlier life is whole: what it came from is removed, and nothing that came after it.
    if (isMoved) return (await inodeOf(source)) === ino ? removeTree(source) : undefined;
    await moveAcross(source, item, byteString(join(folder, "part")));
    await syncFolder(parent);
    return undefined;
  }).catch((error: unknown) => {
    if (isGone(error)) return "gone" as const;
    throw error;
  });
  await syncFolder(byteString(folder));
  if (moved === "gone" && !isMoved) await rm(folder, { recursive: true, force: true });
  return isMoved ? "moved" : (moved ?? "moved");
}

/** Moves it back to its place; `taken` when something else is there, or its folder is gone. May be repeated after a crash. */
export async function moveBack({ root, path, folder }: QuarantinedFile): Promise<"moved" | "taken"> {
  const item = byteString(join(folder, "item"));
  const result = await inParent(root, path, async (parent, name) => {
    const target = `${parent}/${name}`;
    const isThere = await exists(target);
    if (!(await exists(item))) return isThere ? "moved" : "taken";
    if (isThere) return "taken";
    await moveAcross(item, target, `${parent}/.sallyport-part`);
    await syncFolder(parent);
    return "moved";
  }).catch((error: unknown) => {
    if (isGone(error)) return "taken" as const;
    throw error;
  });
  if (result === "moved") await rm(folder, { recursive: true, force: true });
  return result;
}

/** Calls `use` with a byte string that means the very folder that holds `path`, no link on the way followed. */
async function inParent<T>(
  root: string,
  path: string,
  use: (parent: string, name: string) => Promise<T>,
): Promise<T> {
  const names = path.split("/");
  const name = names.pop() ?? "";
  if ([name, ...names].some((one) => ["", ".", ".."].includes(one)))
    throw new AppError("path_outside", `Expected a path below ${root}`);
  let at = "";
  let handle: FileHandle = await open(bytesOf(byteString(root)), FOLDER);
  try {
    for (const next of names) {
      const child = await open(bytesOf(`${placeOf(handle, root, at)}/${next}`), FOLDER);
      await handle.close();
      handle = child;
      at = at === "" ? next : `${at}/${next}`;
    }
    return await use(placeOf(handle, root, at), name);
  } finally {
    await handle.close();
  }
}

/** `part` lies beside `target` and holds what is not whole yet. */
async function moveAcross(source: string, target: string, part: string): Promise<void> {
  try {
    await rename(bytesOf(source), bytesOf(target));
  } catch (error) {
    if (!isErrno(error, "EXDEV")) throw error;
    await removeTree(part);
    await copyTree(source, part);
    await rename(bytesOf(part), bytesOf(target));
    await syncFolder(byteString(dirname(Buffer.from(target, "latin1").toString("utf8"))));
    await removeTree(source);
  }
}

async function exists(path: string): Promise<boolean> {
  return (await inodeOf(path)) !== null;
}

async function inodeOf(path: string): Promise<string | null> {
  try {
    return String((await lstat(bytesOf(path), { bigint: true })).ino);
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** What was moved into or out of the folder stays so after a loss of power. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(bytesOf(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
