import type { BotApi } from "../../src/demo/bot-api/api.ts";
import type { PersonChat } from "../../src/demo/bot-api/person.ts";
import type { ShownMessage } from "../../src/demo/bot-api/types.ts";

/** A press that a person made. */
export interface Pressed {
  readonly label: string;
  readonly messageId: number;
}

/**
 * A person who presses buttons as they appear, also while the daemon is down: of each message the first label that he wants,
 * each label once. Gives what he pressed, growing.
 */
export function reactIn(
  api: BotApi,
  chat: PersonChat,
  wants: (message: ShownMessage) => readonly string[],
): readonly Pressed[] {
  const pressed: Pressed[] = [];
  api.on("change", (change) => {
    if (change.kind !== "message_sent" && change.kind !== "message_edited") return;
    const { message } = change;
    if (message.chatId !== chat.chatId || !message.isFromBot) return;
    const shown = message.keyboard?.inline_keyboard.flat().map(({ text }) => text) ?? [];
    const label = wants(message).find((one) => shown.includes(one));
    const isNew = !pressed.some((press) => press.label === label && press.messageId === message.messageId);
    if (label === undefined || !isNew) return;
    pressed.push({ label, messageId: message.messageId });
    chat.press(message.messageId, label);
  });
  return pressed;
}
