import type { IncomingMessage, ServerResponse } from "node:http";
import { finished } from "node:stream";

/** Bodies that are in memory, of all jails together. */
export interface BodyReader {
  /**
   * The whole body, which counts until the response is over; `too_large` beyond `maxBytes`, `busy` when too much is in memory
   * already, `gone` when the client went away.
   */
  readonly read: (
    request: IncomingMessage,
    response: ServerResponse,
  ) => Promise<Buffer | "too_large" | "busy" | "gone">;
}

/** Reads bodies of at most `maxBytes` each and `maxTotalBytes` together, so that a jail cannot fill the daemon's memory. */
export function createBodyReader(limits: {
  readonly maxBytes: number;
  readonly maxTotalBytes: number;
}): BodyReader {
  let heldBytes = 0;

  return {
    read: (request, response) =>
      new Promise((resolve) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        let isOver = false;
        const end = (outcome: Buffer | "too_large" | "busy" | "gone") => {
          if (isOver) return;
          isOver = true;
          const release = (): void => {
            heldBytes -= bytes;
          };
          if (Buffer.isBuffer(outcome)) finished(response, release);
          else release();
          request.off("data", take);
          resolve(outcome);
        };
        const take = (chunk: Buffer) => {
          bytes += chunk.length;
          heldBytes += chunk.length;
          chunks.push(chunk);
          if (bytes > limits.maxBytes) end("too_large");
          else if (heldBytes > limits.maxTotalBytes) end("busy");
        };
        request.on("data", take);
        request.once("end", () => end(Buffer.concat(chunks)));
        request.once("error", () => end("gone"));
        request.once("close", () => end("gone"));
      }),
  };
}
