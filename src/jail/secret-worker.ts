/**
 * The thread that watches projects for secrets: a flood of events, which programs of a jail can make, stops this thread and not
 * the daemon's. Started by `secret-watch.ts`.
 */
import { watch } from "node:fs";
import { unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import type { FromWatcher, ToWatcher } from "./secret-messages.ts";
import { type WatchedProject, watchProject } from "./watched-project.ts";

/** Beyond so many events between two looks some may have been lost: the kernel's queue holds 16,384. */
const MAX_TRUSTED_EVENTS = 4_000;
/** The sentinel's own event takes a millisecond; one that does not come was lost, and others with it. */
const SENTINEL_TIMEOUT_MS = 1_000;

const { sentinelDir }: { sentinelDir: string } = workerData;
const projects = new Map<number, WatchedProject>();
const sentinels = new Map<string, () => void>();
let sentinelCount = 0;

function say(message: FromWatcher): void {
  parentPort?.postMessage(message);
}

/** Resolves when all events that the kernel had queued have been noticed; false when that cannot be told. */
async function drained(): Promise<boolean> {
  sentinelCount += 1;
  const name = `s${sentinelCount}`;
  const path = join(sentinelDir, name);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), SENTINEL_TIMEOUT_MS);
  sentinels.set(name, () => resolve(true));
  await writeFile(path, "");
  const isDrained = await promise;
  clearTimeout(timer);
  sentinels.delete(name);
  await unlink(path);
  return isDrained;
}

function open(message: Extract<ToWatcher, { kind: "open" }>): void {
  const { id } = message;
  const watched = watchProject({
    ...message,
    onSecret: (path) => say({ kind: "lost", id, path }),
    onFault: (error) => say({ kind: "failed", id, code: codeOf(error) }),
  });
  projects.set(id, watched);
  watched.scan();
  say({ kind: "opened", id });
}

async function settle(id: number, token: number): Promise<void> {
  const watched = projects.get(id);
  if (watched !== undefined) {
    const isDrained = await drained();
    if (!isDrained || watched.takeCount() > MAX_TRUSTED_EVENTS) watched.scan();
  }
  say({ kind: "settled", token });
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown";
}

watch(sentinelDir, (_event, name) => {
  if (name !== null) sentinels.get(name)?.();
});
parentPort?.on("message", (message: ToWatcher) => {
  switch (message.kind) {
    case "open":
      open(message);
      return;
    case "settle":
      void settle(message.id, message.token);
      return;
    case "close":
      projects.get(message.id)?.close();
      projects.delete(message.id);
      return;
  }
});
