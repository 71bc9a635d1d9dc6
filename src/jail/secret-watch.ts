import { mkdirSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../domain/errors.ts";
import { startThread } from "../domain/thread.ts";
import type { JailLoss } from "./jail.ts";
import type { ProtectedPath } from "./protection.ts";
import type { FromWatcher, ToWatcher, WatchOrder } from "./secret-messages.ts";
import { watchFault } from "./watch-protected.ts";

/** A thread that does not answer within this is flooded, or stuck: what it has not noticed is not known to be harmless. */
const ANSWER_MS = 10_000;

/** One project that is watched for secrets that appear. */
export interface SecretWatch {
  /** Resolves when every folder is watched and was looked at; rejects with `sandbox_missing` when that cannot be. */
  readonly opened: Promise<void>;
  /** Resolves when all that happened until now was noticed and looked at, or given up; what it means has been told by then. */
  readonly settle: () => Promise<void>;
  readonly close: () => void;
}

/** What to watch. `onLoss` is called once, for the first secret or the first folder that cannot be watched. */
export interface SecretWatchRequest {
  readonly project: string;
  readonly protectedPaths: readonly ProtectedPath[];
  readonly exposed: readonly string[];
  readonly onLoss: (loss: JailLoss) => void;
}

/** Watches projects, each in a thread of its own with a queue of its own. */
export interface SecretWatcher {
  readonly watch: (request: SecretWatchRequest) => SecretWatch;
  readonly close: () => Promise<void>;
}

/**
 * `scratchDir` is the daemon's own; `additions` are the owner's to the list of secrets.
 * The thread may take `openMs` to look through the project and `answerMs` for each answer: see `ANSWER_MS`.
 */
export function createSecretWatcher(
  scratchDir: string,
  additions: readonly string[],
  { openMs = ANSWER_MS, answerMs = ANSWER_MS } = {},
): SecretWatcher {
  const folder = join(scratchDir, "watch");
  rmSync(folder, { recursive: true, force: true }); // of an earlier life
  const ending = new Set<Promise<void>>();
  const open = new Set<SecretWatch>();
  let count = 0;

  return {
    watch: (request) => {
      count += 1;
      const sentinelDir = join(folder, String(count));
      mkdirSync(sentinelDir, { recursive: true, mode: 0o700 });
      const watched = watchOne({ ...request, additions, sentinelDir, openMs, answerMs, onEnd: end });
      open.add(watched);
      function end(terminated: Promise<unknown>): void {
        open.delete(watched);
        const ended = terminated.then(() => rm(sentinelDir, { recursive: true, force: true }));
        ending.add(ended);
        void ended.finally(() => ending.delete(ended));
      }
      return watched;
    },
    close: async () => {
      for (const watched of open) watched.close();
      await Promise.all(ending);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface WatchOne extends SecretWatchRequest, Pick<WatchOrder, "additions" | "sentinelDir"> {
  readonly openMs: number;
  readonly answerMs: number;
  readonly onEnd: (terminated: Promise<unknown>) => void;
}

function watchOne(request: WatchOne): SecretWatch {
  const { project, protectedPaths, exposed, additions, sentinelDir, openMs, answerMs, onEnd } = request;
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => undefined); // whoever waits for it is told
  const settling = new Map<number, () => void>();
  let isLost = false;
  let isOver = false;
  let count = 0;

  const masks = protectedPaths.filter(({ kind }) => kind === "mask");
  const order: WatchOrder = {
    sentinelDir,
    project,
    additions,
    masked: new Map(masks.map(({ path, dev, ino }) => [path, `${dev}:${ino}`])),
    exposed,
  };
  const worker = startThread(join(import.meta.dirname, "secret-worker"), order);
  worker.on("message", take);
  worker.on("error", () => end("the thread that watches it ended"));
  worker.on("exit", () => end("the thread that watches it ended"));
  const stopWaiting = within(openMs, () => fail(muteFault(project, openMs), project));

  function take(message: FromWatcher): void {
    switch (message.kind) {
      case "opened":
        stopWaiting();
        ready.resolve();
        return;
      case "settled":
        settling.get(message.token)?.();
        return;
      case "lost":
        tell({ kind: "secret", path: message.path });
        return;
      case "failed":
        fail(watchFault(Object.assign(new Error(message.code), { code: message.code })), message.path);
        return;
    }
  }

  function tell(loss: JailLoss): void {
    if (isLost || isOver) return;
    isLost = true;
    request.onLoss(loss);
  }

  /** What cannot be watched is not known to be safe. */
  function fail(fault: unknown, path: string): void {
    ready.reject(fault);
    tell({ kind: "unwatched", path });
  }

  /** Whoever waits is let go: what it means was told. */
  function end(reason: string): void {
    if (isOver) return;
    fail(new AppError("sandbox_missing", `${project} could not be watched: ${reason}`), project);
    close();
  }

  function close(): void {
    if (isOver) return;
    isOver = true;
    stopWaiting();
    ready.reject(new AppError("sandbox_missing", "The jail ended before its project was watched"));
    for (const done of settling.values()) done();
    onEnd(worker.terminate());
  }

  return {
    opened: ready.promise,
    settle: () =>
      new Promise((resolve) => {
        if (isOver) return resolve();
        count += 1;
        const token = count;
        const stop = within(answerMs, () => {
          fail(muteFault(project, answerMs), project);
          done();
        });
        const done = (): void => {
          stop();
          settling.delete(token);
          resolve();
        };
        settling.set(token, done);
        const message: ToWatcher = { kind: "settle", token };
        worker.postMessage(message);
      }),
    close,
  };
}

function within(ms: number, late: () => void): () => void {
  const timer = setTimeout(late, ms);
  timer.unref();
  return () => clearTimeout(timer);
}

function muteFault(project: string, ms: number): AppError {
  return new AppError(
    "sandbox_missing",
    `${project} changes faster than it can be watched for secrets: nothing was heard of it for ${ms / 1000} s`,
  );
}
