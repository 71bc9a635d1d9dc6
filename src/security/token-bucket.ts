/** Refills `refillTokens` per `windowMs`, holds at most `capacity`. All three are whole and above zero. */
export interface Rate {
  readonly capacity: number;
  readonly refillTokens: number;
  readonly windowMs: number;
}

/**
 * A bucket at a moment. `level` is whole parts of a token, `windowMs` parts to one token, so that a millisecond adds
 * exactly `refillTokens` parts and nothing is ever rounded.
 */
export interface BucketState {
  readonly level: number;
  /** Milliseconds since the epoch, whole. */
  readonly updatedAtMs: number;
}

/** The tokens were taken, or how long until there are as many. */
export type Taking = { readonly kind: "taken" } | { readonly kind: "wait"; readonly retryAfterMs: number };

/** A bucket that holds its whole burst. */
export function fullBucket(rate: Rate, nowMs: number): BucketState {
  return { level: rate.capacity * rate.windowMs, updatedAtMs: Math.floor(nowMs) };
}

/**
 * The bucket as it is at `nowMs`. A clock that jumped back neither adds nor takes tokens, and counting goes on from
 * there; one that jumped forward fills the bucket at most.
 */
export function refill(state: BucketState, rate: Rate, nowMs: number): BucketState {
  const updatedAtMs = Math.floor(nowMs);
  const full = rate.capacity * rate.windowMs;
  const elapsedMs = Math.max(0, updatedAtMs - state.updatedAtMs);
  const msUntilFull = Math.ceil((full - state.level) / rate.refillTokens);
  if (elapsedMs >= msUntilFull) return { level: full, updatedAtMs };
  return { level: state.level + elapsedMs * rate.refillTokens, updatedAtMs };
}

/** What is taken from a bucket: how many tokens, whole and at most its capacity, and when. */
interface Wish {
  readonly nowMs: number;
  readonly count: number;
}

/** Takes all tokens if there are as many, and none if not. Waiting exactly `retryAfterMs` suffices, unless others take meanwhile. */
export function take(
  state: BucketState,
  rate: Rate,
  { nowMs, count }: Wish,
): { readonly state: BucketState; readonly verdict: Taking } {
  const now = refill(state, rate, nowMs);
  const missing = count * rate.windowMs - now.level;
  if (missing > 0)
    return {
      state: now,
      verdict: { kind: "wait", retryAfterMs: Math.ceil(missing / rate.refillTokens) },
    };
  return { state: { ...now, level: now.level - count * rate.windowMs }, verdict: { kind: "taken" } };
}

/** Puts tokens back, never above the burst. */
export function putBack(state: BucketState, rate: Rate, count: number): BucketState {
  return { ...state, level: Math.min(state.level + count * rate.windowMs, rate.capacity * rate.windowMs) };
}

/** The same share of tokens after `windowMs` was changed from `oldWindowMs`, never above the burst, rounded down. */
export function rescale(state: BucketState, rate: Rate, oldWindowMs: number): BucketState {
  const level = Math.floor((state.level / oldWindowMs) * rate.windowMs);
  return { ...state, level: Math.min(Math.max(0, level), rate.capacity * rate.windowMs) };
}
