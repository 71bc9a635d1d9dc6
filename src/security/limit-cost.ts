import type { Now } from "../domain/clock.ts";
import type { MicroUsd } from "../domain/money.ts";
import type { Verdict } from "../domain/verdict.ts";
import type { Gate } from "./admit.ts";
import { type CostWindow, createCostWindow, type WindowSpan } from "./cost-window.ts";

interface LimitCostDeps {
  /** A person's budget for one window, without what he was granted; null for no budget. */
  readonly limitMicroUsd: (userId: number) => MicroUsd | null;
  /** The settled true cost of a person's turns since then (milliseconds since the epoch). */
  readonly spentSince: (userId: number, sinceMs: number) => MicroUsd;
  /** What owners have granted a person above his budget since then. */
  readonly grantedSince: (userId: number, sinceMs: number) => MicroUsd;
  /** What a person's unsettled turns have reserved. */
  readonly reserved: (userId: number) => MicroUsd;
  readonly window: CostWindow;
  readonly now: Now;
  /** IANA name of the owner's zone, in which days and months begin. */
  readonly timeZone: () => string;
  /** A subscription pays: amounts are what the API would have charged. */
  readonly isEquivalent: boolean;
}

/** How a person stands with his money in the window that we are in. */
export interface Spending {
  readonly spentMicroUsd: MicroUsd;
  /** The budget with what was granted; null when there is none. */
  readonly limitMicroUsd: MicroUsd | null;
  readonly window: CostWindow;
  /** When the window ends, in milliseconds since the epoch; null for never. */
  readonly returnsAt: number | null;
  readonly isEquivalent: boolean;
}

/** What becomes of the wish to reserve. */
export type Reservation =
  | { readonly kind: "ok"; readonly reservedMicroUsd: MicroUsd }
  /** All that is unspent is reserved by running turns: wait until one settles. */
  | { readonly kind: "busy" }
  | Spent;

type Spent = Extract<Verdict, { kind: "spent" }>;

/** A person's money. */
export interface LimitCost {
  /** Refuses work once the budget is spent. Looking and control cost nothing and pass. */
  readonly gate: Gate;
  /**
   * Says how much a turn may reserve: the smaller of its cap and what is neither spent nor reserved, so that spent plus
   * reserved never exceeds the budget. Reserves nothing itself: read and write inside one transaction.
   */
  readonly reserve: (userId: number, perRequestCap: MicroUsd) => Reservation;
  readonly spending: (userId: number) => Spending;
}

/** Limits spending by what turns really cost, as stored: nothing is guessed and a restart forgets nothing. */
export function createLimitCost(deps: LimitCostDeps): LimitCost {
  const { limitMicroUsd, spentSince, grantedSince, reserved, now, window, isEquivalent } = deps;
  let windowOf: ReturnType<typeof createCostWindow> | undefined;
  /** Made when it is first needed: what a zone takes of memory is much for a daemon that is idle. */
  const windowAt = (nowMs: number): WindowSpan => {
    windowOf ??= createCostWindow(window, deps.timeZone());
    return windowOf(nowMs);
  };

  const spending = (userId: number): Spending => {
    const { startMs, endMs } = windowAt(now());
    const limit = limitMicroUsd(userId);
    return {
      spentMicroUsd: spentSince(userId, startMs),
      limitMicroUsd: limit === null ? null : limit + grantedSince(userId, startMs),
      window,
      returnsAt: endMs,
      isEquivalent,
    };
  };

  const standing = (userId: number): { unspent: MicroUsd; spent: Spent } | null => {
    const { spentMicroUsd, limitMicroUsd: limit, returnsAt } = spending(userId);
    if (limit === null) return null;
    return {
      unspent: limit - spentMicroUsd,
      spent: { kind: "spent", spentMicroUsd, limitMicroUsd: limit, returnsAt, isEquivalent },
    };
  };

  return {
    gate: (request) => {
      if (request.kind !== "work") return { kind: "admit", request };
      if (request.principal === null) return { kind: "deny", reason: "no_person", detail: null };
      const money = standing(request.principal.userId);
      return money === null || money.unspent > 0 ? { kind: "admit", request } : money.spent;
    },
    reserve: (userId, perRequestCap) => {
      const money = standing(userId);
      if (money === null) return { kind: "ok", reservedMicroUsd: perRequestCap };
      if (money.unspent <= 0) return money.spent;
      const unreserved = money.unspent - reserved(userId);
      if (unreserved <= 0) return { kind: "busy" };
      return { kind: "ok", reservedMicroUsd: Math.min(perRequestCap, unreserved) };
    },
    spending,
  };
}
