import { z } from "zod";
import { DISK_FAULTS } from "../domain/disk-error.ts";
import {
  LEFT_OUT,
  type SniffReport,
  UNPACK_FAULTS,
  type UnpackFailure,
  type UnpackReport,
} from "../domain/unpack.ts";

const count = z.int().nonnegative();
const names = z.array(z.string()).max(5);

const sniffSchema = z.object({
  extension: z.string().nullable(),
  mime: z.string().nullable(),
  container: z.enum(["zip", "gzip", "tar"]).nullable(),
  isText: z.boolean(),
  isProgram: z.boolean(),
  pdfAt: z.int(),
  endsAsZip: z.boolean(),
});

const unpackSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("unpacked"),
    files: count,
    bytes: count,
    leftOut: names,
    counts: z.record(z.enum(LEFT_OUT), count),
    nested: names,
    nestedCount: count,
  }),
  z.object({ kind: z.literal("refused"), fault: z.enum(UNPACK_FAULTS), path: z.string().nullable() }),
  z.object({ kind: z.literal("failed"), code: z.enum(DISK_FAULTS) }),
]);

/** How a program of `sift/` ended. */
interface Ended {
  readonly code: number | null;
  readonly stdout: string;
}

/** What `sniff` found; null when it did not end as it should. */
export function readSniffReport(ended: Ended): SniffReport | null {
  return sniffSchema.safeParse(jsonOf(ended)).data ?? null;
}

/** What became of an archive; null when `unpack` did not end as it should: out of time or memory, or worse. */
export function readUnpackReport(ended: Ended): UnpackReport | UnpackFailure | null {
  return unpackSchema.safeParse(jsonOf(ended)).data ?? null;
}

function jsonOf({ code, stdout }: Ended): unknown {
  if (code !== 0) return null;
  try {
    return JSON.parse(stdout);
  } catch {
    return null; // cut off in the middle: as if it had said nothing
  }
}
