import type { Config } from "../config/config.ts";
import { createSteadyNow, type Now } from "../domain/clock.ts";
import type { MicroUsd } from "../domain/money.ts";
import { createIsSecret } from "../domain/secret-files.ts";
import { type Logger, securityLogger } from "../log/logger.ts";
import type { Store } from "../store/store.ts";
import { createGuard, type Guard } from "./admit.ts";
import { type Audit, createAudit } from "./audit.ts";
import { createAuthenticate } from "./authenticate.ts";
import { createCheckLock } from "./check-lock.ts";
import { type Access, createAccess } from "./invitations.ts";
import { createLimitCost, type Reservation, type Spending } from "./limit-cost.ts";
import { createLimitRate, type LimitRate } from "./limit-rate.ts";
import { createLock, type Lock } from "./lock.ts";
import { createIsOpenChat } from "./open-chats.ts";
import { createPeople, type People } from "./people.ts";
import { createTokensOf } from "./tokens-of.ts";
import { createValidateInput } from "./validate-input.ts";

/** The guard of all doors, and what else they ask of it. */
export interface Security {
  readonly guard: Guard;
  readonly audit: Audit;
  readonly lock: Lock;
  readonly people: People;
  readonly access: Access;
  readonly isStranger: (userId: number | null) => boolean;
  /** Whether admitted people may use the bot in that group. */
  readonly isOpenChat: (chatId: number) => boolean;
  /** Stores what the rate limit counted, inside the transaction that is under way; returns what to do after it. */
  readonly saveLimits: () => () => void;
  readonly refund: LimitRate["refund"];
  /** How much of his budget a person's next turn may reserve. */
  readonly reserve: (userId: number) => Reservation;
  readonly spending: (userId: number) => Spending;
}

interface SecurityDeps {
  readonly config: Config;
  /** Under which login tokens are hashed; null where none are taken. */
  readonly tokenSecret: string | null;
  readonly store: Store;
  readonly log: Logger;
  readonly now: Now;
  /** Takes secrets, the known ones too, out of what is put on record. */
  readonly redactText: (text: string) => string;
  /** For tests, which cannot wait: measures spans in place of the machine's steady clock. */
  readonly steadyNow?: Now;
}

/** Builds the gates from the settings, with their state in the store. */
export function createSecurity({
  config,
  tokenSecret,
  store,
  log,
  now,
  redactText,
  steadyNow,
}: SecurityDeps): Security {
  const { limits } = config;
  const audit = createAudit({
    append: store.audit.append,
    afterCommit: store.afterCommit,
    redactText,
    log: securityLogger(log),
    now,
  });
  const people = createPeople({ access: config.access, logins: store.logins, now });
  const isOpenChat = createIsOpenChat(config.access.allowedChats, store.chats);
  const authenticate = createAuthenticate({ people, isOpenChat });
  const lock = createLock({ facts: store.facts, now });
  const rate = { capacity: limits.burst, refillTokens: limits.requestsPerWindow, windowMs: limits.windowMs };
  const limitRate = createLimitRate({
    rate,
    load: store.buckets.load,
    tokensOf: createTokensOf({ store, isOwner: people.owners.has }),
    now,
    steadyNow: steadyNow ?? createSteadyNow(now),
  });
  const limitCost = createLimitCost({
    limitMicroUsd: (userId) => budgetOf(config, people.owners.has(userId)),
    spentSince: store.ledger.spentSince,
    grantedSince: store.grants.since,
    reserved: store.work.reserved,
    window: limits.costWindow,
    now,
    timeZone: () => Intl.DateTimeFormat().resolvedOptions().timeZone,
    isEquivalent: config.claude.auth === "subscription",
  });
  const gates = {
    authenticate: authenticate.gate,
    checkLock: createCheckLock({ lock, actionOf: store.buttons.peek }),
    limitRate: limitRate.gate,
    limitCost: limitCost.gate,
    validateInput: createValidateInput({
      maxPromptChars: limits.maxPromptChars,
      ...config.uploads,
      isSecret: createIsSecret(config.secretFiles),
    }),
  };

  return {
    guard: createGuard({ gates, onRefused: audit.refused }),
    audit,
    lock,
    people,
    access: createAccess({
      access: config.access,
      secret: tokenSecret,
      store,
      people,
      record: audit.record,
      now,
    }),
    isStranger: authenticate.isStranger,
    isOpenChat,
    saveLimits: () => {
      const unsaved = limitRate.unsaved();
      for (const { key, state } of unsaved) store.buckets.save(key, state);
      return () => limitRate.markSaved(unsaved);
    },
    refund: limitRate.refund,
    reserve: (userId) => limitCost.reserve(userId, limits.costPerRequestMicroUsd),
    spending: limitCost.spending,
  };
}

/** With a subscription the amounts are API-equivalents: owners have a budget only when one was set. */
function budgetOf({ limits, claude }: Config, isOwner: boolean): MicroUsd | null {
  const isFree = claude.auth === "subscription" && isOwner && !limits.isCostLimitExplicit;
  return isFree ? null : limits.costPerUserMicroUsd;
}
