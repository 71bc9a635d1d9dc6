import { setTimeout as sleep } from "node:timers/promises";
import type { Claim, FloodBudget } from "./flood-budget.ts";

/** How long a chat has to rest, in milliseconds; 0 when it need not. */
export type Rest = number;

/** What is next for a chat: one call at most. */
export interface Errand {
  /** Lower goes first, over all chats. */
  readonly urgency: number;
  /** Its share of the flood budget; null waits for none. */
  readonly claim: Claim | null;
  /** Not before this time by the lanes' clock. */
  readonly notBefore: number;
  /** Looks again at what is next, and does it. What it calls is counted before this returns its promise. */
  readonly run: () => Promise<Rest>;
}

interface LanesDeps {
  readonly budget: FloodBudget;
  /** Milliseconds of a clock that is never set: a machine's clock that was set must not mute a chat. */
  readonly tick: () => number;
  readonly next: (chatId: number) => Errand | null;
  readonly onFault: (chatId: number, error: unknown) => void;
}

/** One lane a chat: a chat that must rest, or whose call hangs, holds up no other. */
export interface Lanes {
  /** There may be something new for this chat, or something more urgent. */
  readonly wake: (chatId: number) => void;
  readonly rest: (chatId: number, ms: Rest) => void;
  /** Waits until nothing runs and nothing more may begin before `graceMs` have passed. */
  readonly flush: (graceMs: number) => Promise<void>;
  /** Begins nothing more. */
  readonly end: () => void;
}

interface Lane {
  restUntil: number;
  /** When what is next may begin, as far as the chat goes. */
  dueAt: number;
  timer: NodeJS.Timeout | null;
  isRunning: boolean;
}

/** Timers go no further than 24 days; a pause may. */
const LONGEST_TIMER_MS = 60_000;
const AFTER_FAULT_MS = 1_000;
const FLUSH_LOOK_MS = 10;

/** Paces what the chats have to do: each by its own rest and share, all together, the most urgent first, by what they share. */
export function createLanes({ budget, tick, next, onFault }: LanesDeps): Lanes {
  const lanes = new Map<number, Lane>();
  /** Chats that may go as soon as there is room among all. */
  const ready = new Map<number, Errand>();
  let isSorting = false;
  let isEnded = false;
  let roomTimer: NodeJS.Timeout | null = null;

  function laneOf(chatId: number): Lane {
    const found = lanes.get(chatId);
    if (found) return found;
    const lane: Lane = { restUntil: 0, dueAt: Number.POSITIVE_INFINITY, timer: null, isRunning: false };
    lanes.set(chatId, lane);
    return lane;
  }

  function wake(chatId: number): void {
    const lane = laneOf(chatId);
    if (isEnded || lane.isRunning) return;
    if (lane.timer) clearTimeout(lane.timer);
    lane.timer = null;
    const errand = look(chatId, lane);
    lane.dueAt = errand ? dueAtOf(chatId, lane, errand) : Number.POSITIVE_INFINITY;
    if (errand && lane.dueAt <= tick()) {
      ready.set(chatId, errand); // who waits already keeps his place
      sortSoon();
      return;
    }
    ready.delete(chatId);
    if (errand) wakeAt(lane.dueAt, chatId);
    else if (lane.timer === null && tick() >= lane.restUntil) lanes.delete(chatId);
  }

  function dueAtOf(chatId: number, lane: Lane, { claim, notBefore }: Errand): number {
    const shareAt = claim === null ? 0 : budget.chatReadyAt(chatId, claim);
    return Math.max(lane.restUntil, notBefore, shareAt);
  }

  function look(chatId: number, lane: Lane): Errand | null {
    try {
      return next(chatId);
    } catch (error) {
      onFault(chatId, error);
      lane.restUntil = tick() + AFTER_FAULT_MS;
      wakeAt(lane.restUntil, chatId);
      return null;
    }
  }

  function wakeAt(at: number, chatId: number): void {
    laneOf(chatId).timer = setTimeout(() => wake(chatId), delayUntil(at));
  }

  function delayUntil(at: number): number {
    return Math.min(Math.max(0, Math.ceil(at - tick())), LONGEST_TIMER_MS);
  }

  /** Once all that is woken now has been: else the first of them would go, not the most urgent. */
  function sortSoon(): void {
    if (isSorting) return;
    isSorting = true;
    queueMicrotask(() => {
      isSorting = false;
      letGo();
    });
  }

  function letGo(): void {
    if (isEnded) return;
    let roomAt = Number.POSITIVE_INFINITY;
    for (const [chatId, errand] of [...ready].sort(([, one], [, other]) => one.urgency - other.urgency)) {
      const readyAt = errand.claim === null ? 0 : budget.overallReadyAt(errand.claim);
      if (readyAt > tick()) {
        roomAt = Math.min(roomAt, readyAt);
        continue;
      }
      ready.delete(chatId);
      begin(chatId, errand);
    }
    if (roomTimer) clearTimeout(roomTimer);
    roomTimer = roomAt === Number.POSITIVE_INFINITY ? null : setTimeout(letGo, delayUntil(roomAt));
  }

  function begin(chatId: number, errand: Errand): void {
    const lane = laneOf(chatId);
    lane.isRunning = true;
    errand
      .run()
      .catch((error: unknown) => {
        onFault(chatId, error);
        return AFTER_FAULT_MS;
      })
      .then((rest) => {
        lane.isRunning = false;
        if (rest > 0) lane.restUntil = tick() + rest;
        wake(chatId);
      })
      .catch((error: unknown) => onFault(chatId, error));
  }

  return {
    wake,
    rest: (chatId, ms) => {
      laneOf(chatId).restUntil = tick() + ms;
    },
    flush: async (graceMs) => {
      const deadline = tick() + graceMs;
      for (const chatId of lanes.keys()) wake(chatId);
      const isBusy = (lane: Lane): boolean => lane.isRunning || lane.dueAt <= deadline;
      while (tick() < deadline && [...lanes.values()].some(isBusy)) await sleep(FLUSH_LOOK_MS);
    },
    end: () => {
      isEnded = true;
      if (roomTimer) clearTimeout(roomTimer);
      for (const { timer } of lanes.values()) if (timer) clearTimeout(timer);
    },
  };
}
