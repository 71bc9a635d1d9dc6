import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { AppError, isErrno } from "../domain/errors.ts";
import { type ProjectEntry, textOfPath } from "../domain/finding.ts";
import { createEntryFinder } from "./project-entries.ts";
import { isForeign } from "./protection.ts";
import { walk } from "./walk.ts";

/** A tree larger than this is refused, since what was not looked at could hide anything. */
export const MAX_ENTRIES = 1_000_000;

interface LookOptions {
  readonly maxEntries?: number;
  readonly onFault?: (error: unknown) => void;
}

/**
 * All that git or a tool would obey in the project as it stands. Reads names and inodes only: no git is run, no link
 * followed, no file opened.
 * `onFault` is told of each part that cannot be looked into, which is then left out.
 * @throws AppError `path_invalid` for such a part when there is no `onFault`, and for a project that is too large.
 */
export async function lookThrough(
  project: string,
  { maxEntries = MAX_ENTRIES, onFault }: LookOptions = {},
): Promise<readonly ProjectEntry[]> {
  const find = createEntryFinder();
  const found: ProjectEntry[] = [];
  await walk({
    project,
    maxEntries,
    look: async (folder) => {
      const { entries, folders } = await find(folder);
      found.push(...entries);
      return folders;
    },
    onShut: (path, cause) => refuseShut(project, path, cause),
    ...(onFault === undefined ? {} : { onFault }),
  });
  return found;
}

/** @throws AppError `path_invalid`, but for a folder of another user's that cannot be entered, by the jail no more than by us. */
export async function refuseShut(project: string, path: string, cause: unknown): Promise<void> {
  const folder = join(project, textOfPath(path));
  if (isErrno(cause, "EACCES") && !folder.includes("\uFFFD") && (await isForeignAndShut(folder))) return;
  throw new AppError("path_invalid", `Cannot look into ${folder}: its permissions are in the way`, { cause });
}

async function isForeignAndShut(folder: string): Promise<boolean> {
  const canEnter = await access(folder, constants.X_OK).then(
    () => true,
    () => false, // the answer asked for
  );
  return !canEnter && (await isForeign(folder));
}
