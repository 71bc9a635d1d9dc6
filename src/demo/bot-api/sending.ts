import { z } from "zod";
import { asNested, type ChatState } from "./chats.ts";
import { badRequest } from "./failure.ts";
import type { MethodDeps } from "./methods.ts";
import type { ApiMessage, ApiMessageContent } from "./objects.ts";
import { chatRef, flag, integer, nested } from "./params.ts";
import type { StoredMessage } from "./shown.ts";
import { type FormattedText, fixText, lengthInCodePoints, parseText, type RawText } from "./text.ts";

const MAX_TEXT = 4096;
const MAX_CAPTION = 1024;

/** Parameters that say where a message goes, the same for all sending methods. */
export const placeShape = {
  chat_id: chatRef,
  message_thread_id: integer.optional(),
  reply_parameters: nested(
    z.looseObject({
      message_id: integer,
      chat_id: chatRef.optional(),
      allow_sending_without_reply: flag.optional(),
    }),
  ).optional(),
  reply_to_message_id: integer.optional(),
  allow_sending_without_reply: flag.optional(),
};

const placeSchema = z.object(placeShape);

/** A chat, a topic of it, and the message that is answered there. */
export interface Place {
  readonly state: ChatState;
  readonly threadId: number | null;
  readonly replyTo: ApiMessage | null;
}

/** Looks the place up. Throws for an unknown chat, topic, or message to be replied to. */
export function findPlace({ chats }: MethodDeps, params: z.output<typeof placeSchema>): Place {
  const state = chats.require(params.chat_id);
  const threadId = requireThread(state, params.message_thread_id ?? 0);
  const replyTo = findReply(chats.require(params.reply_parameters?.chat_id ?? params.chat_id), params);
  return { state, threadId: threadId ?? replyTo?.message_thread_id ?? null, replyTo };
}

/**
 * The topic, or null for none. Where a chat has no topics the number is not looked at, as on the real server.
 * Throws 400 for a topic that is unknown or deleted, or the General one, whose number is never given out.
 */
export function requireThread({ chat, topics }: ChatState, threadId: number): number | null {
  const canHaveTopics = chat.type === "private" || chat.is_forum === true;
  if (threadId <= 0 || !canHaveTopics) return null;
  if (!topics.has(threadId)) throw badRequest("message thread not found");
  return threadId;
}

/** Puts the bot's message there. Throws 429 where the flood model says so. */
export function deliver(
  { chats, flood }: MethodDeps,
  { state, threadId, replyTo }: Place,
  content: { readonly draft: ApiMessageContent; readonly extra?: Partial<StoredMessage> },
): ApiMessage {
  flood.spend(state.chat.id, "message");
  const draft = {
    from: chats.bot,
    ...(threadId === null ? {} : { message_thread_id: threadId, is_topic_message: true }),
    ...(replyTo === null ? {} : { reply_to_message: asNested(replyTo) }),
    ...content.draft,
  };
  return chats.add(state, draft, content.extra);
}

/** First look at a message text. Throws 400 for an empty one. */
export function parseMessageText(raw: RawText): FormattedText {
  if (raw.text === "") throw badRequest("message text is empty");
  return parseText(raw);
}

/** The text as it is stored. Throws 400 for one that shows nothing or is over 4096 characters. */
export function fixMessageText(raw: FormattedText): FormattedText {
  const fixed = fixText(raw);
  if (fixed.text === "") throw badRequest("text must be non-empty");
  if (lengthInCodePoints(fixed.text) > MAX_TEXT) throw badRequest("message is too long");
  return fixed;
}

/** The caption as it is stored, which may be empty. Throws 400 over 1024 characters. */
export function fixCaption(raw: FormattedText): FormattedText {
  const fixed = fixText(raw);
  if (lengthInCodePoints(fixed.text) > MAX_CAPTION) throw badRequest("message caption is too long");
  return fixed;
}

/** The fields of a message that carry a text. */
export function textFields({ text, entities }: FormattedText): ApiMessageContent {
  return { text, ...(entities.length === 0 ? {} : { entities }) };
}

/** The fields of a message that carry a caption; none for an empty one. */
export function captionFields({ text, entities }: FormattedText): ApiMessageContent {
  return text === ""
    ? {}
    : { caption: text, ...(entities.length === 0 ? {} : { caption_entities: entities }) };
}

function findReply(state: ChatState, params: z.output<typeof placeSchema>): ApiMessage | null {
  const messageId = params.reply_parameters?.message_id ?? params.reply_to_message_id ?? 0;
  if (messageId <= 0) return null;
  const stored = state.messages.get(messageId);
  if (stored !== undefined && stored.isDeleted !== true) return stored.message;
  const isOptional =
    params.reply_parameters?.allow_sending_without_reply ?? params.allow_sending_without_reply;
  if (isOptional === true) return null;
  throw badRequest("message to be replied not found");
}
