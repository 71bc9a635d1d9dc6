import type { Payer } from "../domain/usage.ts";
import type { ModelRules } from "./model-rules.ts";

/** Why a request of the turn was refused: its money is used up, or nobody chose its model. */
export interface PayerRefusal {
  readonly kind: "budget" | "model";
  readonly message: string;
}

/** A payer that remembers what it refused last. */
export interface WatchedPayer {
  readonly payer: Payer;
  readonly refusal: () => PayerRefusal | null;
}

interface WatchDeps {
  readonly payer: Payer;
  readonly models: ModelRules;
  /** Told of each request for a model that nobody chose. */
  readonly onUnchosen: (model: string) => void;
}

/** Puts the rule of models before a payer, and watches both, so that a turn that the API ended is told as what it is. */
export function watchPayer({ payer, models, onUnchosen }: WatchDeps): WatchedPayer {
  let refusal: PayerRefusal | null = null;
  return {
    refusal: () => refusal,
    payer: {
      mayStart: (request, pendingMicroUsd) => {
        const unchosen = models.refusalOf(request);
        if (unchosen !== null) {
          refusal = { kind: "model", message: unchosen };
          onUnchosen(request.model);
          return { kind: "refuse", message: unchosen };
        }
        const answer = payer.mayStart(request, pendingMicroUsd);
        refusal = answer.kind === "refuse" ? { kind: "budget", message: answer.message } : null;
        return answer;
      },
      onUsage: payer.onUsage,
    },
  };
}
