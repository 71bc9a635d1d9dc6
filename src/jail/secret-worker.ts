/**
 * The thread that watches one project for secrets: a flood of events, which programs of a jail can make, stops this thread
 * and neither the daemon's nor that of another jail. Started by `secret-watch.ts`.
 */
import { watch } from "node:fs";
import { unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import type { FromWatcher, ToWatcher, WatchOrder } from "./secret-messages.ts";
import { watchProject } from "./watched-project.ts";

/** Beyond so many events between two looks some may have been lost: the kernel's queue holds 16,384. */
const MAX_TRUSTED_EVENTS = 4_000;
/** The sentinel's own event takes a millisecond; one that does not come was lost, and others with it. */
const SENTINEL_TIMEOUT_MS = 1_000;
/** How soon what a full queue lost is looked for, when nothing asks before. */
const RELOOK_MS = 1_000;

const order: WatchOrder = workerData;
const sentinels = new Map<string, () => void>();
let sentinelCount = 0;

function say(message: FromWatcher): void {
  parentPort?.postMessage(message);
}

/** Resolves when all events that the kernel had queued have been noticed; false when that cannot be told. */
async function drained(): Promise<boolean> {
  sentinelCount += 1;
  const name = `s${sentinelCount}`;
  const path = join(order.sentinelDir, name);
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

async function settle(token: number): Promise<void> {
  const isDrained = await drained();
  if (!isDrained || watched.takeCount() > MAX_TRUSTED_EVENTS) watched.scan();
  else watched.checkLinks();
  say({ kind: "settled", token });
}

watch(order.sentinelDir, (_event, name) => {
  if (name !== null) sentinels.get(name)?.();
});
const watched = watchProject({
  ...order,
  onSecret: (path) => say({ kind: "lost", path }),
  onFault: (code, path) => say({ kind: "failed", code, path }),
});
watched.scan();
say({ kind: "opened" });
setInterval(() => {
  if (watched.takeCount() > MAX_TRUSTED_EVENTS) watched.scan();
}, RELOOK_MS);
parentPort?.on("message", ({ token }: ToWatcher) => void settle(token));
