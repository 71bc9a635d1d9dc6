import { systemNow } from "../../src/domain/clock.ts";
import { prepareHome } from "../../src/store/home.ts";
import { openStore } from "../../src/store/store.ts";

/** What the program does once a day and notes here; see `ops/housekeeping.ts`. */
const DAILY_FACTS = ["retention.at", "backup.at"] as const;

/**
 * Makes a home folder with its database, as it is on any day after housekeeping: a bench is no place for what is done once a
 * day, a minute after the start. Gives the path of the database.
 */
export function makeHome(home: string): string {
  const { database } = prepareHome(home);
  using store = openStore(database, systemNow);
  for (const fact of DAILY_FACTS) store.facts.set(fact, String(systemNow()));
  return database;
}
