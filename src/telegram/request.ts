import type { Update, User } from "grammy/types";
import {
  type ConversationRef,
  OTHERS_COMMAND,
  type Request,
  type RequestBody,
  type RequestKind,
} from "../domain/request.ts";
import { COMMANDS, type CommandName } from "./command-menu.ts";
import { type Me, withoutMention } from "./group-update.ts";
import {
  chatIn,
  contentOf,
  filesIn,
  loginDigestIn,
  messageIn,
  queryIn,
  type ReadMessage,
  type ReadQuery,
  userIn,
} from "./update-parts.ts";

interface Command {
  readonly name: CommandName;
  readonly argument: string;
}

/**
 * What an update asks for, whatever its type: also types that nothing handles, and what has not the shape that the Bot
 * API gives it, become a request, so that no update goes round the gates. The person is known by `from.id` alone; a
 * message sent in the name of a chat has none. Never throws.
 */
export function requestOf(update: Update, me: Me | null = null): Request {
  const message = messageIn(update.message);
  if (message) return calledBy(messageRequest(update, message, false), me);
  const edited = messageIn(update.edited_message);
  if (edited) return calledBy(messageRequest(update, edited, true), me);
  const query = queryIn(update.callback_query);
  if (query) return pressRequest(update, query);
  return otherRequest(update);
}

/** In a group the bot's name stands before what it is told: it is no part of that. */
function calledBy(request: Request, me: Me | null): Request {
  const { body, chatType } = request;
  if (me === null || chatType === "private" || (body.kind !== "prompt" && body.kind !== "edit"))
    return request;
  return { ...request, body: { ...body, text: withoutMention(body.text, me) } };
}

/**
 * Requests of one lane are handled in their order: also /stop, so that it finds what was sent right before it. A
 * person's presses have a lane of their own: they keep their order, and wait for no message.
 */
export function laneOf(update: Update): string | undefined {
  const message = messageIn(update.message) ?? messageIn(update.edited_message);
  const query = queryIn(update.callback_query);
  if (query) return `keys:${query.from.id}`;
  if (!message) return undefined;
  return `${message.chat.id}:${threadOf(message) ?? 0}`;
}

function messageRequest(update: Update, message: ReadMessage, isEdit: boolean): Request {
  const command = isEdit ? null : commandOf(message);
  const digest = isEdit ? null : loginDigestIn(update); // known by the text, as the rim does: formatting decides nothing
  const what = contentOf(isEdit ? update.edited_message : update.message);
  const body: RequestBody =
    digest !== null
      ? { kind: "login", digest } // the token counts, whoever wrote it down
      : command
        ? commandBody(message, command)
        : bodyOf(message, isEdit, what);
  return {
    origin: "telegram",
    dedupeKey: `telegram:${update.update_id}`,
    kind: kindOf(body),
    principal: message.sender_chat ? null : principalOf(message.from),
    conversation: conversationOf(message),
    chatType: message.chat.type,
    messageId: message.message_id,
    sentAt: message.date * 1000,
    isStale: false,
    body,
    cleaned: [],
  };
}

/** A command is the word of who wrote it: one that was forwarded, or comes by way of another bot, is not the sender's. */
function commandBody(message: ReadMessage, command: Command): RequestBody {
  const isOthers = message.forward_origin !== undefined || message.via_bot !== undefined;
  return isOthers ? { kind: "unsupported", what: OTHERS_COMMAND } : { kind: "command", ...command };
}

/** What was written, or stands under a file; a file without a word is a prompt too. */
function bodyOf(message: ReadMessage, isEdit: boolean, what: string): RequestBody {
  const files = filesIn(message);
  const text = message.text ?? (files.length === 0 ? undefined : (message.caption ?? ""));
  if (text === undefined) return { kind: "unsupported", what };
  if (isEdit) return { kind: "edit", text, ...(files.length === 0 ? {} : { hasFile: true }) };
  return { kind: "prompt", text, ...(files.length === 0 ? {} : { files }) };
}

function pressRequest(update: Update, query: ReadQuery): Request {
  const message = query.message;
  const isReadable = message !== undefined && message.date !== 0;
  return {
    origin: "telegram",
    dedupeKey: `telegram:${update.update_id}`,
    kind: "control",
    principal: principalOf(query.from),
    conversation: isReadable
      ? conversationOf(message)
      : { chatId: message?.chat.id ?? query.from.id, threadId: null },
    chatType: message?.chat.type ?? "private",
    messageId: message?.message_id ?? null,
    sentAt: null,
    isStale: false,
    body: { kind: "button", nonce: query.data ?? "", callbackId: query.id },
    cleaned: [],
  };
}

/** Update types that were not asked for, or that only inform. */
function otherRequest(update: Update): Request {
  const { update_id: updateId, ...content } = update;
  const [what = "unknown", value] = Object.entries(content)[0] ?? [];
  const from = userIn(value);
  const chat = chatIn(value);
  return {
    origin: "telegram",
    dedupeKey: `telegram:${updateId}`,
    kind: "control",
    principal: what.includes("channel_post") ? null : principalOf(from),
    conversation: { chatId: chat?.id ?? from?.id ?? 0, threadId: null },
    chatType: chat?.type ?? "private",
    messageId: null,
    sentAt: null,
    isStale: false,
    body: { kind: "unsupported", what: `update:${what}` },
    cleaned: [],
  };
}

function kindOf(body: RequestBody): RequestKind {
  if (body.kind === "login") return "control";
  if (body.kind === "command") return isCommand(body.name) ? COMMANDS[body.name].kind : "look";
  return body.kind === "prompt" ? "work" : "look";
}

function commandOf(message: ReadMessage): Command | null {
  const entity = message.entities?.find(({ type, offset }) => type === "bot_command" && offset === 0);
  if (entity === undefined || message.text === undefined) return null;
  const word = (message.text.slice(1, entity.length).split("@")[0] ?? "").toLowerCase();
  const argument = message.text.slice(entity.length).trim();
  return isCommand(word) ? { name: word, argument } : null;
}

function isCommand(word: string): word is CommandName {
  return Object.hasOwn(COMMANDS, word);
}

function principalOf(
  user: Pick<User, "id" | "is_bot" | "first_name"> | null | undefined,
): Request["principal"] {
  if (!user || user.is_bot) return null;
  return { userId: user.id, displayName: user.first_name };
}

function conversationOf(message: ReadMessage): ConversationRef {
  return { chatId: message.chat.id, threadId: threadOf(message) };
}

function threadOf(message: ReadMessage): number | null {
  return message.is_topic_message ? (message.message_thread_id ?? null) : null;
}
