import { existsSync } from "node:fs";
import { readEnvironment } from "../config/environment.ts";
import { homeOf } from "../config/home-of.ts";
import { systemNow } from "../domain/clock.ts";
import { AppError, EXIT } from "../domain/errors.ts";
import { createLock } from "../security/lock.ts";
import { homePaths } from "../store/home.ts";
import { openStore } from "../store/store.ts";
import { recordHere } from "./record-here.ts";

/**
 * Undoes /lock, whether the daemon runs or not, puts that on record, says what it did and returns the exit code. A running
 * daemon notices by itself. Throws `store_failed` where there is no database.
 */
export function unlock({ envFile }: { readonly envFile?: string }): number {
  const path = homePaths(homeOf(readEnvironment(), envFile ?? null)).database;
  if (!existsSync(path))
    throw new AppError("store_failed", `There is no database at ${path}: set SALLYPORT_HOME`);
  using store = openStore(path, systemNow, { isGuest: true });
  const lock = createLock({ facts: store.facts, now: systemNow });
  const record = recordHere(store);
  const before = store.transaction(() => {
    const state = lock.state();
    if (state === null) return null;
    lock.open();
    record({ type: "daemon.unlocked", lockedAt: state.since, lockedBy: state.by });
    return state;
  });
  const said = before
    ? `Unlocked. It was locked by the owner ${before.by} at ${new Date(before.since).toISOString()}. A running daemon goes on within 2 s.`
    : "Not locked: nothing to undo.";
  process.stdout.write(`${said}\n`);
  return EXIT.ok;
}
