import type { Now } from "../../domain/clock.ts";
import { tooManyRequests } from "./failure.ts";
import type { FloodLimits } from "./types.ts";

/** What is counted together: sends and edits, or chat actions and drafts. */
type FloodKind = "message" | "signal";

/** Refuses calls that come too fast. */
export interface Flood {
  /** Counts one call. Throws 429 when it is one too many; then the chat stays shut to its kind for the seconds named. */
  readonly spend: (chatId: number, kind: FloodKind) => void;
  /** Null switches the model off and forgets what was counted. */
  readonly setLimits: (limits: FloodLimits | null) => void;
}

interface Bucket {
  tokens: number;
  at: number;
}

interface Rate {
  readonly capacity: number;
  readonly perSecond: number;
}

/** Typing and drafts: 20 in 5 s and 40 in 30 s a chat, as a client library has measured. */
const SIGNAL_RATES: readonly Rate[] = [
  { capacity: 20, perSecond: 4 },
  { capacity: 40, perSecond: 40 / 30 },
];

/** What Telegram states: one message a second in a chat, short bursts aside, 20 a minute in a group, 30 a second in all. */
export const STATED_LIMITS: FloodLimits = {
  chatPerSecond: 1,
  chatBurst: 3,
  groupPerMinute: 20,
  overallPerSecond: 30,
};

/** Token buckets by chat over `now`. A refusal takes nothing, but shuts the chat: the final answer suffers for the edits before it. */
export function createFlood({ now, limits }: { now: Now; limits: FloodLimits | null }): Flood {
  const buckets = new Map<string, Bucket>();
  const shutUntil = new Map<string, number>();
  let current = limits;

  const missingSeconds = (key: string, { capacity, perSecond }: Rate): number => {
    const bucket = buckets.get(key) ?? { tokens: capacity, at: now() };
    const at = now();
    bucket.tokens = Math.min(capacity, bucket.tokens + (Math.max(0, at - bucket.at) / 1000) * perSecond);
    bucket.at = at;
    buckets.set(key, bucket);
    return bucket.tokens >= 1 ? 0 : (1 - bucket.tokens) / perSecond;
  };

  return {
    spend: (chatId, kind) => {
      if (current === null) return;
      const door = `${kind} ${chatId}`;
      const shutMs = (shutUntil.get(door) ?? 0) - now();
      if (shutMs > 0) throw tooManyRequests(Math.ceil(shutMs / 1000));
      const rates = kind === "message" ? messageRates(chatId, current) : signalRates(chatId);
      const waitSeconds = Math.ceil(Math.max(...rates.map(([key, rate]) => missingSeconds(key, rate))));
      if (waitSeconds > 0) {
        shutUntil.set(door, now() + waitSeconds * 1000);
        throw tooManyRequests(waitSeconds);
      }
      for (const [key] of rates) {
        const bucket = buckets.get(key);
        if (bucket !== undefined) bucket.tokens -= 1;
      }
    },
    setLimits: (next) => {
      current = next;
      buckets.clear();
      shutUntil.clear();
    },
  };
}

type NamedRate = readonly [key: string, rate: Rate];

function signalRates(chatId: number): readonly NamedRate[] {
  return SIGNAL_RATES.map((rate) => [`signal ${rate.capacity} ${chatId}`, rate]);
}

function messageRates(chatId: number, limits: FloodLimits): readonly NamedRate[] {
  const overall = { capacity: limits.overallPerSecond, perSecond: limits.overallPerSecond };
  const chat = { capacity: limits.chatBurst, perSecond: limits.chatPerSecond };
  const group = { capacity: limits.groupPerMinute, perSecond: limits.groupPerMinute / 60 };
  return [
    ["overall", overall],
    [`chat ${chatId}`, chat],
    ...(chatId < 0 ? [[`group ${chatId}`, group] as const] : []),
  ];
}
