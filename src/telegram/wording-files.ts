import type { FileReason, SentFile } from "../domain/attachment.ts";
import { safeFileName } from "../domain/file-name.ts";
import type { UnpackFault } from "../domain/unpack.ts";
import { escapeInvisible, shorten } from "../security/visible.ts";

const MAX_PATH = 100;

const FAULTS: Readonly<Record<UnpackFault, string>> = {
  broken: "it is damaged, or cannot be unpacked within the limits",
  truncated: "it is cut off",
  encrypted: "it is encrypted",
  method: "it is compressed in a way that I do not know",
  lying: "it does not hold what it says",
  overlap: "its files overlap",
  absolute: "it names a place outside itself",
  dot_dot: "it leads out of its own folder",
  bad_name: "a name in it has characters that hide something",
  backslash: "a name in it has a backslash, which parts folders for some and not for others",
  long_name: "a name in it is too long",
  deep: "its folders are too deep",
  duplicate: "it holds two files of one name",
  collides: "names in it would fall together",
  special: "it holds a device, a sparse file (tar -S) or something else that is no plain file",
  too_many: "it holds too many files",
  too_large: "it holds more than MAX_ARCHIVE_MB allows",
  ratio: "it would swell as only a bomb does",
  empty: "there is no file in it that I take",
};

type PlainReason = Exclude<FileReason, `archive_${UnpackFault}`>;

const REASONS: Readonly<Record<PlainReason, string>> = {
  too_large: "it is larger than MAX_UPLOAD_MB allows",
  type: "I do not take files of that type (UPLOAD_TYPES)",
  other_archive: "I unpack zip, tar and tar.gz only: send it as one of these",
  secret:
    "by its name it holds secrets, which Claude is not shown: if it holds none, send it under another name",
  empty: "it is empty",
  program: "it is a program, whatever its name says",
  mismatch: "its content is not what its name says",
  polyglot: "it is two kinds of file in one",
};

/** Why a file was not taken, in a line. `path` is of an archive's entry, and hostile. */
export function fileRefusedText(name: string, reason: FileReason, path: string | null = null): string {
  const where = path === null || path === "" ? "" : ` (${shorten(escapeInvisible(path), MAX_PATH)})`;
  return `⚠️ ${name} was not taken: ${reasonText(reason)}${where}.`;
}

/** The same where nothing was fetched; `detail` begins with the name. */
export function fileDeniedText(reason: PlainReason, detail: string | null): string {
  return `${detail ?? "That file"} was not taken: ${REASONS[reason]}. Nothing was run.`;
}

/** What stands for the text of a message that has none. */
export function filesText(files: readonly SentFile[]): string {
  return files.map(({ name }) => `📎 ${safeFileName(name)}`).join("\n");
}

function reasonText(reason: FileReason): string {
  if (isPlain(reason)) return REASONS[reason];
  const fault = Object.entries(FAULTS).find(([name]) => reason === `archive_${name}`);
  return fault?.[1] ?? FAULTS.broken;
}

function isPlain(reason: FileReason): reason is PlainReason {
  return Object.hasOwn(REASONS, reason);
}
