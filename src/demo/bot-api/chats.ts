import type { Now } from "../../domain/clock.ts";
import { badRequest, forbidden } from "./failure.ts";
import type { ApiBot, ApiChat, ApiMessage, ApiMessageContent, ApiUser } from "./objects.ts";
import { type StoredMessage, showMessage } from "./shown.ts";
import type { Change } from "./types.ts";

/** A chat with everything in it. */
export interface ChatState {
  readonly chat: ApiChat;
  readonly messages: Map<number, StoredMessage>;
  /** Names of its topics by thread id. */
  readonly topics: Map<number, string>;
  readonly members: Map<number, ApiUser>;
  readonly isBotAdmin: boolean;
  isBotMember: boolean;
  isBotBlocked: boolean;
}

/** All chats that the bot can know, and their messages. Memory only. */
export interface Chats {
  readonly bot: ApiBot;
  readonly find: (chatId: number) => ChatState | undefined;
  readonly all: () => readonly ChatState[];
  /** Adds the chat when it is new, else leaves it as it is. */
  readonly open: (chat: ApiChat, options?: { readonly isBotAdmin?: boolean }) => ChatState;
  /** The chat that a call names. Throws 400 for an unknown one and 403 where the bot may not be. */
  readonly require: (chatId: number | string) => ChatState;
  readonly add: (state: ChatState, draft: ApiMessageContent, extra?: Partial<StoredMessage>) => ApiMessage;
  /** Puts `next` in the place of the message with its id. */
  readonly replace: (state: ChatState, next: StoredMessage, kind: MessageChange) => void;
}

export interface ChatsDeps {
  readonly now: Now;
  readonly bot: ApiBot;
  /** How many messages a chat keeps; older ones are forgotten, as if they had never been. */
  readonly maxMessages: number;
  readonly emit: (change: Change) => void;
}

/** The first message of a supergroup or channel is its founding; in a forum its number is the General topic's. */
const FOUNDING_MESSAGE = 1;

type MessageChange = Extract<Change, { message: unknown }>["kind"];

/** Message ids rise per supergroup and channel; private chats and groups share one row of numbers, as on the real server. */
export function createChats({ now, bot, maxMessages, emit }: ChatsDeps): Chats {
  const states = new Map<number, ChatState>();
  const counters = new Map<number, number>();

  const nextMessageId = ({ chat }: ChatState): number => {
    const hasOwnRow = chat.type === "supergroup" || chat.type === "channel";
    const row = hasOwnRow ? chat.id : 0;
    const id = (counters.get(row) ?? (hasOwnRow ? FOUNDING_MESSAGE : 0)) + 1;
    counters.set(row, id);
    return id;
  };

  const store = (state: ChatState, stored: StoredMessage, kind: MessageChange): void => {
    state.messages.set(stored.message.message_id, stored);
    if (state.messages.size > maxMessages) {
      const [oldest] = state.messages.keys();
      if (oldest !== undefined) state.messages.delete(oldest);
    }
    emit({ kind, message: showMessage(stored, bot.id) });
  };

  return {
    bot,
    find: (chatId) => states.get(chatId),
    all: () => [...states.values()],
    open: (chat, { isBotAdmin = false } = {}) => {
      const known = states.get(chat.id);
      if (known !== undefined) return known;
      const state = {
        chat,
        messages: new Map(),
        topics: new Map(),
        members: new Map(),
        isBotAdmin,
        isBotMember: true,
        isBotBlocked: false,
      };
      states.set(chat.id, state);
      return state;
    },
    require: (chatId) => {
      const state = states.get(Number(chatId));
      if (state === undefined) throw badRequest("chat not found");
      if (state.isBotBlocked) throw forbidden("bot was blocked by the user");
      if (!state.isBotMember) throw forbidden(`bot is not a member of the ${state.chat.type} chat`);
      return state;
    },
    add: (state, draft, extra = {}) => {
      const sentAt = now();
      const { chat } = state;
      const message = { message_id: nextMessageId(state), date: Math.floor(sentAt / 1000), chat, ...draft };
      store(state, { message, sentAt, ...extra }, "message_sent");
      return message;
    },
    replace: store,
  };
}

/** The message with that id, unless it was deleted. Throws 400 "<what> not found". */
export function requireMessage(state: ChatState, messageId: number, what: string): StoredMessage {
  const stored = state.messages.get(messageId);
  if (stored === undefined || stored.isDeleted === true) throw badRequest(`${what} not found`);
  return stored;
}

/** A message as it is nested in another: without what it answers itself. */
export function asNested(message: ApiMessage): ApiMessage {
  const { reply_to_message: _, ...nested } = message;
  return nested;
}
