import { type FSWatcher, watch } from "node:fs";
import { AppError, isErrno } from "../domain/errors.ts";
import { lstatOrNull, type ProtectedPath } from "./protection.ts";

/** How often folders are looked at whose events the jail itself could make, and in floods. */
const PIN_POLL_MS = 1_000;

/**
 * Calls `onChange` with a protected path as soon as it is not the same file any more. A mount sits on a file, not on a
 * name: when the owner's git or editor replaces `.git/config` or `.env` by a new file (written beside and renamed over),
 * the kernel drops the mount inside the jail, and the new file is open to it. May call more than once.
 * Gives the function that ends the watch. What the jail does in the milliseconds before is told, not prevented.
 *
 * Only what the jail cannot write is watched for events; folders that it writes to are polled, since a flood of events
 * from inside would stop the daemon's event loop.
 * @throws AppError `path_outside` when something has gone already, `sandbox_missing` when the system's watches are used up.
 */
export function watchProtected(
  paths: readonly ProtectedPath[],
  onChange: (path: string) => void,
): () => void {
  const watchers: FSWatcher[] = [];
  const pins = paths.filter(({ kind }) => kind === "pin");
  const timer = setInterval(() => {
    for (const pin of pins) void check(pin);
  }, PIN_POLL_MS);
  timer.unref();

  async function check(path: ProtectedPath): Promise<void> {
    const isSame = await isUnchanged(path).catch(() => false); // what cannot be looked at is not known to be safe
    if (!isSame) onChange(path.path);
  }
  function close(): void {
    clearInterval(timer);
    for (const watcher of watchers) watcher.close();
  }
  try {
    for (const path of paths) {
      if (path.kind === "pin") continue;
      const watcher = watch(path.path, { persistent: false }, () => void check(path));
      watcher.on("error", () => onChange(path.path));
      watchers.push(watcher);
    }
  } catch (error) {
    close();
    throw watchFault(error);
  }
  return close;
}

/** Says what to do when the system's watches are used up; other faults come back as they are. */
export function watchFault(error: unknown): unknown {
  if (isErrno(error, "ENOENT")) {
    return new AppError(
      "path_outside",
      "A protected path was exchanged while its jail was being made: try again",
      {
        cause: error,
      },
    );
  }
  if (!isErrno(error, "ENOSPC") && !isErrno(error, "EMFILE")) return error;
  return new AppError(
    "sandbox_missing",
    "This system's file watches are used up, and a jail needs some: sudo sysctl -w fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512",
    { cause: error },
  );
}

/** True while the path still names the file or folder that was meant. */
export async function isUnchanged({ path, dev, ino }: ProtectedPath): Promise<boolean> {
  const now = await lstatOrNull(path);
  return now !== null && now.dev === dev && now.ino === ino;
}
