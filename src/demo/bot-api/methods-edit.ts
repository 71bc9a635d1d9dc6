import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { type ChatState, requireMessage } from "./chats.ts";
import { badRequest } from "./failure.ts";
import { checkKeyboard, type Markup, parseMarkup } from "./keyboard.ts";
import { type MethodDeps, type MethodTable, method } from "./methods.ts";
import type { ApiMessage, ApiMessageContent } from "./objects.ts";
import { chatRef, integer, nested } from "./params.ts";
import { checkReactions, parseReactions } from "./reactions.ts";
import { captionFields, fixCaption, fixMessageText, parseMessageText, textFields } from "./sending.ts";
import type { StoredMessage } from "./shown.ts";
import { parseText } from "./text.ts";

const editShape = {
  chat_id: chatRef.optional(),
  message_id: integer.default(0),
  inline_message_id: z.string().optional(),
  parse_mode: z.string().optional(),
  reply_markup: z.unknown().optional(),
};
const editParams = z.object(editShape);
const textParams = z.object({ ...editShape, text: z.string().default(""), entities: z.unknown().optional() });
const captionParams = z.object({
  ...editShape,
  caption: z.string().default(""),
  caption_entities: z.unknown().optional(),
});
const oneParams = z.object({ chat_id: chatRef, message_id: integer.default(0) });
const manyParams = z.object({
  chat_id: chatRef,
  message_ids: nested(
    z
      .array(integer, { error: "message identifiers are not specified" })
      .min(1, { error: "message identifiers are not specified" })
      .max(100, { error: "too many message identifiers specified" }),
  ),
});
const reactionParams = z.object({ ...oneParams.shape, reaction: z.unknown().optional() });

const DELETABLE_MS = 48 * 3_600_000;
const NOT_MODIFIED =
  "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message";

/** What an edit may change. */
const VISIBLE = new Set(["text", "entities", "caption", "caption_entities", "reply_markup"]);

interface Target {
  readonly state: ChatState;
  readonly stored: StoredMessage;
}

/** Methods that change or remove messages. An edit that names no buttons takes them away, as on the real server. */
export function createEditMethods(deps: MethodDeps): MethodTable {
  const { chats } = deps;

  return {
    editMessageText: method(textParams, (params) => {
      const { text, entities, parse_mode: parseMode } = params;
      const raw = parseMessageText({ text, entities, parseMode });
      const markup = parseMarkup(params.reply_markup);
      const target = findOwn(deps, params);
      if (target.stored.message.text === undefined)
        throw badRequest("there is no text in the message to edit");
      return applyEdit(deps, target, { fields: textFields(fixMessageText(raw)), markup });
    }),

    editMessageCaption: method(captionParams, (params) => {
      const { caption: text, caption_entities: entities, parse_mode: parseMode } = params;
      const raw = parseText({ text, entities, parseMode });
      const markup = parseMarkup(params.reply_markup);
      const target = findOwn(deps, params);
      if (target.stored.message.text !== undefined)
        throw badRequest("there is no caption in the message to edit");
      return applyEdit(deps, target, { fields: captionFields(fixCaption(raw)), markup });
    }),

    editMessageReplyMarkup: method(editParams, (params) => {
      const markup = parseMarkup(params.reply_markup);
      return applyEdit(deps, findOwn(deps, params), { fields: null, markup });
    }),

    deleteMessage: method(oneParams, (params) => {
      if (params.message_id === 0) throw badRequest("message identifier is not specified");
      const state = chats.require(params.chat_id);
      remove(deps, state, [requireMessage(state, params.message_id, "message to delete")]);
      return true;
    }),

    deleteMessages: method(manyParams, (params) => {
      const state = chats.require(params.chat_id);
      const ids = new Set(params.message_ids);
      const living = [...state.messages.values()].filter(({ isDeleted }) => isDeleted !== true);
      const named = living.filter(({ message }) => ids.has(message.message_id));
      remove(deps, state, named);
      return true;
    }),

    setMessageReaction: method(reactionParams, (params) => {
      const reactions = parseReactions(params.reaction);
      const state = chats.require(params.chat_id);
      const stored = requireMessage(state, params.message_id, "message to react");
      checkReactions(reactions);
      chats.replace(state, { ...stored, reactions }, "message_reacted");
      return true;
    }),

    pinChatMessage: method(oneParams, (params) => {
      const state = chats.require(params.chat_id);
      const stored = requireMessage(state, params.message_id, "message to pin");
      chats.replace(state, { ...stored, isPinned: true }, "message_pinned");
      return true;
    }),
  };
}

function remove({ chats, now }: MethodDeps, state: ChatState, messages: readonly StoredMessage[]): void {
  const oldest = now() - DELETABLE_MS;
  const isAdmin = state.chat.type === "private" || state.isBotAdmin;
  for (const { message, sentAt } of messages) {
    if (!isAdmin && message.from?.id !== chats.bot.id) throw badRequest("message can't be deleted");
    if (sentAt < oldest) throw badRequest("message can't be deleted for everyone");
  }
  for (const stored of messages) chats.replace(state, { ...stored, isDeleted: true }, "message_deleted");
}

function findOwn({ chats }: MethodDeps, params: z.output<typeof editParams>): Target {
  const { chat_id: chatId, message_id: messageId, inline_message_id: inlineId } = params;
  if (chatId === undefined && messageId === 0) {
    throw badRequest(inlineId === undefined ? "message identifier is not specified" : "MESSAGE_ID_INVALID");
  }
  const state = chats.require(chatId ?? 0);
  const stored = requireMessage(state, messageId, "message to edit");
  if (stored.message.from?.id !== chats.bot.id) throw badRequest("message can't be edited");
  return { state, stored };
}

interface Edit {
  /** The new text or caption; null leaves it as it is. */
  readonly fields: ApiMessageContent | null;
  readonly markup: Markup;
}

function applyEdit(
  { chats, flood, now }: MethodDeps,
  { state, stored }: Target,
  { fields, markup }: Edit,
): ApiMessage {
  if (markup.kind === "other") throw badRequest("inline keyboard expected");
  const keyboard = checkKeyboard(markup);
  flood.spend(state.chat.id, "message");
  const shown = fieldsOf(stored.message, (field) => VISIBLE.has(field));
  const { reply_markup: _, ...old } = shown;
  const next = { ...(fields ?? old), ...(keyboard && { reply_markup: keyboard }) };
  if (isDeepStrictEqual(next, shown)) throw badRequest(NOT_MODIFIED);
  const at = now();
  const { message_id, date, chat } = stored.message;
  const message = {
    ...fieldsOf(stored.message, (field) => !VISIBLE.has(field)),
    ...next,
    ...(fields && { edit_date: Math.floor(at / 1000) }),
    message_id,
    date,
    chat,
  };
  chats.replace(state, { ...stored, message, ...(fields && { editedAt: at }) }, "message_edited");
  return message;
}

function fieldsOf(message: ApiMessage, isWanted: (field: string) => boolean): ApiMessageContent {
  return Object.fromEntries(Object.entries(message).filter(([field]) => isWanted(field)));
}
