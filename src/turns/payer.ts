import { amountText } from "../domain/money.ts";
import type { Payer } from "../domain/usage.ts";
import type { Work } from "../domain/work.ts";
import type { Ledger } from "../store/ledger.ts";
import type { RecordWork } from "./settle.ts";

interface PayerDeps {
  readonly ledger: Ledger;
  /** Prepared: its reservation is what the turn may cost at most. */
  readonly work: Work;
  readonly record: RecordWork;
  /** A subscription pays: amounts are what the API would have charged. */
  readonly isEquivalent: boolean;
}

/**
 * Pays for one turn's API requests out of its reservation. Each request is metered to disk as it happens, so that a turn
 * that is stopped or killed still has its true cost. A request begins only while the reservation is not used up, and waits while
 * it could be by what runs beside it: it may end above it by what one request costs. The first refusal of a turn is put on record.
 */
export function createPayer({ ledger, work, record, isEquivalent }: PayerDeps): Payer {
  const limitMicroUsd = work.reservedMicroUsd;
  let isRefused = false;
  const unpriced = new Set<string>();

  return {
    mayStart: (_request, pendingMicroUsd) => {
      const spentMicroUsd = ledger.metered(work.id);
      if (spentMicroUsd + pendingMicroUsd < limitMicroUsd) return { kind: "ok" };
      if (spentMicroUsd < limitMicroUsd) return { kind: "wait" };
      if (!isRefused)
        record({ type: "cost.refused", stage: "request", spentMicroUsd, limitMicroUsd }, { work });
      isRefused = true;
      const message = `Sallyport: this request has used up its ${amountText(limitMicroUsd, isEquivalent)}.`;
      return { kind: "refuse", message };
    },
    onUsage: (usage) => {
      ledger.meter(work.id, usage);
      if (!usage.isUnpriced || unpriced.has(usage.model)) return;
      unpriced.add(usage.model);
      record({ type: "cost.unknown_model", workId: work.id, model: usage.model }, { work });
    },
  };
}
