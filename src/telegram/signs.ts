import type { CallEnd } from "./call.ts";
import type { Errand, Rest } from "./lanes.ts";
import { createProgressLane, type ProgressLane, type ProgressSource } from "./progress.ts";
import type { Place, ScreenCalls, Target } from "./screen-call.ts";

/** After every row of the outbox: keys that are used up, then progress. */
const URGENCY = { keys: 10, progress: 11 } as const;

interface SignsDeps {
  readonly calls: ScreenCalls;
  readonly tick: () => number;
  /** The message of an outbox row, and where it is; null while it is not on the screen. */
  readonly find: (outboxId: number) => (Target & Place) | null;
  /** Learns from how a call ended. */
  readonly learn: (chatId: number, end: CallEnd<unknown>) => Rest;
}

/** What passes: never stored, and gone when it did not come. It takes only what the outbox and the flood budget leave. */
export interface Signs {
  readonly watch: (chatId: number, source: ProgressSource) => void;
  readonly unwatch: (chatId: number, target: number) => void;
  readonly clearKeys: (chatId: number, messageId: number) => void;
  /** A message was edited: the keys that it shows now are new ones. */
  readonly edited: (chatId: number, messageId: number) => void;
  readonly next: (chatId: number) => Errand | null;
}

interface Pending {
  readonly progress: ProgressLane;
  /** Messages whose keys are used up. */
  readonly keys: Set<number>;
}

export function createSigns({ calls, tick, find, learn }: SignsDeps): Signs {
  const chats = new Map<number, Pending>();

  function pendingOf(chatId: number): Pending {
    const found = chats.get(chatId);
    if (found) return found;
    const pending: Pending = { progress: createProgressLane(tick), keys: new Set() };
    chats.set(chatId, pending);
    return pending;
  }

  async function clearNext(chatId: number, keys: Set<number>): Promise<Rest> {
    const [messageId] = keys;
    if (messageId === undefined) return 0;
    keys.delete(messageId);
    return learn(chatId, await calls.clearKeys(chatId, messageId));
  }

  async function showProgress(progress: ProgressLane): Promise<Rest> {
    const due = progress.take(tick());
    const target = due && find(due.source.target);
    if (!due || !target) return 0;
    const end = await calls.preview(target, target, due.body);
    if (end.kind === "ok" || (end.kind === "refused" && end.code !== 429)) due.source.settled(due.body);
    return learn(target.chatId, end);
  }

  return {
    watch: (chatId, source) => pendingOf(chatId).progress.watch(source),
    unwatch: (chatId, target) => chats.get(chatId)?.progress.unwatch(target),
    clearKeys: (chatId, messageId) => {
      pendingOf(chatId).keys.add(messageId);
    },
    edited: (chatId, messageId) => {
      chats.get(chatId)?.keys.delete(messageId);
    },
    next: (chatId) => {
      const pending = chats.get(chatId);
      if (!pending) return null;
      const { progress, keys } = pending;
      if (keys.size > 0) {
        const run = (): Promise<Rest> => clearNext(chatId, keys);
        return { urgency: URGENCY.keys, claim: "spare", notBefore: 0, run };
      }
      const notBefore = progress.nextDueAt();
      if (notBefore !== null) {
        const run = (): Promise<Rest> => showProgress(progress);
        return { urgency: URGENCY.progress, claim: "spare", notBefore, run };
      }
      chats.delete(chatId);
      return null;
    },
  };
}
