import type { Trouble, TroubleSpan } from "./trouble.ts";
import { momentText, zone } from "./wording-time.ts";

/** How long Telegram keeps updates that nobody asks for. */
const KEPT_MS = 86_400_000;

/** For owners: no messages come, since when, why, and what to do. */
export function outageBeganText(trouble: Trouble, since: number): string {
  const start = `${momentText(since)} (${zone()})`;
  switch (trouble) {
    case "unreachable":
      return `I have got no messages from Telegram since ${start}: it does not answer when I ask for them. They are kept there, and I go on asking. If it lasts, look at this machine's network.`;
    case "rival":
      return `Another program has been taking this bot's messages since ${start}: it asks Telegram for them with the same token, and what it takes does not reach me. Stop that program. If it is none of yours, revoke the token at @BotFather and give me the new one.`;
  }
}

/** For owners who have read that it began: messages come again. */
export function outageOverText(span: TroubleSpan): string {
  return `Messages come again. ${outageSummaryText(span)}`;
}

/** For owners, about an outage that is over: from when to when, why, and what is lost. */
export function outageSummaryText({ trouble, since, until }: TroubleSpan): string {
  const when = `From ${momentText(since)} to ${momentText(until)} (${zone()})`;
  switch (trouble) {
    case "unreachable":
      return `${when} Telegram was out of my reach. ${until - since < KEPT_MS ? "Nothing sent meanwhile is lost." : "It keeps messages for a day: what was sent earlier than that is lost."}`;
    case "rival":
      return `${when} another program took this bot's messages. What it took did not reach me: what got no answer has to be sent again.`;
  }
}
