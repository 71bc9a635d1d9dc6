import type { CallRecord, ShownMessage } from "./types.ts";

const LAST_MESSAGES = 12;
const LAST_CALLS = 12;
const MAX_TEXT = 300;

/** The last messages and calls in words, for whoever has to find out why something did not come. */
export function describeState(messages: readonly ShownMessage[], calls: readonly CallRecord[]): string {
  const shown = messages.toSorted((a, b) => a.sentAt - b.sentAt).slice(-LAST_MESSAGES);
  return [
    "The last messages:",
    ...(shown.length === 0 ? ["  (none)"] : shown.map(describeMessage)),
    "The last calls:",
    ...(calls.length === 0 ? ["  (none)"] : calls.slice(-LAST_CALLS).map(describeCall)),
  ].join("\n");
}

function describeMessage(message: ShownMessage): string {
  const who = message.isFromBot ? "bot" : (message.from?.first_name ?? "the chat");
  const text = message.text.length > MAX_TEXT ? `${message.text.slice(0, MAX_TEXT)}…` : message.text;
  const buttons = (message.keyboard?.inline_keyboard.flat() ?? []).map((button) => `[${button.text}]`);
  const marks = [
    ...(message.document === null ? [] : [`(file ${message.document.fileName})`]),
    ...(message.photo === null ? [] : ["(photo)"]),
    ...message.reactions,
    ...buttons,
    ...(message.editedAt === null ? [] : ["(edited)"]),
    ...(message.isDeleted ? ["(deleted)"] : []),
  ];
  return `  ${message.chatId}/${message.messageId} ${who}: ${JSON.stringify(text)} ${marks.join(" ")}`.trimEnd();
}

function describeCall({ method, at, answeredAt, response, fault }: CallRecord): string {
  const outcome = response === null ? "no response" : response.ok ? "ok" : response.description;
  const took = answeredAt === null ? "unanswered" : `${answeredAt - at} ms`;
  return `  ${new Date(at).toISOString()} ${method}: ${outcome} (${took}${fault === null ? "" : `, ${fault.kind}`})`;
}
