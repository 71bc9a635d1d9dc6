import { constants } from "node:fs";
import { type FileHandle, open, readlink } from "node:fs/promises";
import type { ApprovedPath } from "../domain/approved-path.ts";
import { AppError, isErrno } from "../domain/errors.ts";
import { readMend } from "./access.ts";
import { isInside } from "./is-inside.ts";
import { quote } from "./visible.ts";

/** open(2) of macOS 11 and later: fails when any part of the way is a link, not only the last. Node does not name it. */
const O_NOFOLLOW_ANY_DARWIN = 0x2000_0000;

/** Never follows a link at the end, never waits for the other end of a pipe. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Opens an approved path for reading so that nothing swapped on the way, before or while it is opened, leads out.
 * What was checked by name before says nothing any more, so the open file itself is asked: Linux tells where an open
 * file lies (`/proc/self/fd`), macOS refuses to open through a link at all (an approved path has none).
 */
export async function openChecked(path: ApprovedPath, root: ApprovedPath): Promise<FileHandle> {
  const flags = process.platform === "darwin" ? READ | O_NOFOLLOW_ANY_DARWIN : READ;
  const handle = await open(path, flags).catch((cause: unknown) => {
    if (isErrno(cause, "EACCES"))
      throw new AppError("path_shut", `I may not read ${quote(path)}. At the machine: ${readMend(path)}`, {
        cause,
      });
    throw new AppError("path_invalid", `Expected a file that opens and is no link, got ${quote(path)}`, {
      cause,
    });
  });
  try {
    const place = process.platform === "darwin" ? path : await readlink(`/proc/self/fd/${handle.fd}`);
    if (!isInside(root, place))
      throw new AppError("path_outside", `The file was replaced by one outside: ${quote(path)}`);
    if (!(await handle.stat()).isFile())
      throw new AppError("path_invalid", `Expected a regular file, got ${quote(path)}`);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}
