/** What a chat takes: a short burst, then one call a second. */
const CHAT = { burst: 3, intervalMs: 1_000 } as const;
/** What a group (a chat with a negative id) takes besides, in any stretch of that length. */
const GROUP = { most: 20, windowMs: 60_000 } as const;
/** What the bot takes over all chats; Telegram speaks of about 30. */
const OVERALL = { most: 25, windowMs: 1_000 } as const;
/** How much of each the calls of no importance leave to the others. */
const SPARED = { chat: 1, group: 10, overall: 5 } as const;
/** By how much Telegram's clock and ours may differ over one stretch. */
const SKEW_MS = 5;

/** `spare` is progress and the like: it never takes the last token, so that an answer never waits for it. */
export type Claim = "any" | "spare";

/**
 * How fast Telegram may be called, for every call that changes what a chat shows (Bot API FAQ, "My bot is hitting limits"):
 * never more than 3 + t calls to a chat in t seconds, 20 to a group in any minute, 25 in all in any second. A call counts at
 * its begin and at its end, since nobody knows when between the two it arrives. Kept in memory: a life that follows at once
 * upon another may meet one refusal, which is obeyed.
 */
export interface FloodBudget {
  /** From when on, by the clock that was passed in, a call to this chat may begin as far as the chat goes; past is at once. */
  readonly chatReadyAt: (chatId: number, claim: Claim) => number;
  /** The same as far as all chats together go. */
  readonly overallReadyAt: (claim: Claim) => number;
  /** Counts a call that begins now, allowed or not. Gives the function to be called when it has ended. */
  readonly begin: (chatId: number) => () => void;
}

interface ChatState {
  /** When all that was called will have been paid for, a call an interval (GCRA's theoretical arrival time). */
  paidAt: number;
  readonly minute: Window | null;
}

/** `now` gives milliseconds by a clock that is never set. */
export function createFloodBudget(now: () => number): FloodBudget {
  const chats = new Map<number, ChatState>();
  const overall = createWindow(OVERALL);

  function stateOf(chatId: number): ChatState {
    const known = chats.get(chatId);
    if (known) return known;
    const fresh: ChatState = { paidAt: 0, minute: chatId < 0 ? createWindow(GROUP) : null };
    chats.set(chatId, fresh);
    return fresh;
  }

  return {
    chatReadyAt: (chatId, claim) => {
      const { paidAt, minute } = stateOf(chatId);
      const credit = CHAT.burst - 1 - (claim === "spare" ? SPARED.chat : 0);
      const minuteAt = minute?.readyAt(claim === "spare" ? SPARED.group : 0) ?? 0;
      return Math.max(paidAt - credit * CHAT.intervalMs, minuteAt);
    },
    overallReadyAt: (claim) => overall.readyAt(claim === "spare" ? SPARED.overall : 0),
    begin: (chatId) => {
      const state = stateOf(chatId);
      const beganAt = now();
      state.paidAt = Math.max(state.paidAt, beganAt) + CHAT.intervalMs;
      state.minute?.add(beganAt);
      overall.add(beganAt);
      return () => {
        const endedAt = now();
        state.paidAt = Math.max(state.paidAt, endedAt + SKEW_MS + CHAT.intervalMs);
        state.minute?.move(beganAt, endedAt);
        overall.move(beganAt, endedAt);
      };
    },
  };
}

/** So many calls in any stretch of time of that length. */
interface Window {
  /** When there is room for a call that leaves `spared` places free; 0 is at once. */
  readonly readyAt: (spared: number) => number;
  readonly add: (at: number) => void;
  /** A call that was added at `from` counts at `to` instead, which is now. */
  readonly move: (from: number, to: number) => void;
}

function createWindow({ most, windowMs }: { readonly most: number; readonly windowMs: number }): Window {
  let stamps: readonly number[] = []; // ascending

  const add = (at: number): void => {
    stamps = [...stamps.filter((stamp) => stamp + windowMs + SKEW_MS > at), at];
  };

  return {
    readyAt: (spared) => {
      const oldest = stamps.at(spared - most);
      return stamps.length < most - spared || oldest === undefined ? 0 : oldest + windowMs + SKEW_MS;
    },
    add,
    move: (from, to) => {
      const index = stamps.indexOf(from);
      stamps = stamps.filter((_, at) => at !== index);
      add(to);
    },
  };
}
