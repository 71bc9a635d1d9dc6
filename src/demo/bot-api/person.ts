import type { Callbacks } from "./callbacks.ts";
import { asNested, type ChatState, type Chats } from "./chats.ts";
import { findEntities } from "./found-entities.ts";
import type { ApiChat, ApiEntity, ApiMessage, ApiMessageContent, ApiUpdateBody, ApiUser } from "./objects.ts";
import type { CallbackAnswer } from "./types.ts";

/** Who a person is. */
export interface UserProfile {
  readonly id: number;
  readonly firstName: string;
  readonly username?: string;
  readonly languageCode?: string;
}

/** What a person's act became. `messageId` is the message that it made or changed. */
interface Sent {
  readonly updateId: number;
  readonly messageId: number;
}

/** A pressed button. */
interface Pressed {
  readonly updateId: number;
  readonly callbackId: string;
  /** Resolves once the bot has answered the press; rejects after `timeoutMs` (default 20 s). */
  readonly answered: (timeoutMs?: number) => Promise<CallbackAnswer>;
}

interface SendOptions {
  readonly replyTo?: number;
  readonly threadId?: number;
  /** Instead of the commands, mentions and links that a client finds by itself. */
  readonly entities?: readonly ApiEntity[];
}

/** A chat from a person's side. Texts go out as they are: no trimming, no limits, so that hostile ones can be sent too. */
export interface PersonChat {
  readonly chatId: number;
  /** Makes the chat known to the bot without a message, as [Start] long ago would have. Any message does so too. */
  readonly open: () => void;
  readonly send: (text: string, options?: SendOptions) => Sent;
  /** Any message: stickers, polls, photos, or one in another's name by `from` and `sender_chat`. */
  readonly sendRaw: (content: ApiMessageContent) => Sent;
  /** Its text, or whatever else of it is another. Throws when the message is not this person's own. */
  readonly edit: (messageId: number, change: string | ApiMessageContent) => Sent;
  /** Presses the button with that text or data. Throws when the message does not show it now. */
  readonly press: (messageId: number, button: string) => Pressed;
  /** A forged or late press: any data, on any message (default: the bot's last). */
  readonly pressRaw: (data: string, messageId?: number) => Pressed;
  /** Opens a topic and gives its thread id. */
  readonly createTopic: (name: string) => number;
  /** Blocks or unblocks the bot in this private chat and gives the id of the update that tells it so. */
  readonly setBlocked: (isBlocked: boolean) => number;
}

/** A person who uses the bot. */
export interface Person {
  readonly user: ApiUser;
  /** The private chat, or one that was added. Throws for a chat that was not. */
  readonly chat: (chatId?: number) => PersonChat;
}

export interface PersonDeps {
  readonly chats: Chats;
  readonly callbacks: Callbacks;
  readonly now: () => number;
  /** Queues an update that the bot gets if it asked for its type; gives its id. */
  readonly push: (update: ApiUpdateBody) => number;
  readonly waitForAnswer: (callbackId: string, timeoutMs: number | undefined) => Promise<CallbackAnswer>;
}

/** A person with a Telegram account of his own. */
export function createPerson(deps: PersonDeps, profile: UserProfile): Person {
  const { id, firstName, username, languageCode = "en" } = profile;
  const names = { first_name: firstName, ...(username === undefined ? {} : { username }) };
  const user: ApiUser = { id, is_bot: false, ...names, language_code: languageCode };
  const ownChat: ApiChat = { id, type: "private", ...names };

  return {
    user,
    chat: (chatId = id) => {
      const chat = chatId === id ? ownChat : deps.chats.find(chatId)?.chat;
      if (chat === undefined) throw new Error(`There is no chat ${chatId}: make it with addChat first`);
      return createPersonChat(deps, { user, chat });
    },
  };
}

