import { constants, type Stats } from "node:fs";
import { access, stat } from "node:fs/promises";
import type { ApprovedPath } from "../domain/approved-path.ts";
import { isErrno } from "../domain/errors.ts";

/** What a folder lacks to be worked in. `grave`: nothing can be done there at all. `mend` is the line for a terminal. */
export interface AccessFault {
  readonly lacks: "read" | "enter" | "write" | "owner";
  readonly isGrave: boolean;
  readonly mend: string;
}

/** Asks what a folder lacks. Rejects when it is not there any more. */
export type FindAccessFaults = (folder: ApprovedPath) => Promise<readonly AccessFault[]>;

/** access(2) and stat(2) by what is asked, in the order in which it is told. */
const NEEDS = [
  { lacks: "read", mode: constants.R_OK, bit: 0o400, sign: "r" },
  { lacks: "enter", mode: constants.X_OK, bit: 0o100, sign: "x" },
  { lacks: "write", mode: constants.W_OK, bit: 0o200, sign: "w" },
] as const;

/**
 * Makes the question for the user that this process runs as (`uid`): may he read, enter and write the folder, and is it his? The
 * system itself is asked, which knows of access lists. Root may all, but works in a folder as its owner does: then that one's
 * bits tell.
 */
export function createFindAccessFaults(uid: number): FindAccessFaults {
  const isRoot = uid === 0;

  async function isLacking(folder: string, stats: Stats, need: (typeof NEEDS)[number]): Promise<boolean> {
    if (isRoot) return (stats.mode & need.bit) === 0;
    try {
      await access(folder, need.mode);
      return false;
    } catch (error) {
      if (["EACCES", "EPERM", "EROFS"].some((code) => isErrno(error, code))) return true;
      throw error;
    }
  }

  return async (folder) => {
    const stats = await stat(folder);
    const isOwn = isRoot || stats.uid === uid;
    const faults: AccessFault[] = [];
    for (const need of NEEDS) {
      if (!(await isLacking(folder, stats, need))) continue;
      const mend = isOwn ? `chmod u+${need.sign} ${quoted(folder)}` : ownLine(folder);
      faults.push({ lacks: need.lacks, isGrave: need.lacks !== "write", mend });
    }
    if (!isOwn) faults.push({ lacks: "owner", isGrave: false, mend: ownLine(folder) });
    return faults;
  };
}

/** The line by which what stands at a path makes way. */
export function moveMend(path: string): string {
  return `mv ${quoted(path)} ${quoted(`${path}.old`)}`;
}

/** The line by which a file that could not be read can be. */
export function readMend(path: string): string {
  return `chmod u+r ${quoted(path)}`;
}

/** The line by which a folder that could not be written can be. */
export function writeMend(folder: string): string {
  return `chmod u+rwx ${quoted(folder)}`;
}

/** What to do about a folder that is no folder any more, or that could not be listed. */
export function folderMend(folder: string, lack: "gone" | "shut"): string {
  return lack === "gone"
    ? `${quoted(folder)} is no folder any more: mount its disk, or put it back`
    : `chmod u+rx ${quoted(folder)}, and see that its disk is there`;
}

function ownLine(folder: string): string {
  return `sudo chown -R "$(id -un)" ${quoted(folder)}`;
}

/** As a shell takes it for one word. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`;
}
