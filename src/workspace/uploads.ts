import { randomBytes } from "node:crypto";
import { link, mkdir, readdir, rename, rm, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { ApprovedPath } from "../domain/approved-path.ts";
import type { FetchFile, FileReason, HeldFile, SentFile, Unpacked } from "../domain/attachment.ts";
import { AppError, isErrno } from "../domain/errors.ts";
import { numberedName, safeFileName, stemOf } from "../domain/file-name.ts";
import { type UploadTypes, uploadKindOf } from "../domain/upload-types.ts";
import type { Sift } from "../jail/jail.ts";
import { folderFault } from "../security/folder-fault.ts";
import { judgeType } from "./file-type.ts";
import { readSniffReport } from "./sift-answers.ts";
import { unpackArchive } from "./unpack.ts";

/** What became of a file that was sent. */
export type Receipt =
  | { readonly kind: "held"; readonly held: HeldFile }
  /** `path` is of an archive's entry, as its maker named it. */
  | { readonly kind: "refused"; readonly reason: FileReason; readonly path: string | null }
  | { readonly kind: "failed"; readonly cause: string };

/** Where the files that people send are kept. */
export interface Uploads {
  /** The folder of that name on the host; made if it is not there. Rejects with `uploads_shut` and the mend when it cannot be. */
  readonly folder: (name: string) => Promise<string>;
  /**
   * Fetches a file, looks at its bytes in a jail, unpacks it if it is an archive, and only then puts it into `folder`. Nothing of
   * it is left anywhere when it is not held. Rejects when the disk does not take it.
   */
  readonly receive: (file: SentFile, into: ReceiveInto) => Promise<Receipt>;
  /** Takes back what was received into a folder: it could not be put on record. */
  readonly discard: (folder: string, name: string) => Promise<void>;
  /** Removes what an earlier life had begun to fetch. */
  readonly sweep: () => Promise<void>;
}

interface ReceiveInto {
  /** On the host. */
  readonly folder: string;
  readonly project: ApprovedPath;
  readonly signal: AbortSignal;
}

interface UploadsDeps {
  /** Holds all folders, 0700. */
  readonly root: string;
  readonly types: UploadTypes;
  readonly maxFileBytes: number;
  readonly maxArchiveBytes: number;
  /** The owner's additions to the list of secrets. */
  readonly secretFiles: readonly string[];
  readonly fetchFile: FetchFile;
  readonly sift: Sift;
}

const INCOMING = "incoming-";
/** Names that are tried before a person's folder counts as full. */
const MAX_NUMBER = 10_000;

/** A name for a folder of uploads that nobody guesses. */
export function newFolderName(): string {
  return randomBytes(16).toString("hex");
}

export function createUploads(deps: UploadsDeps): Uploads {
  const { root, types, maxFileBytes, maxArchiveBytes, secretFiles, fetchFile, sift } = deps;

  async function receive(sent: SentFile, into: ReceiveInto): Promise<Receipt> {
    const staging = join(root, `${INCOMING}${newFolderName()}`);
    await mkdir(staging, { mode: 0o700 });
    try {
      return await receiveIn(staging, sent, into);
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  }

  async function receiveIn(staging: string, sent: SentFile, into: ReceiveInto): Promise<Receipt> {
    const { folder, project, signal } = into;
    const asNamed = safeFileName(sent.name);
    const kind = uploadKindOf(asNamed, types);
    if (kind === null) return refused("type");
    const file = join(staging, "file");
    const fetched = await fetchFile(sent.fileId, { place: file, maxBytes: maxFileBytes, signal });
    if (fetched.kind === "too_large") return refused("too_large");
    if (fetched.kind === "failed") return fetched;
    const { bytes, sha256 } = fetched;
    if (bytes === 0) return refused("empty");
    const ended = await sift({
      program: "sniff",
      file,
      target: null,
      order: {},
      maxFileBytes: 0,
      project,
      signal,
    });
    const seen = readSniffReport(ended);
    if (seen === null) return { kind: "failed", cause: "its type could not be looked at" };
    const verdict = judgeType(asNamed, kind, seen);
    if (verdict.kind === "refused") return refused(verdict.reason);
    const facts = { kind, bytes, sha256 };
    if (kind !== "archive" || seen.container === null) {
      const name = await place(file, folder, verdict.name);
      return { kind: "held", held: { ...facts, name, unpacked: null } };
    }
    const { container } = seen;
    const target = join(staging, "unpacked");
    const limits = { maxBytes: maxArchiveBytes };
    const report = await unpackArchive(
      { sift, limits, secretFiles },
      { file, target, container, project, signal },
    );
    if (report.kind === "refused") return refused(`archive_${report.fault}`, report.path);
    const { kind: _, ...unpacked }: { kind: string } & Unpacked = report;
    const name = await placeFolder(target, folder, stemOf(verdict.name));
    return { kind: "held", held: { ...facts, name, unpacked } };
  }

  return {
    folder: async (name) => {
      const path = join(root, name);
      await mkdir(path, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
        const fault = folderFault(cause, isErrno(cause, "EEXIST") ? path : root); // else it is what the folder is to lie in
        throw fault === null ? cause : new AppError("uploads_shut", fault, { cause });
      });
      return path;
    },
    receive,
    discard: (folder, name) => rm(join(folder, name), { recursive: true, force: true }),
    sweep: async () => {
      for (const name of await readdir(root)) {
        if (name.startsWith(INCOMING)) await rm(join(root, name), { recursive: true, force: true });
      }
    },
  };
}

function refused(reason: FileReason, path: string | null = null): Receipt {
  return { kind: "refused", reason, path };
}

/** Puts a file into a folder under that name, or under one with a number when it is taken. Overwrites nothing. */
async function place(file: string, folder: string, wanted: string): Promise<string> {
  const name = await firstFree(wanted, (each) => link(file, join(folder, each)));
  await unlink(file);
  return name;
}

async function placeFolder(from: string, folder: string, wanted: string): Promise<string> {
  const name = await firstFree(wanted, (each) => mkdir(join(folder, each), { mode: 0o700 }));
  const to = join(folder, name);
  await rename(from, to).catch(async (error: unknown) => {
    await rmdir(to);
    throw error;
  });
  return name;
}

async function firstFree(wanted: string, take: (name: string) => Promise<unknown>): Promise<string> {
  for (let number = 1; number < MAX_NUMBER; number += 1) {
    const name = number === 1 ? wanted : numberedName(wanted, number);
    try {
      await take(name);
      return name;
    } catch (error) {
      if (!isErrno(error, "EEXIST")) throw error;
    }
  }
  throw new Error("Expected a free name among 10,000, found none");
}
