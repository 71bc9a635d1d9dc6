import type { AuditEvent } from "../domain/audit-event.ts";
import type { MicroUsd } from "../domain/money.ts";
import type { Work } from "../domain/work.ts";
import type { Logger } from "../log/logger.ts";
import type { Ledger } from "../store/ledger.ts";

/** Puts an act about a work on record; its asker did it unless `userId` says otherwise. */
export type RecordWork = (event: AuditEvent, who: { readonly work: Work; readonly userId?: number }) => void;

/** What a turn cost, and how that is known. */
export interface TurnCost {
  readonly costMicroUsd: MicroUsd;
  readonly source: "cli" | "meter";
}

/**
 * The true cost of a turn: what the proxy metered, which saw every request, other programs' of the jail included, and of an
 * answer that was cut what came. The CLI's own sum (null when no result came) counts only where nothing was metered: it knows
 * its own requests only, and guesses for those that were interrupted.
 */
export function costOfTurn(byCliMicroUsd: MicroUsd | null, meteredMicroUsd: MicroUsd): TurnCost {
  if (meteredMicroUsd > 0 || byCliMicroUsd === null) {
    return { costMicroUsd: meteredMicroUsd, source: "meter" };
  }
  return { costMicroUsd: byCliMicroUsd, source: "cli" };
}

/** What the CLI's sum and the meter's may differ by: each rounds every request by itself. */
const TOLERANCE_MICRO_USD = 1_000;

/** Logs that what the CLI says a turn cost and what was metered on the wire are not the same. */
export function logDisagreement(
  log: Logger,
  sums: {
    readonly workId: number;
    readonly cliMicroUsd: MicroUsd | null;
    readonly meteredMicroUsd: MicroUsd;
  },
): void {
  const { cliMicroUsd, meteredMicroUsd } = sums;
  if (cliMicroUsd === null || Math.abs(cliMicroUsd - meteredMicroUsd) <= TOLERANCE_MICRO_USD) return;
  log.warn({ event: "cost.disagreement", ...sums }, "the CLI's sum of a turn's cost is not the meter's");
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
