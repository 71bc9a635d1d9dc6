import { isErrno } from "./errors.ts";

/** System errors by which a disk is at fault, and not what was to be written on it. */
export const DISK_FAULTS = ["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EIO"] as const;
export type DiskFault = (typeof DISK_FAULTS)[number];

/** A disk of this machine did not take a file. `code` is the system's own, null where it gave none; `isErrno` knows it by that. */
export class DiskError extends Error {
  override readonly name = "DiskError";
  readonly code: string | null;

  constructor(code: string | null, options?: ErrorOptions) {
    super(`Expected a file to be written, got ${code ?? "a fault without a code"}`, options);
    this.code = code;
  }
}

/** By which of its faults a disk is behind an error; null when something else is. */
export function diskFaultOf(error: unknown): DiskFault | null {
  return DISK_FAULTS.find((code) => isErrno(error, code)) ?? null;
}
