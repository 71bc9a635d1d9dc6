import { type Api, InputFile } from "grammy";
import type { InlineKeyboardMarkup, MessageEntity } from "grammy/types";
import type { MessageBody, OutboxAct } from "../domain/outbox.ts";
import { type CallEnd, endOf } from "./call.ts";

/** Where a message goes. */
export interface Place {
  readonly chatId: number;
  readonly threadId: number | null;
}

/** What is already on the screen: its id, and whether its text is a caption. */
export interface Target {
  readonly messageId: number;
  readonly isDocument: boolean;
}

/** Calls that change what a chat shows; each ends with the id of the message that it made or changed. */
export interface ScreenCalls {
  readonly send: (place: Place, act: Extract<OutboxAct, { kind: "send" }>) => Promise<CallEnd<number>>;
  readonly document: (
    place: Place,
    act: Extract<OutboxAct, { kind: "document" }>,
  ) => Promise<CallEnd<number>>;
  /** An edit that changes nothing ends well. */
  readonly edit: (place: Place, target: Target, body: MessageBody) => Promise<CallEnd<number>>;
  /** The same for what is passing: given up after 5 s, for an answer may wait behind it. */
  readonly preview: (place: Place, target: Target, body: MessageBody) => Promise<CallEnd<number>>;
  /** Deletes a message, also one of a person in his private chat with the bot. */
  readonly remove: (chatId: number, messageId: number) => Promise<CallEnd<unknown>>;
  /** Puts an emoji under a message. */
  readonly react: (chatId: number, messageId: number, emoji: Reaction) => Promise<CallEnd<unknown>>;
  /** Takes the keys off a message; given up after 5 s. */
  readonly clearKeys: (chatId: number, messageId: number) => Promise<CallEnd<unknown>>;
  /** Ends the waiting of a pressed button, with a toast when there is something to say. */
  readonly answerPress: (callbackId: string, text: string | null) => Promise<CallEnd<unknown>>;
}

/** The emoji that the bot reacts with. */
export type Reaction = "👀" | "👍" | "👎";

/** How long a call may take, and one that is about something passing. */
const CALL_SECONDS = 30;
const PASSING_SECONDS = 5;

/**
 * Speaks to Telegram in text and entities; `parse_mode` is never used, so no markup can be refused. `connect` gives an API
 * whose calls end after so many seconds.
 */
export function createScreenCalls(connect: (timeoutSeconds: number) => Api): ScreenCalls {
  const api = connect(CALL_SECONDS);
  const hasty = connect(PASSING_SECONDS);

  return {
    send: async ({ chatId, threadId }, { body, replyTo, isSilent }) =>
      idOf(
        await endOf(
          api.raw.sendMessage({
            chat_id: chatId,
            ...(threadId === null ? {} : { message_thread_id: threadId }),
            text: body.text,
            entities: entitiesOf(body),
            link_preview_options: { is_disabled: true },
            disable_notification: isSilent,
            ...replyParameters(replyTo),
            ...markupOf(body),
          }),
        ),
      ),
    document: async ({ chatId, threadId }, { fileName, content, body, replyTo }) =>
      idOf(
        await endOf(
          api.raw.sendDocument({
            chat_id: chatId,
            ...(threadId === null ? {} : { message_thread_id: threadId }),
            document: new InputFile(Buffer.from(content, "utf8"), fileName),
            caption: body.text,
            caption_entities: entitiesOf(body),
            ...replyParameters(replyTo),
            ...markupOf(body),
          }),
        ),
      ),
    edit: (place, target, body) => edit(api, { ...place, ...target }, body),
    preview: (place, target, body) => edit(hasty, { ...place, ...target }, body),
    remove: (chatId, messageId) => endOf(api.raw.deleteMessage({ chat_id: chatId, message_id: messageId })),
    react: (chatId, messageId, emoji) =>
      endOf(
        api.raw.setMessageReaction({
          chat_id: chatId,
          message_id: messageId,
          reaction: [{ type: "emoji", emoji }],
        }),
      ),
    clearKeys: (chatId, messageId) =>
      endOf(hasty.raw.editMessageReplyMarkup({ chat_id: chatId, message_id: messageId })),
    answerPress: (callbackId, text) =>
      endOf(
        api.raw.answerCallbackQuery({ callback_query_id: callbackId, ...(text === null ? {} : { text }) }),
      ),
  };
}

async function edit(
  api: Api,
  { chatId, messageId, isDocument }: Place & Target,
  body: MessageBody,
): Promise<CallEnd<number>> {
  const at = { chat_id: chatId, message_id: messageId, reply_markup: keyboardOf(body) };
  const entities = entitiesOf(body);
  const end = isDocument
    ? await endOf(api.raw.editMessageCaption({ ...at, caption: body.text, caption_entities: entities }))
    : await endOf(
        api.raw.editMessageText({
          ...at,
          text: body.text,
          entities,
          link_preview_options: { is_disabled: true },
        }),
      );
  return end.kind === "ok" || isUnchanged(end) ? { kind: "ok", value: messageId } : end;
}

function idOf(end: CallEnd<{ message_id: number }>): CallEnd<number> {
  return end.kind === "ok" ? { kind: "ok", value: end.value.message_id } : end;
}

function isUnchanged(end: CallEnd<unknown>): boolean {
  return end.kind === "refused" && end.description.includes("message is not modified");
}

function replyParameters(replyTo: number | null) {
  if (replyTo === null) return {};
  return { reply_parameters: { message_id: replyTo, allow_sending_without_reply: true } };
}

function markupOf(body: MessageBody) {
  return body.buttons.length === 0 ? {} : { reply_markup: keyboardOf(body) };
}

function keyboardOf(body: MessageBody): InlineKeyboardMarkup {
  const row = (buttons: MessageBody["buttons"][number]) =>
    buttons.map(({ text, data }) => ({ text, callback_data: data }));
  return { inline_keyboard: body.buttons.map(row) };
}

function entitiesOf({ entities }: MessageBody): MessageEntity[] {
  return [...entities];
}
