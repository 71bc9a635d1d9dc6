import type { MicroUsd } from "../domain/money.ts";
import type { ApiUsage, Payer, WireRequest } from "../domain/usage.ts";
import type { Logger } from "../log/logger.ts";

/** What a payer answers to "may it start?". */
export type PayerVerdict = ReturnType<Payer["mayStart"]>;

/** Payers as the proxy deals with them. */
export interface GuardedPayers {
  readonly judge: (payer: Payer, request: WireRequest, pendingMicroUsd: MicroUsd) => PayerVerdict;
  readonly report: (payer: Payer, usage: ApiUsage) => void;
}

/** Asks and tells payers, and survives those that throw: such a one pays for nothing more, since what it owes is unknown. */
export function createGuardedPayers(log: Logger): GuardedPayers {
  const broken = new WeakSet<Payer>();
  const refusal = {
    kind: "refuse",
    message:
      "Sallyport: the cost of this turn could not be recorded, so it may not go on. The daemon's log says why.",
  } as const;

  const distrust = (payer: Payer, err: unknown) => {
    broken.add(payer);
    log.error({ event: "egress.payer_failed", err }, "the payer of API requests failed");
  };

  return {
    judge: (payer, request, pendingMicroUsd) => {
      if (broken.has(payer)) return refusal;
      try {
        return payer.mayStart(request, pendingMicroUsd);
      } catch (error) {
        distrust(payer, error);
        return refusal;
      }
    },
    report: (payer, usage) => {
      try {
        payer.onUsage(usage);
      } catch (error) {
        distrust(payer, error);
      }
    },
  };
}
