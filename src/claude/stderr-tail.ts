import type { Readable } from "node:stream";

const KEEP_CHARACTERS = 4096;

/** Reads a stream to its end and gives what came last, so that the writer never blocks and memory stays flat. */
export function tailOf(stderr: Readable): () => string {
  let tail = "";
  stderr.setEncoding("utf8");
  stderr.on("data", (text: string) => {
    tail = (tail + text).slice(-KEEP_CHARACTERS);
  });
  stderr.on("error", () => undefined); // nothing depends on it; the process's end is reported elsewhere
  return () => tail;
}
