import { chmod, lstat, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ApprovedPath } from "../domain/approved-path.ts";
import { DiskError } from "../domain/disk-error.ts";
import { UNPACK_LIMITS, type UnpackLimits, type UnpackReport } from "../domain/unpack.ts";
import type { Sift } from "../jail/jail.ts";
import { readUnpackReport } from "./sift-answers.ts";

/** An archive of somebody else's, and where its files are to go. Both in a folder of the daemon's own. */
interface UnpackRequest {
  readonly file: string;
  /** Must not exist. */
  readonly target: string;
  readonly container: "zip" | "gzip" | "tar";
  readonly project: ApprovedPath;
  readonly signal: AbortSignal;
}

interface UnpackDeps {
  readonly sift: Sift;
  readonly limits: Pick<UnpackLimits, "maxBytes"> & Partial<UnpackLimits>;
  /** The owner's additions to the list of secrets. */
  readonly secretFiles: readonly string[];
}

/**
 * Unpacks an archive in a jail of its own. What came out is looked at again from outside, by what is there and not by what is
 * said: folders and files with one name each, within the limits; none may be run. Of an archive that is refused nothing is left.
 * Rejects with a `DiskError` when the disk does not take what comes out.
 */
export async function unpackArchive(deps: UnpackDeps, request: UnpackRequest): Promise<UnpackReport> {
  const { file, target, container, project, signal } = request;
  const limits: UnpackLimits = { ...UNPACK_LIMITS, ...deps.limits };
  await mkdir(target, { mode: 0o700 });
  try {
    const order = { container, limits, secretFiles: deps.secretFiles };
    const ended = await deps.sift({
      program: "unpack",
      file,
      target,
      order,
      maxFileBytes: limits.maxBytes,
      project,
      signal,
    });
    const report = readUnpackReport(ended) ?? BROKEN;
    if (report.kind === "failed") throw new DiskError(report.code);
    if (report.kind === "unpacked" && (await isAsTold(target, report, limits))) return report;
    await rm(target, { recursive: true, force: true });
    return report.kind === "refused" ? report : BROKEN;
  } catch (error) {
    await rm(target, { recursive: true, force: true });
    throw error;
  }
}

const BROKEN: UnpackReport = { kind: "refused", fault: "broken", path: null };

async function isAsTold(
  target: string,
  told: Extract<UnpackReport, { kind: "unpacked" }>,
  limits: UnpackLimits,
): Promise<boolean> {
  const seen = { files: 0, bytes: 0, entries: 0 };

  async function look(folder: string): Promise<boolean> {
    await chmod(folder, 0o700);
    for (const name of await readdir(folder)) {
      seen.entries += 1;
      if (seen.entries > limits.maxEntries) return false;
      const path = join(folder, name);
      const found = await lstat(path);
      if (found.isDirectory()) {
        if (!(await look(path))) return false;
        continue;
      }
      if (!found.isFile() || found.nlink !== 1) return false;
      await chmod(path, 0o600);
      seen.files += 1;
      seen.bytes += found.size;
    }
    return seen.bytes <= limits.maxBytes;
  }

  return (await look(target)) && seen.files === told.files;
}
