import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { createConcurrentSink, createRunner, createSource } from "@grammyjs/runner";
import type { Api } from "grammy";
import type { Update, UserFromGetMe } from "grammy/types";
import type { Now } from "../domain/clock.ts";
import type { Logger } from "../log/logger.ts";
import type { Store } from "../store/store.ts";
import { pause } from "./backoff.ts";
import { endOf } from "./call.ts";
import { createGetUpdates } from "./get-updates.ts";
import { createOutage } from "./outage.ts";
import { createPoller, type PollerDeps } from "./poller.ts";
import type { Sockets } from "./sockets.ts";
import { everyMs, watchForWake } from "./wake.ts";

const POLL_SECONDS = 25;
/** How many updates are handled at a time; each takes milliseconds. */
const CONCURRENCY = 64;
/** How long the next poll waits for what the last one brought. */
const GATHER_MS = 20;
/** By when a poll that was begun has left. */
const SENT_MS = 20;

interface ReceptionDeps {
  readonly api: Api;
  readonly apiRoot: string;
  readonly token: string;
  readonly sockets: Sockets;
  readonly store: Store;
  readonly owners: () => readonly number[];
  /** Writes to an owner's private chat; gives the outbox id. */
  readonly notify: (owner: number, text: string) => number;
  /** Called when the first poll is on its way. */
  readonly onPoll: () => void;
  readonly onReady: (me: UserFromGetMe) => void;
  readonly rim: PollerDeps["rim"];
  readonly bury: (update: Update) => void;
  /** Told Telegram's own time (ms since the epoch) with each answer that names it. */
  readonly onServerTime: (ms: number) => void;
  /** Handles one update to its end. */
  readonly handle: (update: Update) => Promise<unknown>;
  readonly log: Logger;
  readonly now: Now;
}

/** Updates that are being received. */
interface Reception {
  /** Rejects when Telegram does not know the token; else it ends with `stop`. */
  readonly over: Promise<void>;
  /** Asks for no more; what was handed out is handled to its end. */
  readonly stop: () => Promise<void>;
}

/** Receives updates and has them handled, several at a time, through outages, second pollers and sleeps of the machine. */
export function receiveUpdates(deps: ReceptionDeps): Reception {
  const { api, sockets, store, log, now } = deps;
  const tick = (): number => performance.now();
  const outage = createOutage({
    store,
    owners: deps.owners,
    notify: deps.notify,
    canSend: async () => (await endOf(api.getMe())).kind === "ok",
    now,
    tick,
    log,
  });
  const inHand = new Set<Promise<unknown>>();
  /** One update for each round of the event loop: a hundred at once would keep everything else waiting. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = (update: Update): Promise<unknown> => {
    const mine = turn.then(() => setImmediate());
    turn = mine;
    return mine.then(() => deps.handle(update));
  };
  const handle = async (update: Update): Promise<void> => {
    const handling = inTurn(update);
    inHand.add(handling);
    try {
      await handling;
    } catch (err) {
      log.error({ event: "update.left", err }, "an update is left for the next start");
    } finally {
      inHand.delete(handling);
    }
  };
  /** What the updates led to goes to the disk with them, in one write, as far as it is there soon. */
  const makeLast = async (): Promise<void> => {
    if (inHand.size > 0) await Promise.race([Promise.allSettled(inHand), sleep(GATHER_MS)]);
    store.flush();
  };
  const getUpdates = createGetUpdates(deps.apiRoot, deps.token);
  const poller = createPoller({
    api: {
      getUpdates: (...poll) => {
        setTimeout(deps.onPoll, SENT_MS);
        return getUpdates(...poll);
      },
      getMe: () => endOf(api.getMe()),
      deleteWebhook: () => endOf(api.deleteWebhook({ drop_pending_updates: false })),
    },
    inbox: store.inbox,
    handle,
    makeLast,
    onReady: deps.onReady,
    rim: deps.rim,
    bury: deps.bury,
    onServerTime: deps.onServerTime,
    outage,
    noticeSleep: () => detector.check(),
    pause,
    log,
    pollSeconds: POLL_SECONDS,
  });
  const detector = watchForWake({
    now,
    tick,
    every: everyMs,
    onWake: (gapMs) => {
      log.info(
        { event: "telegram.woke", gapMs: Math.round(gapMs) },
        "the machine was asleep, or its clock was set",
      );
      outage.interrupted();
      sockets.dropIdle();
      poller.wake();
    },
  });
  const sink = createConcurrentSink<Update>({ consume: handle }, async () => undefined, {
    concurrency: CONCURRENCY,
  });
  const runner = createRunner(createSource(poller), sink);
  runner.start();
  return {
    over: runner.task() ?? Promise.resolve(),
    stop: async () => {
      detector.stop();
      await runner.stop();
      while (runner.size() > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    },
  };
}
