import { dollars } from "../config/values.ts";
import type { Owners } from "../domain/person.ts";
import type { Request } from "../domain/request.ts";
import type { Spending } from "../security/limit-cost.ts";
import type { Store } from "../store/store.ts";
import type { Turns } from "../turns/turns.ts";
import { isForOwner, type RecordRequest } from "./owners-only.ts";
import type { Replies } from "./replies.ts";
import { grantedText, MONEY_WORDS, receivedText } from "./wording-money.ts";

export interface GrantDeps {
  readonly store: Pick<Store, "grants">;
  readonly replies: Replies;
  readonly turns: Pick<Turns, "paid">;
  readonly owners: Owners;
  readonly isStranger: (userId: number | null) => boolean;
  readonly spending: (userId: number) => Spending;
  readonly record: RecordRequest;
}

const ARGUMENT = /^([1-9]\d{0,15})\s+\$?(\S+)$/;
const AMOUNT = dollars(100_000);

/**
 * /grant <user id> <US dollars>: an owner lets a person spend more in the window of the budget that runs. Called inside a
 * transaction.
 */
export function grantMoney(deps: GrantDeps, request: Request, argument: string): void {
  const { store, replies, spending, record } = deps;
  const { principal, conversation } = request;
  if (principal === null || !isForOwner(deps, request, MONEY_WORDS.ownersOnly)) return;
  const [, id = "", text = ""] = ARGUMENT.exec(argument) ?? [];
  const amount = AMOUNT.safeParse(text);
  const userId = Number(id);
  if (id === "" || !amount.success) {
    replies.tell(request, MONEY_WORDS.usage);
    return;
  }
  if (deps.isStranger(userId)) {
    replies.tell(request, MONEY_WORDS.stranger);
    return;
  }
  if (spending(userId).limitMicroUsd === null) {
    replies.tell(request, MONEY_WORDS.unlimited);
    return;
  }
  store.grants.add(userId, amount.data, principal.userId);
  deps.turns.paid();
  const now = spending(userId);
  const event = { type: "cost.granted", to: userId, amountMicroUsd: amount.data } as const;
  record(event, { userId: principal.userId, conversation });
  replies.tell(request, grantedText(userId, amount.data, now));
  if (userId !== principal.userId) replies.notify(userId, receivedText(amount.data, now));
}
