import { constants, type Stats } from "node:fs";
import {
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  rmdir,
  symlink,
  unlink,
} from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { bytesOf, isGone } from "./byte-paths.ts";

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Copies files, folders and links as they are, following none and opening each from its folder, whatever is exchanged
 * meanwhile; sockets, pipes and devices are left out. Paths are byte strings; `target` must not exist.
 */
export async function copyTree(source: string, target: string): Promise<void> {
  const stats = await lstat(bytesOf(source));
  if (stats.isSymbolicLink()) return symlink(await readlink(bytesOf(source), "buffer"), bytesOf(target));
  if (stats.isFile()) return copyFile(source, target);
  if (!stats.isDirectory()) return;
  await mkdir(bytesOf(target), { mode: 0o700 });
  await eachIn(source, (at, name) => copyTree(`${at}/${name}`, `${target}/${name}`));
  const copy = await open(bytesOf(target), FOLDER);
  try {
    await keepOwner(copy, stats);
  } finally {
    await copy.close();
  }
}

/** Removes it with all that is in it, following no link; nothing there is fine. */
export async function removeTree(path: string): Promise<void> {
  try {
    const stats = await lstat(bytesOf(path));
    if (!stats.isDirectory()) return await unlink(bytesOf(path));
    await eachIn(path, (at, name) => removeTree(`${at}/${name}`));
    await rmdir(bytesOf(path));
  } catch (error) {
    if (!isGone(error)) throw error; // gone is the goal; what was exchanged is found at the next look
  }
}

async function copyFile(source: string, target: string): Promise<void> {
  const from = await open(bytesOf(source), FILE);
  try {
    const stats = await from.stat();
    if (!stats.isFile()) return;
    const to = await open(bytesOf(target), "wx", stats.mode & 0o777);
    await keepOwner(to, stats);
    await pipeline(from.createReadStream({ autoClose: false }), to.createWriteStream({ flush: true }));
  } finally {
    await from.close();
  }
}

/** A copy that root makes belongs to whom the original does; what anybody else copies is his own anyway. */
async function keepOwner(copy: FileHandle, { uid, gid }: Stats): Promise<void> {
  if (process.getuid?.() === 0) await copy.chown(uid, gid);
}

async function eachIn(path: string, act: (at: string, name: string) => Promise<void>): Promise<void> {
  const handle = await open(bytesOf(path), FOLDER);
  try {
    const at = process.platform === "linux" ? `/proc/self/fd/${handle.fd}` : path;
    for (const name of await readdir(bytesOf(at), "latin1")) await act(at, name);
  } finally {
    await handle.close();
  }
}
