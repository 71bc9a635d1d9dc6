import type { MicroUsd } from "../domain/money.ts";
import type { WireRequest } from "../domain/usage.ts";
import type { Lease } from "./leases.ts";
import { guessInput, mostOutput, NOTHING_USED } from "./meter.ts";
import type { PriceTable } from "./prices.ts";

/** As many as work side by side in earnest, a turn's subagents; each counts with the output of a long answer. */
const EARNEST = 4;
const LONG_ANSWER_TOKENS = 16_000;

/**
 * What requests under way may cost, until it is known what they did: the first few with what a long answer costs, since all they
 * could use would let no subagents run side by side; those beyond with all that they could use.
 */
export interface Pending {
  /** This request's and those of all that the lease has under way; 0 when there is none. */
  readonly beside: (lease: Lease, wire: WireRequest) => MicroUsd;
  /** Counts it until what it gives is called. */
  readonly add: (lease: Lease, wire: WireRequest) => () => void;
  /** Resolves when one that the lease has under way does not count any more. */
  readonly changed: (lease: Lease) => Promise<void>;
}

interface Sum {
  count: number;
  cost: MicroUsd;
  change: PromiseWithResolvers<void>;
}

export function createPending(prices: PriceTable): Pending {
  const sums = new WeakMap<Lease, Sum>();
  const sumOf = (lease: Lease): Sum => {
    const sum = sums.get(lease) ?? { count: 0, cost: 0, change: Promise.withResolvers<void>() };
    sums.set(lease, sum);
    return sum;
  };
  /** Of one more beside those that count already. */
  function costOf(wire: WireRequest, { count }: Sum): MicroUsd {
    const most = mostOutput(wire);
    const outputTokens = count < EARNEST ? Math.min(most, LONG_ANSWER_TOKENS) : most;
    const usage = { ...NOTHING_USED, inputTokens: guessInput(wire.textBytes), outputTokens };
    return prices.costOf(wire.model, usage).costMicroUsd;
  }

  return {
    beside: (lease, wire) => {
      const sum = sumOf(lease);
      return sum.count === 0 ? 0 : sum.cost + costOf(wire, sum);
    },
    add: (lease, wire) => {
      const sum = sumOf(lease);
      const cost = costOf(wire, sum);
      sum.cost += cost;
      sum.count += 1;
      let isCounted = true;
      return () => {
        if (!isCounted) return;
        isCounted = false;
        sum.cost -= cost;
        sum.count -= 1;
        sum.change.resolve();
        sum.change = Promise.withResolvers();
      };
    },
    changed: (lease) => sumOf(lease).change.promise,
  };
}
