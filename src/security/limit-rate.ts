import type { Now } from "../domain/clock.ts";
import type { Request } from "../domain/request.ts";
import type { Verdict } from "../domain/verdict.ts";
import type { Gate } from "./admit.ts";
import { formatKept, type KeptBucket, parseKept, type Told } from "./bucket-state.ts";
import { fullBucket, putBack, type Rate, refill, take } from "./token-bucket.ts";

/** A message that reaches the bot this long after it was sent has waited for it. */
const LATE_MS = 10_000;
/** Commands that only look have buckets of their own, this many times the size and the rate. */
const LOOK_FACTOR = 3;
/** All people together have this many times what one has. */
const OVERALL_FACTOR = 5;
/** How many requests are remembered, so that one that comes again is not charged again. */
const MAX_REMEMBERED = 1_000;

interface LimitRateDeps {
  readonly rate: Rate;
  /** What was last saved under that key, null when nothing was. Asked once a key, and again after it was forgotten. */
  readonly load: (key: string) => string | null;
  /** How many tokens a request takes; one that takes none is never limited. */
  readonly tokensOf: (request: Request) => number;
  readonly now: Now;
  /** Goes as time goes by, whatever is done to the machine's clock; at a start it begins with `now`. */
  readonly steadyNow: Now;
}

/** A bucket as it is to be stored. */
interface UnsavedBucket {
  readonly key: string;
  readonly state: string;
}

/** The limiter: it counts in memory, and hands over what has to survive. */
export interface LimitRate {
  /**
   * Takes the request's tokens of the person's bucket and of everybody's, or none of either and says how long to wait. The same
   * request (by `dedupeKey`) is charged once, however often it is judged.
   * `isFirstInWindow` is true for a person's first refusal in a window of the rate; the further ones until its end are silent. A
   * press never is the first: what pops up answers it, and the telling is left for what was written.
   */
  readonly gate: Gate;
  /** What changed since it was last saved; to be stored in the transaction that finishes the request. */
  readonly unsaved: () => readonly UnsavedBucket[];
  /** To be told after the commit, with what was stored. Forgets buckets that are full again. */
  readonly markSaved: (saved: readonly UnsavedBucket[]) => void;
  /** Undoes what the gate did for a request whose transaction failed: gives the tokens back, or unsays the refusal. */
  readonly refund: (request: Request) => void;
}

interface Slot {
  readonly key: string;
  readonly rate: Rate;
}

interface Entry extends KeptBucket {
  readonly rate: Rate;
  readonly isDirty: boolean;
}

/** What the gate did for a request. */
type Act =
  | { readonly kind: "took"; readonly slots: readonly Slot[]; readonly count: number }
  | {
      readonly kind: "refused";
      readonly key: string;
      readonly isFirst: boolean;
      readonly before: Told | null;
    };

