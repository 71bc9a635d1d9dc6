import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { extname, join } from "node:path";
import { Worker } from "node:worker_threads";
import { AppError } from "../domain/errors.ts";
import type { JailLoss } from "./jail.ts";
import type { ProtectedPath } from "./protection.ts";
import type { FromWatcher, ToWatcher } from "./secret-messages.ts";
import { watchFault } from "./watch-protected.ts";

/** One project that is watched for secrets that appear. */
export interface SecretWatch {
  /** Resolves when every folder is watched and was looked at; rejects with `sandbox_missing` when that cannot be. */
  readonly opened: Promise<void>;
  /** Resolves when all that happened until now was noticed and looked at; what it means has been told by then. */
  readonly settle: () => Promise<void>;
  readonly close: () => void;
}

/** What to watch. `onLoss` is called once, for the first secret. */
export interface SecretWatchRequest {
  readonly project: string;
  readonly protectedPaths: readonly ProtectedPath[];
  readonly exposed: readonly string[];
  readonly onLoss: (loss: JailLoss) => void;
}

/** Watches projects, all in one thread of their own, which is started with the first. */
export interface SecretWatcher {
  readonly watch: (request: SecretWatchRequest) => SecretWatch;
  readonly close: () => Promise<void>;
}

interface Open {
  readonly project: string;
  readonly ready: PromiseWithResolvers<void>;
  readonly tell: (loss: JailLoss) => void;
}

/** `scratchDir` is the daemon's own; `additions` are the owner's to the list of secrets. */
export function createSecretWatcher(scratchDir: string, additions: readonly string[]): SecretWatcher {
  const open = new Map<number, Open>();
  const settling = new Map<number, () => void>();
  let worker: Worker | null = null;
  let count = 0;

  function take(message: FromWatcher): void {
    switch (message.kind) {
      case "opened":
        open.get(message.id)?.ready.resolve();
        return;
      case "settled":
        settling.get(message.token)?.();
        settling.delete(message.token);
        return;
      case "lost":
        open.get(message.id)?.tell({ kind: "secret", path: message.path });
        return;
      case "failed":
        fail(message.id, message.code);
        return;
    }
  }

  /** What cannot be watched is not known to be safe. */
  function fail(id: number, code: string): void {
    const failed = open.get(id);
    failed?.ready.reject(watchFault(Object.assign(new Error(code), { code })));
    failed?.tell({ kind: "protection", path: failed.project });
  }

  function end(ended: Worker): void {
    if (worker !== ended) return; // told before
    worker = null;
    for (const id of open.keys()) fail(id, "the thread that watches for secrets ended");
    for (const done of settling.values()) done();
    settling.clear();
  }

  function start(): Worker {
    const sentinelDir = join(scratchDir, "watch");
    mkdirSync(sentinelDir, { recursive: true, mode: 0o700 });
    const file = join(import.meta.dirname, `secret-worker${extname(import.meta.filename)}`);
    const started = new Worker(file, { workerData: { sentinelDir }, env: {}, stdin: false });
    started.unref();
    started.on("message", take);
    started.on("error", () => end(started));
    started.on("exit", () => end(started));
    worker = started;
    return started;
  }

  function send(message: ToWatcher): void {
    (worker ?? start()).postMessage(message);
  }

  return {
    watch: ({ project, protectedPaths, exposed, onLoss }) => {
      count += 1;
      const id = count;
      let isTold = false;
      const ready = Promise.withResolvers<void>();
      ready.promise.catch(() => undefined); // whoever waits for it is told
      const tell = (loss: JailLoss): void => {
        if (isTold) return;
        isTold = true;
        onLoss(loss);
      };
      open.set(id, { project, ready, tell });
      const masks = protectedPaths.filter(({ kind }) => kind === "mask");
      const masked = new Map(masks.map(({ path, dev, ino }) => [path, `${dev}:${ino}`]));
      send({ kind: "open", id, project, additions, masked, exposed });
      return {
        opened: ready.promise,
        settle: () =>
          new Promise((resolve) => {
            if (!open.has(id)) return resolve();
            count += 1;
            settling.set(count, resolve);
            send({ kind: "settle", id, token: count });
          }),
        close: () => {
          open.delete(id);
          ready.reject(new AppError("sandbox_missing", "The jail ended before its project was watched"));
          if (worker !== null) send({ kind: "close", id });
        },
      };
    },
    close: async () => {
      await worker?.terminate();
      await rm(join(scratchDir, "watch"), { recursive: true, force: true });
    },
  };
}
