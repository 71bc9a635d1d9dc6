import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config/config.ts";
import type { Now } from "../domain/clock.ts";
import { AppError } from "../domain/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { Audit } from "../security/audit.ts";
import { homePaths } from "../store/home.ts";
import type { Store } from "../store/store.ts";
import { WORDS } from "../telegram/wording.ts";
import { removeOldCaches } from "../workspace/caches.ts";
import { clearQuarantine } from "./clear-quarantine.ts";
import { type ForgetDeps, forgetOld } from "./forget.ts";
import { backUpNightly } from "./nightly-backup.ts";

interface HousekeepingDeps {
  readonly store: Store;
  readonly config: Pick<Config, "home" | "retention">;
  readonly record: Audit["record"];
  /** Writes to the owners, inside a transaction that is under way. */
  readonly tellOwners: (text: string) => void;
  readonly now: Now;
  readonly log: Logger;
  /** From one look at what is due to the next, and to the first; a minute unless given. */
  readonly lookEveryMs?: number | undefined;
  /** From what failed to the next try; an hour unless given. */
  readonly againMs?: number;
}

/** Something to be done every day. */
interface Chore {
  readonly name: string;
  /** When it was last done, as milliseconds since the epoch. */
  readonly fact: string;
  readonly act: (signal: AbortSignal) => Promise<void>;
}

const LOOK_EVERY_MS = 60_000;
const AGAIN_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** When the owners were told that a backup failed; gone once one succeeded. */
const FAILED_FACT = "backup.failed_at";

/**
 * Once in 24 hours, by what the store says of the last time: forgets what is past its time, then makes a backup. What fails is
 * logged and tried again an hour later; of backups the owners are told, once until one succeeds. Ends at once when disposed of.
 */
export function startHousekeeping(deps: HousekeepingDeps): AsyncDisposable {
  const ending = new AbortController();
  const over = keepHouse(deps, ending.signal);
  return {
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      await over;
    },
  };
}

async function keepHouse(deps: HousekeepingDeps, signal: AbortSignal): Promise<void> {
  const { lookEveryMs = LOOK_EVERY_MS } = deps;
  const chores = [forgetting(deps), clearing(deps), backups(deps)].map((chore) => daily(deps, chore));
  while (!signal.aborted) {
    await sleep(lookEveryMs, undefined, { signal, ref: false }).catch(() => undefined); // aborted
    for (const look of chores) if (!signal.aborted) await look(signal);
  }
}

/** A look at whether a chore is due, which then is done. Never rejects. */
function daily({ store, now, log, againMs = AGAIN_MS }: HousekeepingDeps, { name, fact, act }: Chore) {
  let restUntil = 0;
  return async (signal: AbortSignal): Promise<void> => {
    try {
      const [last, at] = [store.facts.get(fact), now()];
      // A clock that was set back makes a day of it as well.
      const isDone = last !== null && Math.abs(at - Number(last)) < DAY_MS;
      if (isDone || performance.now() < restUntil) return;
      await act(signal);
      store.facts.set(fact, String(at));
    } catch (error) {
      if (signal.aborted) return;
      restUntil = performance.now() + againMs;
      log.error({ event: `${name}.failed`, err: error }, "housekeeping failed and is tried again");
    }
  };
}

function forgetting({ store, config, record, now, log }: HousekeepingDeps): Chore {
  const deps: ForgetDeps = {
    store,
    times: config.retention,
    record: (event) => record(event, { userId: null, conversation: null }),
    now,
  };
  return {
    name: "retention",
    fact: "retention.at",
    act: async (signal) => {
      const began = performance.now();
      const rows = await forgetOld(deps, signal);
      const ms = Math.round(performance.now() - began);
      const caches = await removeOldCaches(homePaths(config.home).caches, now());
      log.info({ event: "retention.done", rows, caches, ms }, "forgot what is past its time");
      if (store.upkeep.emptyLog()) return;
      throw new AppError(
        "store_failed",
        "Another program reads an older state of the database, which keeps it on disk",
      );
    },
  };
}

function clearing({ store, config: { home, retention }, now, log }: HousekeepingDeps): Chore {
  const folder = homePaths(home).quarantine;
  return {
    name: "quarantine",
    fact: "quarantine.at",
    act: async (signal) => {
      const count = await clearQuarantine({ store, folder, before: now() - retention.contentMs }, signal);
      if (count > 0) log.info({ event: "quarantine.cleared", count }, "deleted what nobody accepted in time");
    },
  };
}

function backups({ store, config: { home }, tellOwners, now, log }: HousekeepingDeps): Chore {
  const folder = homePaths(home).backups;

  function tellOnce(): void {
    if (store.facts.get(FAILED_FACT) !== null) return;
    store.transaction(() => {
      store.facts.set(FAILED_FACT, String(now()));
      tellOwners(WORDS.ownerBackupFailed);
    });
  }

  return {
    name: "backup",
    fact: "backup.at",
    act: async (signal) => {
      const began = performance.now();
      const made = await backUpNightly({ home, folder, at: now() }, signal).catch((error: unknown) => {
        if (!signal.aborted) tellOnce();
        throw error;
      });
      store.facts.delete(FAILED_FACT);
      const ms = Math.round(performance.now() - began);
      log.info({ event: "backup.done", ...made, ms }, "backed up the database");
    },
  };
}
