import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { startThread } from "../domain/thread.ts";
import type { FromReader, ToReader } from "./wire-messages.ts";
import { type ReadRequest, readWireRequest } from "./wire-request.ts";

/** So much is read where it came, in 40 ms at worst; a body made to be slow takes a second and more at the API's limit. */
const MAX_INLINE_BYTES = 1024 * 1024;

/** Reads request bodies: large ones, which a jail can send one after the other, in a thread that holds up nobody else. */
export interface WireReader {
  /** As `readWireRequest`; rejects when the thread ended. */
  readonly read: (bytes: Buffer) => Promise<ReadRequest>;
  readonly close: () => Promise<void>;
}

interface Waiting {
  readonly resolve: (read: ReadRequest) => void;
  readonly reject: (error: unknown) => void;
}

/** The thread is started with the first large body. */
export function createWireReader(): WireReader {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | null = null;
  let count = 0;

  function start(): Worker {
    const started = startThread(join(import.meta.dirname, "wire-worker"));
    started.on("message", ({ id, read }: FromReader) => {
      waiting.get(id)?.resolve(read.kind === "read" ? { ...read, body: Buffer.from(read.body) } : read);
      waiting.delete(id);
    });
    const end = (error: unknown): void => {
      if (worker === started) worker = null;
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    };
    started.on("error", end);
    started.on("exit", () => end(new Error("the thread that reads requests ended")));
    worker = started;
    return started;
  }

  return {
    read: (bytes) => {
      if (bytes.length <= MAX_INLINE_BYTES) return Promise.resolve(readWireRequest(bytes));
      count += 1;
      const message: ToReader = { id: count, bytes };
      const { promise, resolve, reject } = Promise.withResolvers<ReadRequest>();
      waiting.set(count, { resolve, reject });
      (worker ?? start()).postMessage(message);
      return promise;
    },
    close: async () => void (await worker?.terminate()),
  };
}
