import type { ReadRequest } from "./wire-request.ts";

/** To the thread that reads large bodies. */
export interface ToReader {
  readonly id: number;
  readonly bytes: Uint8Array;
}

/** What it says: buffers arrive as plain bytes. */
export interface FromReader {
  readonly id: number;
  readonly read:
    | Extract<ReadRequest, { kind: "refused" }>
    | (Omit<Extract<ReadRequest, { kind: "read" }>, "body"> & { readonly body: Uint8Array });
}
