import type { Now } from "../domain/clock.ts";
import { messageOf } from "../domain/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { Store } from "../store/store.ts";
import { createDeliver, type Rest } from "./deliver.ts";
import { createProgressLane, type ProgressEdit, type ProgressLane, type ProgressSource } from "./progress.ts";
import type { Reaction, ScreenCalls } from "./screen-call.ts";

/** The longest pause that is taken from the store: Telegram's own reach four hours, more is a clock that was set. */
const LONGEST_PAUSE_MS = 6 * 3_600_000;

interface SenderDeps {
  readonly store: Store;
  readonly calls: ScreenCalls;
  readonly now: Now;
  readonly log: Logger;
  readonly onRejected: (description: string) => void;
}

/** Brings the outbox to Telegram: one lane a chat, so that a chat that must rest holds up no other. */
export interface Sender {
  /** There is something new for this chat. */
  readonly kick: (chatId: number) => void;
  /**
   * Sends all that waits, and again what an earlier life began. Before it, nothing is sent. `onFailed` is told, inside the
   * transaction that records it, of each message that Telegram refused for good or that may not have come.
   */
  readonly start: (onFailed?: (outboxId: number) => void) => void;
  readonly watch: (chatId: number, source: ProgressSource) => void;
  readonly unwatch: (chatId: number, target: number) => void;
  /** Tried once, never stored. */
  readonly react: (chatId: number, messageId: number, emoji: Reaction) => void;
  /** Tried once, never stored: a key that stays on the screen is used up all the same. */
  readonly clearKeys: (chatId: number, messageId: number) => void;
  /** Tried once, never stored: an old query is refused, which is normal after a pause. */
  readonly answerPress: (callbackId: string, text: string | null) => void;
  /** Goes on until the outbox is empty or `graceMs` have passed, then ends its lanes. */
  readonly close: (graceMs: number) => Promise<void>;
}

interface Lane {
  readonly progress: ProgressLane;
  /** By `performance.now()`: a machine's clock that is set must not mute a chat. */
  restUntil: number;
  timer: NodeJS.Timeout | null;
  task: Promise<void> | null;
}

const tick = (): number => performance.now();

export function createSender({ store, calls, now, log, onRejected }: SenderDeps): Sender {
  const lanes = new Map<number, Lane>();
  let onFailed: (outboxId: number) => void = () => undefined;
  let isStarted = false;
  let isClosed = false;
  let isFlushing = false;
  const deliver = createDeliver({
    store,
    calls,
    now,
    log,
    isOver: () => isClosed,
    onRejected,
    onFailed: (id) => onFailed(id),
  });

  function laneOf(chatId: number): Lane {
    const found = lanes.get(chatId);
    if (found) return found;
    const lane: Lane = { progress: createProgressLane(tick), restUntil: 0, timer: null, task: null };
    lanes.set(chatId, lane);
    return lane;
  }

  function kick(chatId: number): void {
    const lane = laneOf(chatId);
    if (!isStarted || isClosed || lane.task) return;
    if (lane.timer) clearTimeout(lane.timer);
    lane.task = run(chatId, lane)
      .catch((error: unknown) => {
        log.error({ event: "outbox.fault", chatId, err: error }, `the outbox stumbled: ${messageOf(error)}`);
        lane.restUntil = tick() + 1_000;
      })
      .finally(() => {
        lane.task = null;
        sleep(chatId, lane);
      });
  }

  async function run(chatId: number, lane: Lane): Promise<void> {
    for (;;) {
      if (isClosed || tick() < lane.restUntil) return;
      const rest = await step(chatId, lane);
      if (rest === null) return;
      if (rest > 0) lane.restUntil = tick() + rest;
    }
  }

  /** Does the most urgent thing of a chat; null when nothing is due. */
  async function step(chatId: number, lane: Lane): Promise<Rest | null> {
    const row = store.outbox.next(chatId);
    if (row) return deliver(row);
    const edit = isFlushing ? null : lane.progress.take(tick());
    return edit && showProgress(edit);
  }

  async function showProgress({ source, body }: ProgressEdit): Promise<Rest> {
    const target = store.outbox.get(source.target);
    if (target?.messageId == null) return 0;
    const at = { messageId: target.messageId, isDocument: target.act.kind === "document" };
    const end = await calls.edit(target.conversation, at, body);
    if (end.kind === "ok" || (end.kind === "refused" && end.code !== 429)) source.settled(body);
    return end.kind === "refused" && end.retryAfterMs !== null ? end.retryAfterMs : 0;
  }

  /** Wakes the lane when the next thing is due. */
  function sleep(chatId: number, lane: Lane): void {
    if (isClosed) return;
    const dueAt = store.outbox.next(chatId) ? lane.restUntil : lane.progress.nextDueAt();
    if (dueAt === null) {
      if (!lane.task && tick() >= lane.restUntil) lanes.delete(chatId);
      return;
    }
    if (lane.timer) clearTimeout(lane.timer);
    const delay = Math.min(Math.max(0, Math.ceil(Math.max(dueAt, lane.restUntil) - tick())), 60_000);
    lane.timer = setTimeout(() => kick(chatId), delay);
  }

  function once(what: string, call: Promise<{ readonly kind: string }>): void {
    call
      .then((end) => {
        if (end.kind !== "ok")
          log.debug({ event: "telegram.once", what, end }, "a passing sign was not shown");
      })
      .catch((error: unknown) =>
        log.warn({ event: "telegram.once", what, err: error }, "a passing sign failed"),
      );
  }

  return {
    kick,
    start: (listener) => {
      if (listener) onFailed = listener;
      isStarted = true;
      for (const chatId of store.outbox.chats()) {
        laneOf(chatId).restUntil = tick() + pauseAtStartMs(store.outbox.restUntil(chatId), now());
        kick(chatId);
      }
    },
    watch: (chatId, source) => {
      const lane = laneOf(chatId);
      lane.progress.watch(source);
      if (!lane.task) sleep(chatId, lane);
    },
    unwatch: (chatId, target) => lanes.get(chatId)?.progress.unwatch(target),
    react: (chatId, messageId, emoji) => once("reaction", calls.react(chatId, messageId, emoji)),
    clearKeys: (chatId, messageId) => once("keys", calls.clearKeys(chatId, messageId)),
    answerPress: (callbackId, text) => once("press", calls.answerPress(callbackId, text)),
    close: async (graceMs) => {
      isFlushing = true;
      store.outbox.chats().forEach(kick);
      const flush = Promise.all([...lanes.values()].map(async ({ task }) => task));
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        flush,
        new Promise((resolve) => {
          timer = setTimeout(resolve, graceMs);
        }),
      ]);
      clearTimeout(timer);
      isClosed = true;
      for (const lane of lanes.values()) if (lane.timer) clearTimeout(lane.timer);
    },
  };
}

/** Milliseconds that a chat must still rest at the start, by the time that is stored and the time that it is. */
export function pauseAtStartMs(restUntil: number, now: number): number {
  return Math.min(Math.max(0, restUntil - now), LONGEST_PAUSE_MS);
}
