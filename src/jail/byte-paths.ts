import type { FileHandle } from "node:fs/promises";
import { isErrno } from "../domain/errors.ts";

/**
 * A path as the system takes it, from a byte string (one character for each byte): names of files need not be UTF-8, and
 * what is hidden behind such a name must be found and moved all the same.
 */
export function bytesOf(path: string): Buffer {
  return Buffer.from(path, "latin1");
}

/** The byte string of ordinary text. */
export function byteString(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/**
 * A byte string that means the open folder itself. On Linux whatever happens to its name; elsewhere its path, which is as
 * good as the parents that nobody can exchange.
 */
export function placeOf(handle: FileHandle, project: string, path: string): string {
  if (process.platform === "linux") return `/proc/self/fd/${handle.fd}`;
  return path === "" ? byteString(project) : `${byteString(project)}/${path}`;
}

/** True when there is nothing, or no folder, where one was looked for without following links. */
export function isGone(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "ELOOP"].some((code) => isErrno(error, code));
}
