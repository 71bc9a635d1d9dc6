import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { Api } from "grammy";
import { createBotApi } from "../../src/demo/bot-api/bot-api.ts";
import type { CallRecord, Fault } from "../../src/demo/bot-api/types.ts";
import { createLogger } from "../../src/log/logger.ts";
import { openStore } from "../../src/store/store.ts";
import { pause as realPause } from "../../src/telegram/backoff.ts";
import { endOf } from "../../src/telegram/call.ts";
import { createGetUpdates } from "../../src/telegram/get-updates.ts";
import { createOutage } from "../../src/telegram/outage.ts";
import { createPoller, type PollerDeps } from "../../src/telegram/poller.ts";
import { createReplies } from "../../src/telegram/replies.ts";
import { createScreenCalls } from "../../src/telegram/screen-call.ts";
import { createSender } from "../../src/telegram/sender.ts";
import { createSockets } from "../../src/telegram/sockets.ts";
import { type WakeDetector, watchForWake } from "../../src/telegram/wake.ts";
import { outgoingOf } from "../support/outgoing.ts";
import { listenForGood } from "../support/own-port.ts";

export const TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
/** The owner. */
const ADA = 7;

/** The clocks of the machine: the wall's, which can be set, and one that cannot. */
export interface Clocks {
  readonly now: () => number;
  readonly tick: () => number;
}

interface BenchOptions {
  readonly pollSeconds?: number;
  readonly serverNow?: () => number;
  readonly clocks?: Clocks;
  readonly pause?: PollerDeps["pause"];
  /** How soon trouble matters and how long calm takes; as in the program unless given. */
  readonly mattersMs?: number;
  readonly calmMs?: number;
}

/**
 * A Bot API over real HTTP, a database on disk and, in any number of lives, the poller between them, with the wake detector,
 * the outage and the sender that tells of it. The detector ticks only when it is told to.
 */
