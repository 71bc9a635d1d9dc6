import type { AuditEvent } from "../domain/audit-event.ts";
import type { MicroUsd } from "../domain/money.ts";
import type { Work } from "../domain/work.ts";
import type { Ledger } from "../store/ledger.ts";

/** Puts an act about a work on record; its asker did it unless `userId` says otherwise. */
export type RecordWork = (event: AuditEvent, who: { readonly work: Work; readonly userId?: number }) => void;

/** What a turn cost, and how that is known. */
export interface TurnCost {
  readonly costMicroUsd: MicroUsd;
  readonly source: "cli" | "meter";
}

/**
 * The true cost of a turn: what the CLI says that it cost (null when no result came) or what the proxy metered, the larger
 * of the two. The CLI's cumulative total is not used: a killed process loses it, so that differences of it come out too small.
 */
export function costOfTurn(byCliMicroUsd: MicroUsd | null, meteredMicroUsd: MicroUsd): TurnCost {
  if (byCliMicroUsd === null || meteredMicroUsd > byCliMicroUsd) {
    return { costMicroUsd: meteredMicroUsd, source: "meter" };
  }
  return { costMicroUsd: byCliMicroUsd, source: "cli" };
}

/** Charges a turn and puts it on record; returns what it cost. Called inside the transaction that ends the turn. */
export function settleTurn(
  { ledger, record }: { readonly ledger: Ledger; readonly record: RecordWork },
  work: Work,
  byCliMicroUsd: MicroUsd | null,
): MicroUsd {
  const cost = costOfTurn(byCliMicroUsd, ledger.metered(work.id));
  ledger.settle({ workId: work.id, userId: work.userId, ...cost });
  const { reservedMicroUsd } = work;
  record({ type: "cost.settled", workId: work.id, reservedMicroUsd, ...cost }, { work });
  return cost.costMicroUsd;
}
