import { amountText, type MicroUsd } from "../domain/money.ts";
import type { Verdict } from "../domain/verdict.ts";
import type { Spending } from "../security/limit-cost.ts";
import { whenText } from "./wording-time.ts";

export const MONEY_WORDS = {
  ownersOnly: "Only owners may grant.",
  usage: "Say to whom and how much, in US dollars: /grant 123456789 5",
  stranger: "Nobody of that id may use me.",
  unlimited: "That person has no budget, so there is nothing to grant.",
} as const;

/** A turn reached what one request may cost. */
export const goOnLabel = (amountMicroUsd: MicroUsd, isEquivalent: boolean): string =>
  `Go on for another ${amountText(amountMicroUsd, isEquivalent)}`;

/** The budget is used up: how much, what is left, when it returns, and who may give more. */
export function spentText({
  spentMicroUsd,
  limitMicroUsd,
  returnsAt,
  isEquivalent,
}: Extract<Verdict, { kind: "spent" }>): string {
  const limit = amountText(limitMicroUsd, isEquivalent);
  const returns = returnsAt === null ? "It does not return by itself" : `It returns ${whenText(returnsAt)}`;
  return `The budget is spent: ${amountText(spentMicroUsd, false)} of ${limit}, nothing is left. ${returns}; an owner may grant more (/grant).`;
}

/** `$1.20 of $10.00, $8.80 left (day)`. */
export function spendingText({ spentMicroUsd, limitMicroUsd, window, isEquivalent }: Spending): string {
  const spent = amountText(spentMicroUsd, false);
  if (limitMicroUsd === null) return `${amountText(spentMicroUsd, isEquivalent)}, no limit (${window})`;
  const left = amountText(Math.max(0, limitMicroUsd - spentMicroUsd), false);
  return `${spent} of ${amountText(limitMicroUsd, isEquivalent)}, ${left} left (${window})`;
}

/** To the owner who granted. */
export function grantedText(userId: number, amountMicroUsd: MicroUsd, spending: Spending): string {
  return `Granted ${amountText(amountMicroUsd, spending.isEquivalent)} to ${userId}${untilText(spending)}: ${spendingText(spending)}.`;
}

/** To the person who was granted it. */
export function receivedText(amountMicroUsd: MicroUsd, spending: Spending): string {
  return `An owner granted you ${amountText(amountMicroUsd, spending.isEquivalent)}${untilText(spending)}: ${spendingText(spending)}.`;
}

function untilText({ returnsAt }: Spending): string {
  return returnsAt === null ? "" : `, until the budget returns ${whenText(returnsAt)}`;
}