function createPersonChat(deps: PersonDeps, { user, chat }: { user: ApiUser; chat: ApiChat }): PersonChat {
  const { chats, callbacks, now, push } = deps;

  const enter = (): ChatState => {
    const state = chats.open(chat);
    state.members.set(user.id, user);
    return state;
  };

  const sendRaw = (content: ApiMessageContent): Sent => {
    const message = chats.add(enter(), { from: user, ...content });
    return { updateId: push({ message }), messageId: message.message_id };
  };

  const pressOn = (message: ApiMessage | object, data: string): Pressed => {
    enter();
    const callbackId = callbacks.create();
    const query = { id: callbackId, from: user, message, chat_instance: String(chat.id), data };
    const updateId = push({ callback_query: query });
    return { updateId, callbackId, answered: (timeoutMs) => deps.waitForAnswer(callbackId, timeoutMs) };
  };

  return {
    chatId: chat.id,
    open: () => {
      enter();
    },
    sendRaw,
    send: (text, { replyTo, threadId, entities = findEntities(text) } = {}) => {
      const answered = replyTo === undefined ? undefined : enter().messages.get(replyTo)?.message;
      return sendRaw({
        text,
        ...(entities.length === 0 ? {} : { entities }),
        ...(threadId === undefined ? {} : { message_thread_id: threadId, is_topic_message: true }),
        ...(answered === undefined ? {} : { reply_to_message: asNested(answered) }),
      });
    },
    edit: (messageId, change) => {
      const state = enter();
      const stored = state.messages.get(messageId);
      if (stored === undefined || stored.message.from?.id !== user.id) {
        throw new Error(
          `${user.first_name} has no message ${messageId} of his own in chat ${chat.id} to edit`,
        );
      }
      const { entities: _, ...kept } = stored.message;
      const editedAt = now();
      const found = typeof change === "string" ? findEntities(change) : [];
      const message = {
        ...kept,
        ...(typeof change === "string" ? { text: change } : change),
        ...(found.length === 0 ? {} : { entities: found }),
        edit_date: Math.floor(editedAt / 1000),
      };
      chats.replace(state, { ...stored, message, editedAt }, "message_edited");
      return { updateId: push({ edited_message: message }), messageId };
    },
    press: (messageId, button) => {
      const stored = enter().messages.get(messageId);
      const buttons =
        stored?.isDeleted === true ? [] : (stored?.message.reply_markup?.inline_keyboard.flat() ?? []);
      const found = buttons.find(
        ({ text, callback_data: data }) => data !== undefined && [text, data].includes(button),
      );
      if (stored === undefined || found?.callback_data === undefined) {
        const shown = buttons.map(({ text }) => `[${text}]`).join(" ") || "none";
        throw new Error(
          `Message ${messageId} of chat ${chat.id} shows no button "${button}"; its buttons: ${shown}`,
        );
      }
      return pressOn(stored.message, found.callback_data);
    },
    pressRaw: (data, messageId) => {
      const all = [...enter().messages.values()].filter(({ isDeleted }) => isDeleted !== true);
      const target =
        messageId === undefined
          ? all.findLast(({ message }) => message.from?.id === chats.bot.id)
          : all.find(({ message }) => message.message_id === messageId);
      return pressOn(target?.message ?? { chat, message_id: messageId ?? 1, date: 0 }, data);
    },
    createTopic: (name) => {
      const state = enter();
      const { messageId } = sendRaw({ forum_topic_created: { name, icon_color: 0x6fb9f0 } });
      state.topics.set(messageId, name);
      return messageId;
    },
    setBlocked: (isBlocked) => {
      const state = enter();
      const member = (isMember: boolean): object => ({
        user: chats.bot,
        status: isMember ? "member" : "kicked",
      });
      const change = {
        chat,
        from: user,
        date: Math.floor(now() / 1000),
        old_chat_member: member(!state.isBotBlocked),
        new_chat_member: member(!isBlocked),
      };
      state.isBotBlocked = isBlocked;
      return push({ my_chat_member: change });
    },
  };
}
