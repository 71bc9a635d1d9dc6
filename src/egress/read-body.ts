import type { IncomingMessage } from "node:http";

/** Bodies that wait in memory to be read whole, of all jails together. */
export interface BodyReader {
  /** The whole body; `too_large` beyond `maxBytes`, `busy` when too much waits already, `gone` when the client went away. */
  readonly read: (request: IncomingMessage) => Promise<Buffer | "too_large" | "busy" | "gone">;
}

/** Reads bodies of at most `maxBytes` each and `maxTotalBytes` together, so that a jail cannot fill the daemon's memory. */
export function createBodyReader(limits: {
  readonly maxBytes: number;
  readonly maxTotalBytes: number;
}): BodyReader {
  let waitingBytes = 0;

  return {
    read: (request) =>
      new Promise((resolve) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        let isOver = false;
        const end = (outcome: Buffer | "too_large" | "busy" | "gone") => {
          if (isOver) return;
          isOver = true;
          waitingBytes -= bytes;
          request.off("data", take);
          resolve(outcome);
        };
        const take = (chunk: Buffer) => {
          bytes += chunk.length;
          waitingBytes += chunk.length;
          chunks.push(chunk);
          if (bytes > limits.maxBytes) end("too_large");
          else if (waitingBytes > limits.maxTotalBytes) end("busy");
        };
        request.on("data", take);
        request.once("end", () => end(Buffer.concat(chunks)));
        request.once("error", () => end("gone"));
        request.once("close", () => end("gone"));
      }),
  };
}
