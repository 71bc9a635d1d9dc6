import type { ShownMessage } from "../../src/demo/bot-api/types.ts";

/** True for the final answer of a turn: its last line names the cost. */
export function isFinal({ isFromBot, text }: Pick<ShownMessage, "isFromBot" | "text">): boolean {
  return isFromBot && isFinalText(text);
}

/** True for the text of such an answer. */
export function isFinalText(text: unknown): boolean {
  return typeof text === "string" && / · \$\d/.test(text.slice(-40));
}
