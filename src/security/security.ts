import type { Config } from "../config/config.ts";
import type { Now } from "../domain/clock.ts";
import type { MicroUsd } from "../domain/money.ts";
import type { Logger } from "../log/logger.ts";
import type { Store } from "../store/store.ts";
import { createGuard, type Guard } from "./admit.ts";
import { type Audit, createAudit } from "./audit.ts";
import { createAuthenticate } from "./authenticate.ts";
import { createCheckLock } from "./check-lock.ts";
import { createLimitCost, type Reservation } from "./limit-cost.ts";
import { createLimitRate, type LimitRate } from "./limit-rate.ts";
import { createLock, type Lock } from "./lock.ts";
import { createValidateInput } from "./validate-input.ts";

/** The guard of all doors, and what else they ask of it. */
export interface Security {
  readonly guard: Guard;
  readonly audit: Audit;
  readonly lock: Lock;
  readonly isStranger: (userId: number | null) => boolean;
  /** Stores what the rate limit counted, inside the transaction that is under way; returns what to do after it. */
  readonly saveLimits: () => () => void;
  readonly refund: LimitRate["refund"];
  /** How much of his budget a person's next turn may reserve. */
  readonly reserve: (userId: number) => Reservation;
  readonly spending: (userId: number) => {
    readonly spentMicroUsd: MicroUsd;
    readonly limitMicroUsd: MicroUsd | null;
    readonly window: string;
  };
}

interface SecurityDeps {
  readonly config: Config;
  readonly store: Store;
  readonly log: Logger;
  readonly now: Now;
}

/** Builds the gates from the settings, with their state in the store. */
export function createSecurity({ config, store, log, now }: SecurityDeps): Security {
  const { limits, access } = config;
  const audit = createAudit({ append: store.audit.append, afterCommit: store.afterCommit, log, now });
  const authenticate = createAuthenticate({ allowedUsers: new Set(access.allowedUsers) });
  const lock = createLock({ facts: store.facts, now });
  const rate = { capacity: limits.burst, refillTokens: limits.requestsPerWindow, windowMs: limits.windowMs };
  const limitRate = createLimitRate({ rate, load: store.buckets.load, now });
  const limitMicroUsd = (userId: number): MicroUsd | null => budgetOf(config, userId);
  const limitCost = createLimitCost({
    limitMicroUsd,
    spentSince: store.ledger.spentSince,
    reserved: store.work.reserved,
    window: limits.costWindow,
    now,
    timeZone: () => Intl.DateTimeFormat().resolvedOptions().timeZone,
  });
  const gates = {
    authenticate: authenticate.gate,
    checkLock: createCheckLock({ lock, actionOf: store.buttons.peek }),
    limitRate: limitRate.gate,
    limitCost: limitCost.gate,
    validateInput: createValidateInput({ maxPromptChars: limits.maxPromptChars }),
  };

  return {
    guard: createGuard({ gates, onRefused: audit.refused }),
    audit,
    lock,
    isStranger: authenticate.isStranger,
    saveLimits: () => {
      const unsaved = limitRate.unsaved();
      for (const { key, state } of unsaved) store.buckets.save(key, state);
      return () => limitRate.markSaved(unsaved);
    },
    refund: limitRate.refund,
    reserve: (userId) => limitCost.reserve(userId, limits.costPerRequestMicroUsd),
    spending: (userId) => ({
      spentMicroUsd: limitCost.spent(userId),
      limitMicroUsd: limitMicroUsd(userId),
      window: limits.costWindow,
    }),
  };
}

/** With a subscription the amounts are API-equivalents: owners have a budget only when one was set. */
function budgetOf({ limits, access, claude }: Config, userId: number): MicroUsd | null {
  const isFree =
    claude.auth === "subscription" && access.ownerUsers.includes(userId) && !limits.isCostLimitExplicit;
  return isFree ? null : limits.costPerUserMicroUsd;
}
