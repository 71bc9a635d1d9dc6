/** The thread that reads large request bodies, started by `wire-reader.ts`. */
import { parentPort } from "node:worker_threads";
import type { FromReader, ToReader } from "./wire-messages.ts";
import { readWireRequest } from "./wire-request.ts";

parentPort?.on("message", ({ id, bytes }: ToReader) => {
  const read = readWireRequest(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const message: FromReader = { id, read };
  parentPort?.postMessage(message);
});
