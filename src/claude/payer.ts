import type { Payer } from "../domain/usage.ts";

/** A payer that remembers what it refused last. */
export interface WatchedPayer {
  readonly payer: Payer;
  readonly refusal: () => string | null;
}

/** Watches a payer, so that a turn that the API ended for want of money can be told as what it is: a budget that was spent. */
export function watchPayer(payer: Payer): WatchedPayer {
  let refusal: string | null = null;
  return {
    refusal: () => refusal,
    payer: {
      mayStart: () => {
        const answer = payer.mayStart();
        refusal = answer.kind === "refuse" ? answer.message : null;
        return answer;
      },
      onUsage: payer.onUsage,
    },
  };
}
