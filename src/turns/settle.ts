import type { ClaudeTurnEnd } from "../domain/claude-event.ts";
import type { MicroUsd } from "../domain/money.ts";
import type { Session } from "../domain/work.ts";

/** What a turn cost, and how that is known. */
export interface TurnCost {
  readonly costMicroUsd: MicroUsd;
  readonly source: "cli" | "meter";
}

/**
 * The true cost of a turn: the rise of the CLI's cumulative total when the turn ended with a result, else what the
 * proxy metered. A turn that did not complete may have cut requests that the CLI does not count: the larger of the two.
 */
export function costOfTurn(end: ClaudeTurnEnd, session: Session, meteredMicroUsd: MicroUsd): TurnCost {
  const byMeter = { costMicroUsd: meteredMicroUsd, source: "meter" } as const;
  if (end.totalCostMicroUsd === null) return byMeter;
  const rise = end.totalCostMicroUsd - session.totalCostMicroUsd;
  if (rise < 0) return byMeter;
  if (end.outcome.kind !== "completed" && meteredMicroUsd > rise) return byMeter;
  return { costMicroUsd: rise, source: "cli" };
}
