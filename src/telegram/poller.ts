import type { UpdateSupplier } from "@grammyjs/runner";
import type { Update, UserFromGetMe } from "grammy/types";
import type { Logger } from "../log/logger.ts";
import type { Inbox } from "../store/inbox.ts";
import { backoffMs, type pause } from "./backoff.ts";
import type { CallEnd } from "./call.ts";
import type { Poll, PollAnswer } from "./get-updates.ts";
import { createInsistence } from "./insist.ts";
import type { Outage } from "./outage.ts";
import type { KeptUpdate } from "./rim.ts";

/** An update at which so many lives ended is set aside: it may be what ends them. */
const MAX_ATTEMPTS = 3;
/** How long a poll may outlast the long polling that it asked for. */
const GRACE_MS = 5_000;

/** How long the next poll waits after one that brought only what is not kept: a flood is taken in fewer, larger pieces. */
const FLOOD_MS = 3;

/** The calls that receiving updates takes. */
export interface PollerApi {
  readonly getUpdates: (poll: Poll, signal: AbortSignal) => Promise<CallEnd<PollAnswer>>;
  readonly getMe: () => Promise<CallEnd<UserFromGetMe>>;
  readonly deleteWebhook: () => Promise<CallEnd<unknown>>;
}

export interface PollerDeps {
  readonly api: PollerApi;
  readonly inbox: Inbox;
  /** Handles an update to its end, as the runner would; for those that an earlier life left. */
  readonly handle: (update: Update) => Promise<void>;
  /** Told who the bot is, before the first update is handed out. */
  readonly onReady: (me: UserFromGetMe) => void;
  /** Resolves when all that was stored so far is on the disk for good. */
  readonly makeLast: () => Promise<void>;
  /** The update as it may be stored; null for those that are not, of people who are not admitted. */
  readonly rim: (update: Update) => KeptUpdate | null;
  /** Sets an update aside and tells the owners. */
  readonly bury: (update: Update) => void;
  /** Told Telegram's own time (ms since the epoch, whole seconds) with each answer that names it, before its updates are handed out. */
  readonly onServerTime?: (ms: number) => void;
  /** Told of each failure and each success. */
  readonly outage: Outage;
  /** Looks whether the machine has slept, and if so has `wake` called before it returns. */
  readonly noticeSleep: () => void;
  /** Waits between failures. */
  readonly pause: typeof pause;
  readonly log: Logger;
  readonly pollSeconds: number;
}

/** The runner's source of updates. */
export interface Poller extends UpdateSupplier<Update> {
  /** The machine slept: the open poll, whose connection is dead for all one knows, is given up and asked anew at once. */
  readonly wake: () => void;
}

/**
 * Supplies updates to the runner from the durable inbox: what it hands out is committed, and only then confirmed to
 * Telegram by the next poll's offset. What an earlier life left unfinished is handled before the first poll. Never gives up
 * on a network, a server or a full disk; throws `token_rejected` when Telegram does not know the token.
 */
export function createPoller(deps: PollerDeps): Poller {
  const { api, inbox, log, pause } = deps;
  const { insist, wake } = createInsistence({
    ...deps,
    deleteWebhook: api.deleteWebhook,
    deadlineMs: deps.pollSeconds * 1000 + GRACE_MS,
  });
  let isReady = false;
  let offset: number | undefined;
  let unstored = 0;

  async function begin(signal: AbortSignal): Promise<void> {
    const me = await insist("getMe", api.getMe, signal);
    if (me === null) return;
    deps.onReady(me);
    await resume(signal);
    await insist("deleteWebhook", api.deleteWebhook, signal);
    isReady = true;
    log.info({ event: "telegram.ready", bot: me.username }, "receiving updates");
  }

  /** One at a time, so that only the one at which a life ended is counted against; those behind it are innocent. */
  async function resume(signal: AbortSignal): Promise<void> {
    const left = inbox.unfinished();
    if (left.length > 0)
      log.info({ event: "inbox.resumed", count: left.length }, "resuming unfinished updates");
    for (const { updateId, body } of left) {
      if (signal.aborted) return;
      const update: Update = JSON.parse(body);
      if (inbox.attempt(updateId) > MAX_ATTEMPTS) deps.bury(update);
      else await deps.handle(update);
    }
  }

  function keep(updates: readonly Update[]): Update[] {
    const kept = updates.flatMap((update) => deps.rim(update) ?? []);
    const rows = kept.map(({ update, body }) => ({ updateId: update.update_id, body }));
    const fresh = rows.length === 0 ? new Set() : inbox.insert(rows);
    const last = updates.at(-1);
    if (last) offset = last.update_id + 1;
    return kept.flatMap(({ update }) => (fresh.has(update.update_id) ? [update] : []));
  }

  /** Null, after a pause, while nothing can be written (a full disk). */
  async function unlessFull<T>(write: () => T | Promise<T>, signal: AbortSignal): Promise<T | null> {
    try {
      const written = await write();
      unstored = 0;
      return written;
    } catch (error) {
      unstored += 1;
      log.error({ event: "inbox.unwritable", err: error }, "updates wait for the store");
      await pause(backoffMs(unstored), signal);
      return null;
    }
  }

  /** The next poll lets Telegram forget what came: not before it is on the disk. */
  async function makeLast(signal: AbortSignal): Promise<void> {
    const isLast = async (): Promise<true> => {
      await deps.makeLast();
      return true;
    };
    while (!signal.aborted && (await unlessFull(isLast, signal)) === null);
  }

  async function next(limit: number, signal: AbortSignal): Promise<Update[]> {
    while (!signal.aborted) {
      await makeLast(signal);
      if (signal.aborted) return [];
      const answer = await insist(
        "getUpdates",
        (attempt) =>
          api.getUpdates(
            { offset, limit, timeoutSeconds: attempt.isProbe ? 0 : deps.pollSeconds },
            attempt.signal,
          ),
        signal,
      );
      if (answer === null) return [];
      if (answer.serverTime !== null) deps.onServerTime?.(answer.serverTime);
      const fresh = await unlessFull(() => keep(answer.updates), signal); // what is not stored is asked for again
      if (fresh !== null && fresh.length > 0) return fresh;
      if (fresh !== null && answer.updates.length > 0) await pause(FLOOD_MS, signal);
    }
    return [];
  }

  return {
    wake,
    supply: async (batchSize, signal) => {
      const stop = nativeSignal(signal);
      if (!isReady) await begin(stop);
      return next(Math.min(100, Math.max(1, batchSize)), stop);
    },
  };
}

/** The runner hands out its own kind of signal; calls want the platform's. */
function nativeSignal(signal: Parameters<UpdateSupplier<Update>["supply"]>[1]): AbortSignal {
  const controller = new AbortController();
  if (signal.aborted) controller.abort();
  else signal.addEventListener("abort", () => controller.abort(), { once: true });
  return controller.signal;
}
