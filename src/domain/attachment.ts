import type { UnpackFault, UnpackReport } from "./unpack.ts";
import type { UploadKind } from "./upload-types.ts";

/** A file that a person sent, as the message describes it; nothing of that need be true. */
export interface SentFile {
  readonly fileId: string;
  /** As it was named, unchecked. */
  readonly name: string;
  /** Null where the message does not say. */
  readonly bytes: number | null;
}

/** Why a file was not taken. */
export type FileReason =
  | "too_large"
  | "type"
  | "other_archive"
  | "secret"
  | "empty"
  | "program"
  | "mismatch"
  | "polyglot"
  | `archive_${UnpackFault}`;

/** Those of them that the message alone tells, before anything is fetched. */
export type SentFileReason = Extract<FileReason, "too_large" | "type" | "other_archive" | "secret">;

/** What came out of an archive. */
export type Unpacked = Omit<Extract<UnpackReport, { kind: "unpacked" }>, "kind">;

/** A file, or a folder that was an archive, in the uploads of a person and project. */
export interface HeldFile {
  /** Its name there. */
  readonly name: string;
  readonly kind: UploadKind;
  /** Of what was sent. */
  readonly bytes: number;
  readonly sha256: string;
  /** For an archive. */
  readonly unpacked: Unpacked | null;
}

/** A file of a work: still to be fetched while `held` is null. */
export interface Attachment extends SentFile {
  readonly id: number;
  readonly held: HeldFile | null;
}

/** How fetching a file ended. `failed` may succeed another time; `cause` holds neither token nor address. */
export type FetchEnd =
  | { readonly kind: "fetched"; readonly bytes: number; readonly sha256: string }
  | { readonly kind: "too_large" }
  | { readonly kind: "failed"; readonly cause: string };

/** Writes a file that a person sent to `place`, which must not exist; no more than `maxBytes`, whatever was declared. */
export type FetchFile = (
  fileId: string,
  into: { readonly place: string; readonly maxBytes: number; readonly signal: AbortSignal },
) => Promise<FetchEnd>;