/** Limits how many requests come in: for work and for looking each a token bucket of the person's and one of everybody's. */
export function createLimitRate({ rate, load, tokensOf, now, steadyNow }: LimitRateDeps): LimitRate {
  const rates = { work: rate, look: times(rate, LOOK_FACTOR) };
  const entries = new Map<string, Entry>();
  const acts = new Map<string, Act>();

  const entryOf = ({ key, rate }: Slot): Entry =>
    entries.get(key) ?? { ...parseKept(load(key), rate, steadyNow()), rate, isDirty: false };

  const slotsOf = (userId: number, kind: "work" | "look"): readonly [Slot, Slot] => [
    { key: `${kind}:${userId}`, rate: rates[kind] },
    { key: `${kind}:*`, rate: times(rates[kind], OVERALL_FACTOR) },
  ];

  const remember = (request: Request, act: Act): void => {
    acts.set(request.dedupeKey, act);
    const oldest = acts.keys().next();
    if (acts.size > MAX_REMEMBERED && oldest.done !== true) acts.delete(oldest.value);
  };

  const refuse = (request: Request, slot: Slot, retryAfterMs: number): Verdict => {
    if (request.body.kind === "button") return { kind: "wait", retryAfterMs, isFirstInWindow: false };
    const nowMs = steadyNow();
    const entry = entryOf(slot);
    const past = acts.get(request.dedupeKey);
    const isAgain = past?.kind === "refused" && past.isFirst;
    const isFirstInWindow = isAgain || !isTold(entry.told, nowMs);
    const told = isFirstInWindow
      ? { atMs: nowMs, untilMs: nowMs + Math.max(rate.windowMs, retryAfterMs) }
      : entry.told;
    entries.set(slot.key, { ...entry, told, isDirty: entry.isDirty || isFirstInWindow });
    if (!isAgain)
      remember(request, { kind: "refused", key: slot.key, isFirst: isFirstInWindow, before: entry.told });
    return { kind: "wait", retryAfterMs, isFirstInWindow };
  };

  const gate: Gate = (request) => {
    const wished = tokensOf(request);
    if (wished === 0) return { kind: "admit", request };
    if (request.principal === null) return { kind: "deny", reason: "no_person", detail: null };
    if (acts.get(request.dedupeKey)?.kind === "took") return { kind: "admit", request };
    const slots = slotsOf(request.principal.userId, request.kind === "look" ? "look" : "work");
    const count = Math.min(wished, rate.capacity); // more than the burst has to be possible too
    const nowMs = steadyNow();
    const takings = slots.map((slot) => {
      const entry = entryOf(slot);
      return { slot, entry, ...take(entry.bucket, slot.rate, { nowMs, count }) };
    });
    const waitMs = Math.max(
      0,
      ...takings.map(({ verdict }) => (verdict.kind === "wait" ? verdict.retryAfterMs : 0)),
    );
    for (const { slot, entry, state } of takings) {
      const bucket = waitMs === 0 ? state : refill(entry.bucket, slot.rate, nowMs);
      entries.set(slot.key, { ...entry, bucket, isDirty: entry.isDirty || waitMs === 0 });
    }
    if (waitMs > 0 && isLate(request, now()))
      return { kind: "admit", request: { ...request, kind: "look", isStale: true } };
    if (waitMs > 0) return refuse(request, slots[0], waitMs);
    remember(request, { kind: "took", slots, count });
    return { kind: "admit", request };
  };

  return {
    gate,
    unsaved: () =>
      [...entries].flatMap(([key, entry]) =>
        entry.isDirty ? [{ key, state: formatKept(entry, entry.rate) }] : [],
      ),
    markSaved: (saved) => {
      const nowMs = steadyNow();
      for (const { key, state } of saved) {
        const entry = entries.get(key);
        if (entry && formatKept(entry, entry.rate) === state) entries.set(key, { ...entry, isDirty: false });
      }
      for (const [key, entry] of entries) if (isForgettable(entry, nowMs)) entries.delete(key);
    },
    refund: (request) => {
      const act = acts.get(request.dedupeKey);
      if (!act) return;
      acts.delete(request.dedupeKey);
      const { slots, count } = act.kind === "took" ? act : { slots: [], count: 0 };
      for (const slot of slots) {
        const entry = entryOf(slot);
        entries.set(slot.key, { ...entry, bucket: putBack(entry.bucket, slot.rate, count), isDirty: true });
      }
      const refused = act.kind === "refused" && act.isFirst ? entries.get(act.key) : undefined;
      if (act.kind === "refused" && refused)
        entries.set(act.key, { ...refused, told: act.before, isDirty: true });
    },
  };
}

/**
 * A prompt that lay at Telegram's while the bot could not get it: what comes in a heap was not sent in one. It is kept and
 * offered, which takes no token, instead of refused.
 */
function isLate({ body, sentAt }: Request, nowMs: number): boolean {
  return body.kind === "prompt" && sentAt !== null && nowMs - sentAt > LATE_MS;
}

function times(rate: Rate, factor: number): Rate {
  return { ...rate, capacity: rate.capacity * factor, refillTokens: rate.refillTokens * factor };
}

/** A clock set back before the telling ends the silence: nobody is left untold for the length of a jump. */
function isTold(told: Told | null, nowMs: number): boolean {
  return told !== null && nowMs >= told.atMs && nowMs < told.untilMs;
}

/** Full again and saved: the store can give it back as it is, with what was told. */
function isForgettable({ bucket, rate, isDirty }: Entry, nowMs: number): boolean {
  if (isDirty) return false;
  return refill(bucket, rate, nowMs).level === fullBucket(rate, nowMs).level;
}
