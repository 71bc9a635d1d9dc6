import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config/config.ts";
import type { Now } from "../domain/clock.ts";
import { AppError } from "../domain/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { Audit } from "../security/audit.ts";
import { homePaths } from "../store/home.ts";
import type { Store } from "../store/store.ts";
import { WORDS } from "../telegram/wording.ts";
import { clockJumpedText } from "../telegram/wording-store.ts";
import { removeOldCaches } from "../workspace/caches.ts";
import { clearQuarantine } from "./clear-quarantine.ts";
import { clearUploads } from "./clear-uploads.ts";
import { createClockTrust } from "./clock-trust.ts";
import { type ForgetDeps, forgetOld } from "./forget.ts";
import { backUpNightly } from "./nightly-backup.ts";
import { remindOfCredentials } from "./remind-of-credentials.ts";

interface HousekeepingDeps {
  readonly store: Store;
  readonly config: Pick<Config, "home" | "retention">;
  /** The names of the credentials in use. */
  readonly credentials: readonly string[];
  readonly record: Audit["record"];
  /** Writes to the owners, inside a transaction that is under way, and gives how many there are: none while none is logged in. */
  readonly tellOwners: (text: string) => number;
  /** The same without a sound: the head of the audit as `<id>:<hash>`. */
  readonly tellHead: (head: string) => number;
  readonly now: Now;
  readonly log: Logger;
  /** Milliseconds of a clock that nobody sets; the machine's own unless given. */
  readonly tick?: () => number;
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
  /** It deletes what is old by the clock, which must be right then. */
  readonly isForgetting?: boolean;
}

const LOOK_EVERY_MS = 60_000;
const AGAIN_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** When the owners were told that a backup failed; gone once one succeeded. */
const FAILED_FACT = "backup.failed_at";
/** Which head of the audit the owners were told last, by its id. */
const HEAD_FACT = "audit.head_told";

/**
 * Once in 24 hours, by what the store says of the last time: forgets what is past its time, tells the owners the head of the audit
 * where it is a new one, makes a backup, and tells the owners of old credentials. What fails is
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
  const { store, now, log, tick = () => performance.now(), lookEveryMs = LOOK_EVERY_MS } = deps;
  const onDoubt = (gapMs: number): void => {
    const days = Math.round(gapMs / DAY_MS);
    log.warn({ event: "clock.jumped", days }, "the clock has jumped: nothing is forgotten by it for a day");
    store.transaction(() => deps.tellOwners(clockJumpedText(days)));
  };
  const isTrusted = createClockTrust({ store, now, tick, onDoubt });
  const chores = [
    forgetting(deps),
    clearing(deps),
    clearingUploads(deps),
    witness(deps),
    backups(deps),
    reminding(deps),
  ].map((chore) => daily(deps, chore, isTrusted));
  while (!signal.aborted) {
    await sleep(lookEveryMs, undefined, { signal, ref: false }).catch(() => undefined); // aborted
    for (const look of chores) if (!signal.aborted) await look(signal);
  }
}

/** A look at whether a chore is due, which then is done. Never rejects. */
function daily(
  { store, now, log, againMs = AGAIN_MS }: HousekeepingDeps,
  { name, fact, act, isForgetting = false }: Chore,
  isTrusted: () => boolean,
) {
  let restUntil = 0;
  return async (signal: AbortSignal): Promise<void> => {
    try {
      if (isForgetting && !isTrusted()) return;
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
    isForgetting: true,
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
    isForgetting: true,
    act: async (signal) => {
      const count = await clearQuarantine({ store, folder, before: now() - retention.contentMs }, signal);
      if (count > 0) log.info({ event: "quarantine.cleared", count }, "deleted what nobody accepted in time");
    },
  };
}

function reminding({ store, credentials, tellOwners, now, log }: HousekeepingDeps): Chore {
  return {
    name: "credentials",
    fact: "credentials.at",
    act: async () => {
      const count = remindOfCredentials({ store, names: credentials, tellOwners, now });
      if (count > 0) log.info({ event: "credentials.old", count }, "told the owners of old credentials");
    },
  };
}

/** Who can write the database can rewrite the whole chain; not what stands in the owners' chats. */
function witness({ store, tellHead, log }: HousekeepingDeps): Chore {
  return {
    name: "audit.head",
    fact: "audit.head_at",
    act: async () => {
      const { id, hash } = store.audit.head();
      if (store.facts.get(HEAD_FACT) === String(id)) return;
      store.transaction(() => {
        if (tellHead(`${id}:${hash}`) > 0) store.facts.set(HEAD_FACT, String(id));
      });
      log.info({ event: "audit.head", id, hash }, "the head of the audit goes to the owners");
    },
  };
}

function clearingUploads({ store, config: { home, retention }, now, log }: HousekeepingDeps): Chore {
  const root = homePaths(home).uploads;
  return {
    name: "uploads",
    fact: "uploads.at",
    isForgetting: true,
    act: async (signal) => {
      const count = await clearUploads({ store, root, before: now() - retention.contentMs }, signal);
      if (count > 0) log.info({ event: "uploads.cleared", count }, "deleted what people sent long ago");
    },
  };
}

function backups({ store, config: { home }, tellOwners, now, log }: HousekeepingDeps): Chore {
  const folder = homePaths(home).backups;

  function tellOnce(): void {
    if (store.facts.get(FAILED_FACT) !== null) return;
    store.transaction(() => {
      if (tellOwners(WORDS.ownerBackupFailed) > 0) store.facts.set(FAILED_FACT, String(now()));
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
