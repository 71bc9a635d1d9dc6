import type { Now } from "../domain/clock.ts";
import { messageOf } from "../domain/errors.ts";
import { PRIORITY } from "../domain/outbox.ts";
import type { Logger } from "../log/logger.ts";
import type { Store } from "../store/store.ts";
import { targetOf } from "./attempt.ts";
import { countCalls } from "./counted-calls.ts";
import { createDeliver } from "./deliver.ts";
import { createFloodBudget } from "./flood-budget.ts";
import { createLanes, type Errand } from "./lanes.ts";
import { createParking } from "./parking.ts";
import type { ProgressSource } from "./progress.ts";
import { plain } from "./render/rich-text.ts";
import type { Reaction, ScreenCalls } from "./screen-call.ts";
import { createSigns } from "./signs.ts";

/**
 * The longest pause that is taken from the store. It is stored by the machine's clock, which may have been set back since,
 * and that must not mute a chat. Telegram's own reach four hours; of a longer one a single call, refused, tells the rest.
 */
const LONGEST_PAUSE_MS = 6 * 3_600_000;

interface SenderDeps {
  readonly store: Store;
  readonly calls: ScreenCalls;
  readonly now: Now;
  readonly log: Logger;
  readonly onRejected: (description: string) => void;
}

/** Brings the outbox to Telegram: one lane a chat, all of them within one flood budget. */
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
  /** Tried once, never stored, when nothing else waits: a key that stays on the screen is used up all the same. */
  readonly clearKeys: (chatId: number, messageId: number) => void;
  /** Tried once, never stored, since it shows a secret: gives whether it came. */
  readonly show: (chatId: number, text: string) => Promise<boolean>;
  /** Tried once, never stored: an old query is refused, which is normal after a pause. */
  readonly answerPress: (callbackId: string, text: string | null) => void;
  /** Goes on until nothing more can be sent before `graceMs` have passed, or they have; then ends its lanes. */
  readonly close: (graceMs: number) => Promise<void>;
}

/** By no clock that can be set. */
const tick = (): number => performance.now();

export function createSender({ store, calls: screen, now, log, onRejected }: SenderDeps): Sender {
  let listener: (outboxId: number) => void = () => undefined;
  let isStarted = false;
  let isClosed = false;
  let isFlushing = false;
  const onFailed = (outboxId: number): void => listener(outboxId);
  const budget = createFloodBudget(tick);
  const counted = countCalls(screen, budget.begin);
  const parking = createParking({ store, log, onFailed });
  const calls: ScreenCalls = {
    ...counted,
    edit: (place, target, body) => {
      signs.edited(place.chatId, target.messageId);
      return counted.edit(place, target, body);
    },
  };
  const isOver = (): boolean => isClosed;
  const deliver = createDeliver({ store, calls, parking, now, log, isOver, onRejected, onFailed });
  const signs = createSigns({
    calls,
    tick,
    learn: deliver.learn,
    find: (outboxId) => {
      const row = store.outbox.get(outboxId);
      const target = targetOf(row);
      return row && target && { ...target, ...row.conversation };
    },
  });
  const lanes = createLanes({
    budget,
    tick,
    next,
    onFault: (chatId, error) =>
      log.error({ event: "outbox.fault", chatId, err: error }, `the outbox stumbled: ${messageOf(error)}`),
  });

  function next(chatId: number): Errand | null {
    if (parking.holds(chatId)) return null;
    const row = store.outbox.next(chatId);
    if (!row) return isFlushing ? null : signs.next(chatId);
    // At the end an answer does not wait for its share: a call too many costs a pause, the next life may be hours away.
    const claim = isFlushing && row.priority === PRIORITY.final ? null : "any";
    return { urgency: row.priority, claim, notBefore: 0, run: () => deliverNext(chatId) };
  }

  async function deliverNext(chatId: number): Promise<number> {
    const row = store.outbox.next(chatId);
    return row ? deliver.row(row) : 0;
  }

  function wake(chatId: number): void {
    if (isStarted) lanes.wake(chatId);
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
    kick: (chatId) => wake(store.chats.movedTo(chatId) ?? chatId),
    start: (onFailed) => {
      if (onFailed) listener = onFailed;
      isStarted = true;
      for (const { chatId, restUntil } of store.chats.resting()) {
        const restMs = pauseAtStartMs(restUntil, now());
        if (now() + restMs < restUntil) store.chats.rest(chatId, now() + restMs);
        lanes.rest(chatId, restMs);
      }
      store.outbox.chats().forEach(wake);
    },
    watch: (chatId, source) => {
      signs.watch(chatId, source);
      wake(chatId);
    },
    unwatch: signs.unwatch,
    react: (chatId, messageId, emoji) => {
      const call = calls.react(chatId, messageId, emoji).then((end) => {
        const rest = deliver.learn(chatId, end); // no message, and in no budget; but a pause is meant for the whole chat
        if (rest > 0) lanes.rest(chatId, rest);
        return end;
      });
      once("reaction", call);
    },
    clearKeys: (chatId, messageId) => {
      signs.clearKeys(chatId, messageId);
      wake(chatId);
    },
    show: async (chatId, text) => {
      const body = { ...plain(text), buttons: [], isExact: true } as const;
      const end = await calls.send(
        { chatId, threadId: null },
        { kind: "send", body, replyTo: null, isSilent: false },
      );
      const rest = deliver.learn(chatId, end);
      if (rest > 0) lanes.rest(chatId, rest);
      return end.kind === "ok";
    },
    answerPress: (callbackId, text) => once("press", calls.answerPress(callbackId, text)),
    close: async (graceMs) => {
      isFlushing = true;
      store.outbox.chats().forEach(wake);
      await lanes.flush(graceMs);
      isClosed = true;
      lanes.end();
    },
  };
}

/** Milliseconds that a chat must still rest at the start, by the time that is stored and the time that it is. */
export function pauseAtStartMs(restUntil: number, now: number): number {
  return Math.min(Math.max(0, restUntil - now), LONGEST_PAUSE_MS);
}
