import type { MicroUsd } from "../domain/money.ts";
import type { WireRequest } from "../domain/usage.ts";
import type { Lease } from "./leases.ts";
import { guessInput, NOTHING_USED } from "./meter.ts";
import type { PriceTable } from "./prices.ts";

/** What requests under way may cost, as long as the API has not said what they use. */
export interface Pending {
  /** This request's and that of all that the lease has under way; 0 when there is none. */
  readonly beside: (lease: Lease, wire: WireRequest) => MicroUsd;
  /** Counts it until what it gives is called. */
  readonly add: (lease: Lease, wire: WireRequest) => () => void;
}

export function createPending(prices: PriceTable): Pending {
  const sums = new WeakMap<Lease, number>();
  const costOf = ({ model, textBytes }: WireRequest): MicroUsd =>
    prices.costOf(model, { ...NOTHING_USED, inputTokens: guessInput(textBytes) }).costMicroUsd;

  return {
    beside: (lease, wire) => {
      const sum = sums.get(lease) ?? 0;
      return sum === 0 ? 0 : sum + costOf(wire);
    },
    add: (lease, wire) => {
      const cost = Math.max(1, costOf(wire));
      sums.set(lease, (sums.get(lease) ?? 0) + cost);
      let isCounted = true;
      return () => {
        if (isCounted) sums.set(lease, (sums.get(lease) ?? cost) - cost);
        isCounted = false;
      };
    },
  };
}
