import type { Now } from "../domain/clock.ts";
import type { Owners } from "../domain/person.ts";
import type { Logger } from "../log/logger.ts";
import type { Store } from "../store/store.ts";
import { strangersText } from "./wording-logins.ts";

/** Owners are told no more often than this. */
const HOUR_MS = 3_600_000;
/** From a notice that the store did not take to the next try. */
const AGAIN_MS = 60_000;
/** More people are not told apart: a flood must not fill the memory. */
const MAX_PEOPLE = 1_000;
/** When owners were last told, as milliseconds since the epoch. */
const FACT = "strangers.told_at";

interface StrangerNoticeDeps {
  readonly store: Pick<Store, "facts" | "lightly">;
  readonly owners: Owners;
  /** Writes to an owner's private chat, inside a transaction. */
  readonly notify: (owner: number, text: string) => void;
  readonly now: Now;
  readonly log: Pick<Logger, "warn">;
}

/** Tells the owners that people knock who are not admitted: the first at once, then in one message an hour how many there were. */
export interface StrangerNotice {
  /** `what` he came with: a login is one that was refused. */
  readonly knocked: (userId: number | null, what: "message" | "login") => void;
  readonly close: () => void;
}

export function createStrangerNotice({
  store,
  owners,
  notify,
  now,
  log,
}: StrangerNoticeDeps): StrangerNotice {
  let toldAt = Number(store.facts.get(FACT) ?? Number.NEGATIVE_INFINITY);
  let timer: NodeJS.Timeout | undefined;
  let contacts = 0;
  let logins = 0;
  const people = new Set<number | null>();

  /** A clock that was set back does not silence for longer than an hour. */
  function restMs(): number {
    const left = toldAt + HOUR_MS - now();
    return left > HOUR_MS ? 0 : Math.max(0, left);
  }

  function tell(): void {
    timer = undefined;
    const told = owners.all();
    if (contacts === 0 || told.length === 0) return;
    const text = strangersText({ contacts, logins, people: [...people], isMore: people.size >= MAX_PEOPLE });
    store.lightly(() => {
      store.facts.set(FACT, String(now()));
      for (const owner of told) notify(owner, text);
    });
    toldAt = now();
    contacts = 0;
    logins = 0;
    people.clear();
  }

  /** A full disk or a locked database makes it later, and ends nothing. */
  function tellOrWait(): void {
    try {
      tell();
    } catch (error) {
      log.warn({ event: "strangers.untold", err: error }, "the notice of strangers waits");
      timer = setTimeout(tellOrWait, AGAIN_MS).unref();
    }
  }

  return {
    knocked: (userId, what) => {
      contacts += 1;
      if (what === "login") logins += 1;
      if (people.size < MAX_PEOPLE) people.add(userId);
      if (timer !== undefined) return;
      const rest = restMs();
      if (rest === 0) tellOrWait();
      else timer = setTimeout(tellOrWait, rest).unref();
    },
    close: () => clearTimeout(timer),
  };
}
