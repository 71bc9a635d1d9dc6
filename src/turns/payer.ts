import { formatUsd } from "../domain/money.ts";
import type { Payer } from "../domain/usage.ts";
import type { Work } from "../domain/work.ts";
import type { Ledger } from "../store/ledger.ts";
import type { RecordWork } from "./settle.ts";

interface PayerDeps {
  readonly ledger: Ledger;
  /** Prepared: its reservation is what the turn may cost at most. */
  readonly work: Work;
  readonly record: RecordWork;
}

/**
 * Pays for one turn's API requests out of its reservation. Each request is metered to disk as it happens, so that a turn
 * that is stopped or killed still has its true cost. A request begins only while the reservation is not used up, nor would
 * be by what runs beside it: it may end above it by what one request costs. The first refusal of a turn is put on record.
 */
export function createPayer({ ledger, work, record }: PayerDeps): Payer {
  const limitMicroUsd = work.reservedMicroUsd;
  let isRefused = false;
  const unpriced = new Set<string>();

  return {
    mayStart: (_request, pendingMicroUsd) => {
      const spentMicroUsd = ledger.metered(work.id);
      if (spentMicroUsd + pendingMicroUsd < limitMicroUsd) return { kind: "ok" };
      if (!isRefused)
        record({ type: "cost.refused", stage: "request", spentMicroUsd, limitMicroUsd }, { work });
      isRefused = true;
      return {
        kind: "refuse",
        message:
          spentMicroUsd < limitMicroUsd
            ? `Sallyport: what runs side by side could use up the ${formatUsd(limitMicroUsd)} of this request.`
            : `Sallyport: this request has used up its ${formatUsd(limitMicroUsd)}.`,
      };
    },
    onUsage: (usage) => {
      if (usage.isUnpriced && !unpriced.has(usage.model)) {
        unpriced.add(usage.model);
        record({ type: "cost.unknown_model", workId: work.id, model: usage.model }, { work });
      }
      ledger.meter(work.id, usage);
    },
  };
}
