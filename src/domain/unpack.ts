import type { DiskFault } from "./disk-error.ts";

/** How far an archive is unpacked. Bytes are those of the unpacked files. */
export interface UnpackLimits {
  readonly maxBytes: number;
  /** Files and folders, those on the way to one included. */
  readonly maxEntries: number;
  readonly maxDepth: number;
  /** Of one name and of a whole path, in bytes of UTF-8. */
  readonly maxNameBytes: number;
  readonly maxPathBytes: number;
  /** How many times its own size it may grow, once it is past `ratioFromBytes`. */
  readonly maxRatio: number;
  readonly ratioFromBytes: number;
}

/** What holds beside `MAX_ARCHIVE_MB`. */
export const UNPACK_LIMITS: Omit<UnpackLimits, "maxBytes"> = {
  maxEntries: 10_000,
  maxDepth: 24,
  maxNameBytes: 255,
  maxPathBytes: 1_000,
  maxRatio: 200,
  ratioFromBytes: 1024 * 1024,
};

/** Why nothing of an archive is taken. */
export const UNPACK_FAULTS = [
  "broken",
  "truncated",
  "encrypted",
  "method",
  "lying",
  "overlap",
  "absolute",
  "dot_dot",
  "bad_name",
  "backslash",
  "long_name",
  "deep",
  "duplicate",
  "collides",
  "special",
  "too_many",
  "too_large",
  "ratio",
  "empty",
] as const;
export type UnpackFault = (typeof UNPACK_FAULTS)[number];

/** Why an entry was left out, while the rest was taken: it is a link, holds secrets by its name, or would run or decide something. */
export const LEFT_OUT = ["link", "secret", "settings"] as const;
export type LeftOut = (typeof LEFT_OUT)[number];

/** What became of an archive. Paths are below the target and come from whoever made the archive. */
export type UnpackReport =
  | {
      readonly kind: "unpacked";
      readonly files: number;
      readonly bytes: number;
      /** The first of them, and how many there are of each reason. */
      readonly leftOut: readonly string[];
      readonly counts: Readonly<Record<LeftOut, number>>;
      /** Archives in the archive, which stay packed: the first, and how many. */
      readonly nested: readonly string[];
      readonly nestedCount: number;
    }
  | { readonly kind: "refused"; readonly fault: UnpackFault; readonly path: string | null };

/** The disk did not take what came out of an archive: of the archive that says nothing. */
export interface UnpackFailure {
  readonly kind: "failed";
  readonly code: DiskFault;
}

/** What a look at a file's bytes gave. */
export interface SniffReport {
  /** By magic bytes, as file-type names them; null when they are not known. */
  readonly extension: string | null;
  readonly mime: string | null;
  /** What every archive begins with; of a tar, its first header. */
  readonly container: "zip" | "gzip" | "tar" | null;
  /** Text in some encoding: nothing in it that only binary files have. */
  readonly isText: boolean;
  /** A program of some system's. */
  readonly isProgram: boolean;
  /** Where `%PDF-` stands in the first KiB: 0 also where nothing but blanks is before it; -1 for nowhere. */
  readonly pdfAt: number;
  /** Programs that read archives from their end would take it for a zip. */
  readonly endsAsZip: boolean;
}
