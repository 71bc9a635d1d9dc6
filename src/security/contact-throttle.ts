import type { Now } from "../domain/clock.ts";

/** One contact is recorded, then none of the same id for this long. */
const SILENCE_MS = 3_600_000;
/** Records an hour over all ids: a flood from many accounts fills neither the audit nor the memory. */
const MAX_RECORDS = 20;

/** Whether a contact is to be recorded, and how many before it were not. */
export type ContactVerdict =
  /** `undo`: it could not be recorded; the next contact is to be. */
  | { readonly kind: "record"; readonly unrecorded: number; readonly undo: () => void }
  | { readonly kind: "count" };

/**
 * Makes the function that decides which contacts of people who may not come in go on record (hole H19): the first of
 * each id in an hour, 20 in all. The others are counted, and the count stands in the next record, so that the sum over
 * the records is the true number, but for those since the last. Ids null are one. Forgets at a restart.
 */
export function createContactThrottle(now: Now): (userId: number | null) => ContactVerdict {
  const silentUntil = new Map<number | null, number>();
  let unrecorded = 0;

  return (userId) => {
    const nowMs = now();
    for (const [id, untilMs] of silentUntil)
      if (nowMs >= untilMs || nowMs < untilMs - SILENCE_MS) silentUntil.delete(id);
    if (silentUntil.has(userId) || silentUntil.size >= MAX_RECORDS) {
      unrecorded += 1;
      return { kind: "count" };
    }
    silentUntil.set(userId, nowMs + SILENCE_MS);
    const before = unrecorded;
    unrecorded = 0;
    const undo = (): void => {
      if (silentUntil.delete(userId)) unrecorded += before;
    };
    return { kind: "record", unrecorded: before, undo };
  };
}

/** Puts a contact on record where that is due, with how many before it were not; one that the store does not take is asked for again. */
export function recordContact(verdict: ContactVerdict, record: (unrecorded: number) => void): void {
  if (verdict.kind === "count") return;
  try {
    record(verdict.unrecorded);
  } catch (error) {
    verdict.undo();
    throw error;
  }
}
