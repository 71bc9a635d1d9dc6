import { setTimeout as sleep } from "node:timers/promises";
import type { ChainHead } from "../domain/audit-chain.ts";
import type { AuditEvent } from "../domain/audit-event.ts";
import type { Now } from "../domain/clock.ts";
import type { RetentionTimes } from "../store/retention.ts";
import type { Store } from "../store/store.ts";

export interface ForgetDeps {
  readonly store: Pick<Store, "audit" | "retention" | "upkeep" | "transaction" | "lightly">;
  readonly times: RetentionTimes;
  /** Puts an act that no person is behind on record. */
  readonly record: (event: AuditEvent) => void;
  readonly now: Now;
}

/** Between two slices: what else wants to run and to write gets its turn, and the disk its rest. */
const PAUSE_MS = 5;
/** Rows of the audit and pages that are dealt with at a time: some milliseconds. */
const ROWS_READ = 1_000;
const ROWS_REMOVED = 100;
const FREE_PAGES = 50;

/**
 * Forgets what is past its time, in slices of some milliseconds between which the event loop turns, and gives the disk back what
 * that freed. Gives how many rows were removed or emptied. Rejects with an AbortError when `signal` is aborted; the next run goes
 * on from there.
 */
export async function forgetOld(deps: ForgetDeps, signal: AbortSignal): Promise<number> {
  let rows = 0;
  for (const count of slicesOf(deps)) {
    rows += count;
    await sleep(PAUSE_MS, undefined, { signal });
  }
  return rows;
}

/** Yields how many rows each slice removed or emptied. */
function* slicesOf(deps: ForgetDeps): Generator<number, void> {
  const { store, times } = deps;
  yield* store.retention.slices(times);
  yield* trimAudit(deps);
  yield* shrink(deps);
}

/** Goes on for as long as it helps. */
function* shrink({ store }: ForgetDeps): Generator<number, void> {
  let before = Number.POSITIVE_INFINITY;
  for (;;) {
    const free = store.upkeep.shrink(FREE_PAGES);
    if (free === 0 || free >= before) return;
    before = free;
    yield 0;
  }
}

/** The anchor moves once a run, and its record with it; the rows before it are then deleted bit by bit. */
function* trimAudit({ store, times, record, now }: ForgetDeps): Generator<number, void> {
  const anchor = store.audit.anchor();
  let upTo: ChainHead = anchor;
  let seen = anchor.id;
  for (;;) {
    const next = store.audit.after(seen, ROWS_READ);
    const due = now() - times.auditMs;
    // A time that is still to come, of this clock or of the row a wrong one, keeps nothing else, and is no reason to go.
    const firstKept = next.findIndex(({ at }) => at >= due && at <= now());
    const passed = firstKept < 0 ? next : next.slice(0, firstKept);
    upTo = passed.findLast(({ at }) => at < due) ?? upTo;
    seen = passed.at(-1)?.id ?? seen;
    if (firstKept >= 0 || next.length === 0) break;
    yield 0;
  }
  const { id, hash } = upTo;
  if (id > anchor.id) {
    store.transaction(() => {
      store.audit.giveUp({ id, hash });
      record({ type: "audit.trimmed", id, hash });
    });
  }
  const remove = (): number => store.lightly(() => store.audit.removeGivenUp(ROWS_REMOVED));
  for (let rows = remove(); rows > 0; rows = remove()) yield rows;
}
