import { AppError } from "../domain/errors.ts";
import type { Logger } from "../log/logger.ts";
import { anySignal } from "./any-signal.ts";
import { backoffMs, type pause } from "./backoff.ts";
import type { CallEnd } from "./call.ts";
import type { Outage } from "./outage.ts";

/** Before the next poll while another program polls as well. */
const CONFLICT_MS = 3_000;
/** How long a probe may take: longer than it takes to find and reach a server over a bad line. */
const PROBE_MS = 10_000;

/** How one call of several is to be made. */
export interface Attempt {
  readonly signal: AbortSignal;
  /** The call before this one was in vain, or cut short by a sleep: whether this one gets through should show soon. */
  readonly isProbe: boolean;
}

type Call<T> = (attempt: Attempt) => Promise<CallEnd<T>>;

/** What is known of a call that failed. */
interface Failed<K extends CallEnd<never>["kind"]> {
  readonly name: string;
  readonly end: Extract<CallEnd<never>, { kind: K }>;
  readonly tries: number;
}

interface InsistDeps {
  readonly pause: typeof pause;
  readonly deleteWebhook: () => Promise<CallEnd<unknown>>;
  /** How long a call may take that is no probe. */
  readonly deadlineMs: number;
  readonly outage: Outage;
  /** Looks whether the machine has slept, and if so has `wake` called before it returns. */
  readonly noticeSleep: () => void;
  readonly log: Logger;
}

/** Patience with Telegram. */
export interface Insistence {
  /**
   * Repeats `call` until it succeeds, or until `signal` is aborted (null). Pauses between failures are at most 4.5 s, or what
   * Telegram asks for. Throws `token_rejected` when Telegram does not know the token.
   */
  readonly insist: <T>(name: string, call: Call<T>, signal: AbortSignal) => Promise<T | null>;
  /** The machine slept: the open call is given up and made anew at once, and so ends a pause that Telegram has not asked for. */
  readonly wake: () => void;
}

export function createInsistence(deps: InsistDeps): Insistence {
  const { pause, outage, log } = deps;
  let woken = new AbortController();
  /** Failures since the last success. */
  let failures = 0;

  async function insist<T>(name: string, call: Call<T>, signal: AbortSignal): Promise<T | null> {
    /** Failures since the last success or wake. */
    let tries = 0;
    let isProbe = false;
    while (!signal.aborted) {
      const { signal: wake } = woken;
      const end: CallEnd<T> | null = await attempt(call, isProbe, [signal, wake]);
      if (end?.kind === "ok") {
        succeeded(name);
        return end.value;
      }
      if (signal.aborted) return null;
      deps.noticeSleep();
      isProbe = end?.kind !== "refused";
      if (end === null || (isProbe && wake.aborted)) {
        tries = 0; // whatever came of it is the sleep's doing
        continue;
      }
      tries += 1;
      failures += 1;
      if (end.kind === "refused") await refused({ name, end, tries }, signal);
      else await unreachable({ name, end, tries }, [signal, wake]);
      if (wake.aborted) tries = 0;
    }
    return null;
  }

  /** Makes one call; null when it was cut short by one of `cuts`. */
  async function attempt<T>(
    call: Call<T>,
    isProbe: boolean,
    cuts: readonly AbortSignal[],
  ): Promise<CallEnd<T> | null> {
    const { promise: over, resolve } = Promise.withResolvers<CallEnd<never> | null>();
    using cut = anySignal(cuts);
    const { signal } = cut;
    if (signal.aborted) return null;
    signal.addEventListener("abort", () => resolve(null));
    const ms = isProbe ? Math.min(PROBE_MS, deps.deadlineMs) : deps.deadlineMs;
    const timer = setTimeout(() => {
      resolve({ kind: "ambiguous", cause: `no answer within ${ms} ms` });
      cut.abort();
    }, ms);
    try {
      // A call that does not heed its signal must not hold up the end either.
      return await Promise.race([call({ signal, isProbe }), over]);
    } finally {
      clearTimeout(timer);
    }
  }

  function succeeded(call: string): void {
    if (failures > 0) log.info({ event: "telegram.back", call, failures }, "Telegram answers again");
    failures = 0;
    outage.answered();
  }

  async function unreachable(
    { name, end, tries }: Failed<"unsent" | "ambiguous">,
    cuts: readonly AbortSignal[],
  ): Promise<void> {
    if (isWorthALine(failures)) {
      const facts = { event: "telegram.unreachable", call: name, failures, cause: end.cause };
      log.warn(facts, "Telegram does not answer");
    }
    outage.failed("unreachable");
    using cut = anySignal(cuts);
    await pause(backoffMs(tries), cut.signal);
  }

  async function refused({ name, end, tries }: Failed<"refused">, signal: AbortSignal): Promise<void> {
    const { code, description, retryAfterMs } = end;
    if (code === 401 || code === 404) {
      throw new AppError(
        "token_rejected",
        `Telegram does not know TELEGRAM_BOT_TOKEN (${code} ${description}): get it from @BotFather`,
      );
    }
    if (isWorthALine(failures)) {
      const facts = { event: "telegram.refused", call: name, failures, code, description };
      log.warn(facts, "Telegram refuses the call");
    }
    const isConflict = code === 409;
    if (code === 429) outage.interrupted();
    else outage.failed(isConflict ? "rival" : "unreachable");
    const isWebhook = isConflict && /webhook/i.test(description);
    if (isWebhook) await attempt(deps.deleteWebhook, false, [signal]);
    const leastMs = isConflict && !isWebhook ? CONFLICT_MS : 0;
    await pause(retryAfterMs || Math.max(leastMs, backoffMs(tries)), signal);
  }

  return {
    insist,
    wake: () => {
      const before = woken;
      woken = new AbortController();
      before.abort();
    },
  };
}

/** The first four failures of a row, then at each doubling: an hour of them is a dozen lines. */
function isWorthALine(failures: number): boolean {
  return failures <= 4 || Number.isInteger(Math.log2(failures));
}
