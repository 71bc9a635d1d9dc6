import type { Now } from "../domain/clock.ts";
import type { Store } from "../store/store.ts";
import { oldCredentialsText } from "../telegram/wording-credentials.ts";
import { daysBetween } from "./note-credentials.ts";

/** Credentials are to be renewed after as many days. */
export const ROTATE_DAYS = 90;
const REMIND_DAYS = 30;

interface RemindDeps {
  readonly store: Pick<Store, "credentials" | "transaction">;
  /** The names of the credentials in use. */
  readonly names: readonly string[];
  /** Writes to the owners, inside the transaction that is under way, and gives how many there are. */
  readonly tellOwners: (text: string) => number;
  readonly now: Now;
}

/** Tells the owners of credentials that have been in use for 90 days, and again every 30; gives how many there were. Nobody was told while there is no owner. */
export function remindOfCredentials({ store, names, tellOwners, now }: RemindDeps): number {
  const at = now();
  return store.transaction(() => {
    const due = names
      .flatMap((name) => store.credentials.find(name) ?? [])
      .filter(({ toldAt }) => toldAt === null || daysBetween(toldAt, at) >= REMIND_DAYS)
      .map(({ name, since }) => ({ name, ageDays: daysBetween(since, at) }))
      .filter(({ ageDays }) => ageDays >= ROTATE_DAYS);
    if (due.length === 0) return 0;
    if (tellOwners(oldCredentialsText(due)) === 0) return 0;
    for (const { name } of due) store.credentials.tell(name);
    return due.length;
  });
}