export async function createBench({
  pollSeconds = 20,
  serverNow = Date.now,
  clocks = { now: Date.now, tick: () => performance.now() },
  pause = realPause,
  ...limits
}: BenchOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-poller-"));
  const path = join(folder, "test.db");
  const api = createBotApi({ token: TOKEN, now: serverNow });
  const root = await listenForGood(api.listen);
  const ada = api.user({ id: ADA, firstName: "Ada" }).chat();
  const stranger = api.user({ id: 8, firstName: "Eve" }).chat();
  ada.open();
  const reached: string[] = [];
  const store = openStore(path, Date.now, { reach: (point) => reached.push(point) });
  const disk = new Database(path, { readonly: true });
  const row = disk.prepare<[number], { state: string; body: string; attempts: number }>(
    "SELECT state, body, attempts FROM inbox WHERE update_id = ?",
  );
  const buried: number[] = [];
  const ends: (() => Promise<void>)[] = [];
  const detectors: WakeDetector[] = [];
  let output = "";
  const log = createLogger({
    level: "trace",
    format: "json",
    secretValues: [TOKEN],
    destination: { write: (text) => (output += text) },
  });

  /** A life of the poller; each supply that it gives is a batch of updates. */
  function live({ isStuck = false } = {}) {
    const sockets = createSockets(root);
    const connect = (timeoutSeconds: number) =>
      new Api(TOKEN, { apiRoot: root, timeoutSeconds, baseFetchConfig: { agent: sockets.agent } });
    const client = connect(5);
    const controller = new AbortController();
    const strangers: number[] = [];
    const serverTimes: number[] = [];
    const handled: number[] = [];
    const sender = createSender({
      store,
      calls: createScreenCalls(connect),
      now: Date.now,
      log,
      onRejected: () => undefined,
    });
    sender.start();
    const outage = createOutage({
      store,
      owners: () => [ADA],
      notify: createReplies({
        store,
        outgoing: outgoingOf(),
        kick: sender.kick,
        answerPress: () => undefined,
      }).notify,
      canSend: async () => (await endOf(client.getMe())).kind === "ok",
      ...clocks,
      log,
      ...limits,
    });
    const detector = watchForWake({
      ...clocks,
      every: () => () => undefined,
      onWake: () => {
        outage.interrupted();
        sockets.dropIdle();
        poller.wake();
      },
    });
    detectors.push(detector);
    const poller = createPoller({
      api: {
        getUpdates: createGetUpdates(root, TOKEN),
        getMe: () => endOf(client.getMe()),
        deleteWebhook: () => endOf(client.deleteWebhook({ drop_pending_updates: false })),
      },
      inbox: store.inbox,
      handle: async ({ update_id: id }) => {
        handled.push(id);
        if (isStuck) await new Promise(() => undefined);
        store.inbox.finish(id);
      },
      makeLast: async () => store.flush(),
      onReady: () => undefined,
      rim: (update) => {
        if (update.message?.from?.id === ADA) return { update, body: JSON.stringify(update) };
        strangers.push(update.update_id);
        return null;
      },
      bury: ({ update_id: id }) => {
        buried.push(id);
        store.inbox.bury(id);
      },
      outage,
      noticeSleep: detector.check,
      pause,
      onServerTime: (ms) => serverTimes.push(ms),
      log,
      pollSeconds,
    });
    const close = async (): Promise<void> => {
      controller.abort();
      await sender.close(0);
    };
    ends.push(close);
    return {
      strangers,
      serverTimes,
      /** Ids of what an earlier life left. */
      handled,
      end: () => controller.abort(),
      /** Ends it, its sender too. */
      close,
      /** Ids of the next batch. */
      next: async () => {
        const signal = controller.signal as Parameters<typeof poller.supply>[1];
        const updates = await poller.supply(100, signal);
        return updates.map(({ update_id: id }) => id);
      },
    };
  }

  const polls = (): readonly CallRecord[] => api.log.filter(({ method }) => method === "getUpdates");
  return {
    api,
    root,
    path,
    ada,
    stranger,
    store,
    /** The fault points that were reached, in their order. */
    reached,
    buried,
    live,
    polls,
    client: new Api(TOKEN, { apiRoot: root }),
    log: () => output,
    /** The log's lines of one event. */
    lines: (event: string): readonly Record<string, unknown>[] =>
      output
        .split("\n")
        .filter((line) => line.includes(`"event":"${event}"`))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    /** What the bot has written to the owner. */
    told: (): readonly string[] =>
      api
        .messages(ADA)
        .filter(({ isFromBot }) => isFromBot)
        .map(({ text }) => text),
    /** The row as another process would see it now. */
    onDisk: (updateId: number) => row.get(updateId),
    offsets: () => polls().map(({ payload }) => payload.offset),
    /** Lets `fault` happen to the next polls, one each, then none. */
    failPolls: (...faults: readonly Fault[]) => {
      const left = [...faults];
      api.setIntercept(({ method }) => (method === "getUpdates" ? left.shift() : undefined));
    },
    /** The timers of the wake detectors fire. */
    tick: () => {
      for (const detector of detectors) detector.check();
    },
    isPolled: () => api.waitFor(() => api.isPolled(), { what: "a poll" }),
    [Symbol.asyncDispose]: async () => {
      for (const end of ends) await end();
      await api.close();
      disk.close();
      store[Symbol.dispose]();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Pauses as they are, and how long each was to be. */
export function notedPauses(): { readonly pause: PollerDeps["pause"]; readonly pauses: readonly number[] } {
  const pauses: number[] = [];
  const pause: PollerDeps["pause"] = (ms, signal) => {
    pauses.push(ms);
    return realPause(ms, signal);
  };
  return { pause, pauses };
}

/** True for a poll that another one ended. */
export const isConflict = ({ response }: CallRecord): boolean =>
  response?.ok === false && response.error_code === 409;

/** Waits until it holds, at most so long. */
export async function until(isTrue: () => boolean, withinMs = 5_000): Promise<void> {
  for (const deadline = performance.now() + withinMs; !isTrue(); ) {
    if (performance.now() > deadline) throw new Error(`still not so after ${withinMs} ms`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
