import type { UpdateSupplier } from "@grammyjs/runner";
import type { Update, UserFromGetMe } from "grammy/types";
import { AppError } from "../domain/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { Inbox } from "../store/inbox.ts";
import { backoffMs, pause } from "./backoff.ts";
import type { CallEnd } from "./call.ts";
import type { Poll, PollAnswer } from "./get-updates.ts";

/** An update at which so many lives ended is set aside: it may be what ends them. */
const MAX_ATTEMPTS = 3;
const CONFLICT_MS = 3_000;
/** How long a poll may outlast the long polling that it asked for. */
const GRACE_MS = 5_000;

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
  /** True for updates of people who are not admitted: counted, never stored. */
  readonly isStrangers: (update: Update) => boolean;
  /** Sets an update aside and tells the owners. */
  readonly bury: (update: Update) => void;
  /** Told Telegram's own time (ms since the epoch, whole seconds) with each answer that names it, before its updates are handed out. */
  readonly onServerTime?: (ms: number) => void;
  readonly log: Logger;
  readonly pollSeconds: number;
}

/**
 * Supplies updates to the runner from the durable inbox: what it hands out is committed, and only then confirmed to
 * Telegram by the next poll's offset. What an earlier life left unfinished is handled before the first poll. Never gives up
 * on a network, a server or a full disk; throws `token_rejected` when Telegram does not know the token.
 */
export function createPoller(deps: PollerDeps): UpdateSupplier<Update> {
  const { api, inbox, log } = deps;
  let isReady = false;
  let offset: number | undefined;
  let failures = 0;
  let unstored = 0;

  /** Repeats `call` until it succeeds or `signal` is aborted (null). */
  async function insist<T>(
    name: string,
    call: () => Promise<CallEnd<T>>,
    signal: AbortSignal,
  ): Promise<T | null> {
    while (!signal.aborted) {
      const end = await unlessAborted(call(), signal);
      if (end === null) return null;
      if (end.kind === "ok") {
        if (failures > 0)
          log.info({ event: "telegram.back", call: name, failures }, "Telegram answers again");
        failures = 0;
        return end.value;
      }
      if (signal.aborted) return null;
      await recover(name, end, signal);
    }
    return null;
  }

  async function recover(
    name: string,
    end: Exclude<CallEnd<never>, { kind: "ok" }>,
    signal: AbortSignal,
  ): Promise<void> {
    failures += 1;
    if (end.kind !== "refused") {
      log.warn(
        { event: "telegram.unreachable", call: name, failures, cause: end.cause },
        "Telegram does not answer",
      );
      await pause(backoffMs(failures), signal);
      return;
    }
    const { code, description, retryAfterMs } = end;
    if (code === 401 || code === 404) {
      throw new AppError(
        "token_rejected",
        `Telegram does not know TELEGRAM_BOT_TOKEN (${code} ${description}): get it from @BotFather`,
      );
    }
    log.warn(
      { event: "telegram.refused", call: name, failures, code, description },
      "Telegram refuses the call",
    );
    if (code !== 409) {
      await pause(retryAfterMs ?? backoffMs(failures), signal);
      return;
    }
    const isWebhook = /webhook/i.test(description);
    if (isWebhook) await unlessAborted(api.deleteWebhook(), signal);
    await pause(isWebhook ? backoffMs(failures) : Math.max(CONFLICT_MS, backoffMs(failures)), signal);
  }

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
    const admitted = updates.filter((update) => !deps.isStrangers(update));
    const fresh = inbox.insert(
      admitted.map((update) => ({ updateId: update.update_id, body: JSON.stringify(update) })),
    );
    const last = updates.at(-1);
    if (last) offset = last.update_id + 1;
    return admitted.filter((update) => fresh.has(update.update_id));
  }

  /** While nothing can be written (a full disk) what came stays unconfirmed: a pause, and it is asked for again. */
  async function store(updates: readonly Update[], signal: AbortSignal): Promise<Update[]> {
    try {
      const fresh = keep(updates);
      unstored = 0;
      return fresh;
    } catch (error) {
      unstored += 1;
      log.error({ event: "inbox.unwritable", err: error }, "updates wait for the store");
      await pause(backoffMs(unstored), signal);
      return [];
    }
  }

  async function next(limit: number, signal: AbortSignal): Promise<Update[]> {
    while (!signal.aborted) {
      const poll = { offset, limit, timeoutSeconds: deps.pollSeconds };
      const deadline = (): AbortSignal =>
        AbortSignal.any([signal, AbortSignal.timeout(deps.pollSeconds * 1000 + GRACE_MS)]);
      const answer = await insist("getUpdates", () => api.getUpdates(poll, deadline()), signal);
      if (answer === null) return [];
      if (answer.serverTime !== null) deps.onServerTime?.(answer.serverTime);
      const fresh = await store(answer.updates, signal);
      if (fresh.length > 0) return fresh;
    }
    return [];
  }

  return {
    supply: async (batchSize, signal) => {
      const stop = nativeSignal(signal);
      if (!isReady) await begin(stop);
      return next(Math.min(100, Math.max(1, batchSize)), stop);
    },
  };
}

/** What the call gives, or null at once when `signal` is aborted: a call that hangs must not hold up the end. */
async function unlessAborted<T>(call: Promise<T>, signal: AbortSignal): Promise<T | null> {
  const { promise, resolve } = Promise.withResolvers<null>();
  const end = (): void => resolve(null);
  signal.addEventListener("abort", end, { once: true });
  try {
    return await Promise.race([call, promise]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}

/** The runner hands out its own kind of signal; `fetch` wants the platform's. */
function nativeSignal(signal: Parameters<UpdateSupplier<Update>["supply"]>[1]): AbortSignal {
  const controller = new AbortController();
  if (signal.aborted) controller.abort();
  else signal.addEventListener("abort", () => controller.abort(), { once: true });
  return controller.signal;
}
