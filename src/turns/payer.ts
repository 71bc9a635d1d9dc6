import { formatUsd, type MicroUsd } from "../domain/money.ts";
import type { Payer } from "../domain/usage.ts";
import type { Work } from "../domain/work.ts";
import type { Ledger } from "../store/ledger.ts";

interface PayerDeps {
  readonly ledger: Ledger;
  readonly work: Work;
  /** What the turn may cost at most: its reservation. Null when nothing limits it. */
  readonly capMicroUsd: MicroUsd | null;
}

/**
 * Pays for one turn's API requests out of its reservation. Each request is metered to disk as it happens, so that a turn
 * that is stopped or killed still has its true cost. A request begins only while the reservation is not used up: it may
 * end above it by what this one request costs.
 */
export function createPayer({ ledger, work, capMicroUsd }: PayerDeps): Payer {
  return {
    mayStart: () => {
      if (capMicroUsd === null || ledger.metered(work.id) < capMicroUsd) return { kind: "ok" };
      return {
        kind: "refuse",
        message: `Sallyport: this request has used up its ${formatUsd(capMicroUsd)}.`,
      };
    },
    onUsage: (usage) => ledger.meter(work.id, usage),
  };
}
