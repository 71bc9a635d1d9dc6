import { readFile } from "node:fs/promises";
import { AppError } from "../domain/errors.ts";
import { lstatOrNull, type ProtectedPath } from "./protection.ts";
import { isUnchanged } from "./watch-protected.ts";

/** One mount of a process: where, and whether it is read-only there. */
export interface MountPoint {
  readonly path: string;
  readonly isReadonly: boolean;
}

/** What a mask shows: the empty file. */
export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** What to check: the jail's first process, the folder approved, and what must be mounted over it. */
export interface VerifyRequest {
  readonly pid: number;
  readonly project: ProtectedPath;
  readonly protectedPaths: readonly ProtectedPath[];
  readonly emptyFile: FileIdentity;
}

/**
 * Looks from outside at the mounts of a jail that is set up and has not begun: each must be there, of the right kind, over
 * the very file that was planned. Closes every race between the look at the project and bwrap's own (H21).
 * @throws AppError `path_outside` when something was exchanged meanwhile.
 */
export async function verifyMounts({
  pid,
  project,
  protectedPaths,
  emptyFile,
}: VerifyRequest): Promise<void> {
  const mounts = new Map(
    parseMountinfo(await readFile(`/proc/${pid}/mountinfo`, "utf8")).map((mount) => [mount.path, mount]),
  );
  for (const planned of [project, ...protectedPaths]) {
    const mount = mounts.get(planned.path);
    const seen = await lstatOrNull(`/proc/${pid}/root${planned.path}`);
    const wanted = planned.kind === "mask" ? emptyFile : planned;
    const isRight =
      mount !== undefined &&
      (planned.kind === "pin" || mount.isReadonly) &&
      seen?.dev === wanted.dev &&
      seen.ino === wanted.ino &&
      (await isUnchanged(planned));
    if (!isRight) {
      throw new AppError(
        "path_outside",
        `${planned.path} was exchanged while its jail was being made: try again`,
      );
    }
  }
}

/** The folder that was approved, as it is now: what is mounted in the end is compared with it. With its owner. */
export async function approvedFolder(project: string) {
  const owner = await lstatOrNull(project);
  if (owner?.isDirectory()) {
    const folder: ProtectedPath = { path: project, kind: "pin", dev: owner.dev, ino: owner.ino };
    return { folder, owner };
  }
  throw new AppError("path_invalid", `Project must be a directory, but ${project} is none any more`);
}

/** Reads /proc/<pid>/mountinfo (proc(5)). Of several mounts on one path the last, which is the one seen, comes last. */
export function parseMountinfo(text: string): readonly MountPoint[] {
  return text
    .split("\n")
    .map((line) => line.split(" "))
    .filter((fields) => fields.length > 5)
    .map((fields) => ({
      path: unescapeOctal(fields[4] ?? ""),
      isReadonly: (fields[5] ?? "").split(",").includes("ro"),
    }));
}

/** Blank, tab, newline and backslash come as `\040` and the like; all else is raw bytes. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
