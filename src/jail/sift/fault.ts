import type { UnpackFault } from "../../domain/unpack.ts";

/** Ends an unpacking: nothing of the archive is taken. */
export class ArchiveFault extends Error {
  override readonly name = "ArchiveFault";
  readonly fault: UnpackFault;
  readonly path: string | null;

  constructor(fault: UnpackFault, path: string | null = null) {
    super(fault);
    this.fault = fault;
    this.path = path;
  }
}
