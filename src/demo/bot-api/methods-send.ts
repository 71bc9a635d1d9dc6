import { z } from "zod";
import { requireMessage } from "./chats.ts";
import { badRequest } from "./failure.ts";
import { checkKeyboard, parseMarkup } from "./keyboard.ts";
import { type MethodDeps, type MethodTable, method } from "./methods.ts";
import type { ApiMessage, ApiMessageContent } from "./objects.ts";
import { chatRef, integer } from "./params.ts";
import {
  captionFields,
  deliver,
  findPlace,
  fixCaption,
  fixMessageText,
  parseMessageText,
  placeShape,
  requireThread,
  textFields,
} from "./sending.ts";
import type { StoredMessage } from "./shown.ts";
import { fixText, lengthInCodePoints, parseText } from "./text.ts";

const textParams = z.object({
  ...placeShape,
  text: z.string().default(""),
  entities: z.unknown().optional(),
  parse_mode: z.string().optional(),
  reply_markup: z.unknown().optional(),
});

const fileParams = z.object({
  ...placeShape,
  caption: z.string().default(""),
  caption_entities: z.unknown().optional(),
  parse_mode: z.string().optional(),
  reply_markup: z.unknown().optional(),
});

const copyParams = z.object({ ...placeShape, from_chat_id: chatRef, message_id: integer.default(0) });

const draftParams = z.object({
  chat_id: chatRef,
  message_thread_id: integer.default(0),
  draft_id: integer.default(0),
  text: z.string().default(""),
  entities: z.unknown().optional(),
  parse_mode: z.string().optional(),
});

const MAX_PHOTO_BYTES = 10_485_760;
/** First bytes of JPEG, PNG, GIF and WebP. */
const PICTURES = ["ffd8ff", "89504e47", "47494638", "52494646"];

/** Methods by which a new message comes to a chat, and drafts, which are shown but never become one. */
export function createSendMethods(deps: MethodDeps): MethodTable {
  const { chats, files, flood, emit } = deps;

  const sendFile = (field: "document" | "photo") =>
    method(fileParams, (params, payload) => {
      const held = files.ofCall(payload, field);
      const caption = parseText({
        text: params.caption,
        entities: params.caption_entities,
        parseMode: params.parse_mode,
      });
      const markup = parseMarkup(params.reply_markup);
      const place = findPlace(deps, params);
      if (field === "photo") checkPicture(held.content);
      const keyboard = checkKeyboard(markup);
      const { file_path: _, ...named } = held.api;
      const shown = { fileName: held.fileName, mimeType: held.mimeType, content: held.content };
      const media =
        field === "photo"
          ? { photo: [{ ...named, width: 640, height: 480 }] }
          : { document: { ...named, file_name: held.fileName, mime_type: held.mimeType } };
      return deliver(deps, place, {
        draft: {
          ...media,
          ...captionFields(fixCaption(caption)),
          ...(keyboard && { reply_markup: keyboard }),
        },
        extra: field === "photo" ? { photo: shown } : { document: shown },
      });
    });

  return {
    sendMessage: method(textParams, (params) => {
      const { text, entities, parse_mode: parseMode } = params;
      const raw = parseMessageText({ text, entities, parseMode });
      const markup = parseMarkup(params.reply_markup);
      const place = findPlace(deps, params);
      const fixed = fixMessageText(raw);
      const keyboard = checkKeyboard(markup);
      return deliver(deps, place, {
        draft: { ...textFields(fixed), ...(keyboard && { reply_markup: keyboard }) },
      });
    }),

    sendDocument: sendFile("document"),
    sendPhoto: sendFile("photo"),

    forwardMessage: method(copyParams, (params) => {
      const source = requireMessage(
        chats.require(params.from_chat_id),
        params.message_id,
        "message to forward",
      );
      const origin = { type: "user", sender_user: source.message.from, date: source.message.date };
      return deliver(deps, findPlace(deps, params), {
        draft: { ...contentOf(source.message), forward_origin: origin },
        extra: filesOf(source),
      });
    }),

    copyMessage: method(copyParams, (params) => {
      const source = requireMessage(chats.require(params.from_chat_id), params.message_id, "message to copy");
      const copy = deliver(deps, findPlace(deps, params), {
        draft: contentOf(source.message),
        extra: filesOf(source),
      });
      return { message_id: copy.message_id };
    }),

    sendMessageDraft: method(draftParams, (params) => {
      const { text, entities, parse_mode: parseMode } = params;
      const raw = parseText({ text, entities, parseMode });
      const state = chats.require(params.chat_id);
      if (state.chat.type !== "private") throw badRequest("TEXTDRAFT_PEER_INVALID");
      if (params.draft_id === 0) throw badRequest("RANDOM_ID_INVALID");
      const threadId = requireThread(state, params.message_thread_id);
      const fixed = fixText(raw);
      if (lengthInCodePoints(fixed.text) > 4096) throw badRequest("message is too long");
      flood.spend(state.chat.id, "signal");
      emit({ kind: "draft", chatId: state.chat.id, threadId, draftId: params.draft_id, text: fixed.text });
      return true;
    }),
  };
}

function checkPicture(content: Buffer): void {
  const start = content.toString("hex", 0, 4);
  if (!PICTURES.some((picture) => start.startsWith(picture))) throw badRequest("IMAGE_PROCESS_FAILED");
  if (content.length > MAX_PHOTO_BYTES) throw badRequest("file is too big");
}

/** Fields that belong to one message and do not travel with a copy. */
const OWN_FIELDS = new Set([
  "message_id",
  "date",
  "chat",
  "from",
  "sender_chat",
  "message_thread_id",
  "is_topic_message",
  "reply_to_message",
  "edit_date",
  "reply_markup",
]);

function contentOf(message: ApiMessage): ApiMessageContent {
  return Object.fromEntries(Object.entries(message).filter(([field]) => !OWN_FIELDS.has(field)));
}

function filesOf({ document, photo }: StoredMessage): Partial<StoredMessage> {
  return { ...(document && { document }), ...(photo && { photo }) };
}
