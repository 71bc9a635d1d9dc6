import type { MicroUsd } from "../domain/money.ts";

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
