import { z } from "zod";
import type { ChatState } from "./chats.ts";
import { badRequest } from "./failure.ts";
import { type MethodDeps, type MethodTable, method } from "./methods.ts";
import { chatRef, integer } from "./params.ts";
import { requireThread } from "./sending.ts";

const chatParams = z.object({ chat_id: chatRef });
const memberParams = z.object({ chat_id: chatRef, user_id: integer.default(0) });
const actionParams = z.object({
  chat_id: chatRef,
  message_thread_id: integer.default(0),
  action: z.string().default(""),
});
const topicParams = z.object({
  chat_id: chatRef,
  message_thread_id: integer.default(0),
  name: z.string().default(""),
});

const MAX_TOPIC_NAME = 128;
const ACTIONS = new Set([
  "typing",
  "upload_photo",
  "record_video",
  "upload_video",
  "record_voice",
  "upload_voice",
  "record_audio",
  "upload_audio",
  "upload_document",
  "choose_sticker",
  "find_location",
  "pick_up_location",
  "record_video_note",
  "upload_video_note",
  "cancel",
]);

/** Methods about a chat as a whole: what it is, who is in it, its topics, what the bot is doing in it. */
export function createChatMethods(deps: MethodDeps): MethodTable {
  const { chats, flood, emit } = deps;

  const requireForum = (chatId: number | string): ChatState => {
    const state = chats.require(chatId);
    const isPrivateForum = state.chat.type === "private" && chats.bot.has_topics_enabled;
    if (state.chat.is_forum !== true && !isPrivateForum) throw badRequest("the chat is not a forum");
    return state;
  };

  return {
    getChat: method(chatParams, (params) => {
      const { chat } = chats.require(params.chat_id);
      return { ...chat, accent_color_id: 0, max_reaction_count: 11 };
    }),

    getChatMember: method(memberParams, (params) => {
      if (params.user_id <= 0) throw badRequest("invalid user_id specified");
      const state = chats.require(params.chat_id);
      const { bot } = chats;
      if (params.user_id === bot.id)
        return { status: state.isBotAdmin ? "administrator" : "member", user: bot };
      const user = state.members.get(params.user_id);
      if (user === undefined) throw badRequest("member not found");
      return { status: "member", user };
    }),

    leaveChat: method(chatParams, (params) => {
      const state = chats.require(params.chat_id);
      if (state.chat.type === "private")
        throw badRequest("chat member status can't be changed in private chats");
      state.isBotMember = false;
      return true;
    }),

    sendChatAction: method(actionParams, (params) => {
      const action = params.action.toLowerCase();
      if (!ACTIONS.has(action)) throw badRequest("wrong parameter action in request");
      const state = chats.require(params.chat_id);
      const threadId = requireThread(state, params.message_thread_id);
      flood.spend(state.chat.id, "signal");
      emit({ kind: "chat_action", chatId: state.chat.id, threadId, action });
      return true;
    }),

    createForumTopic: method(topicParams, (params) => {
      const state = requireForum(params.chat_id);
      const name = cleanName(params.name);
      const service = chats.add(state, {
        from: chats.bot,
        forum_topic_created: { name, icon_color: 0x6fb9f0 },
      });
      state.topics.set(service.message_id, name);
      return { message_thread_id: service.message_id, name, icon_color: 0x6fb9f0 };
    }),

    editForumTopic: method(topicParams, (params) => {
      const state = requireForum(params.chat_id);
      const current = requireTopic(state, params.message_thread_id);
      const name = params.name === "" ? current : cleanName(params.name);
      if (name === current) throw badRequest("TOPIC_NOT_MODIFIED");
      state.topics.set(params.message_thread_id, name);
      return true;
    }),

    deleteForumTopic: method(topicParams, (params) => {
      const state = requireForum(params.chat_id);
      requireTopic(state, params.message_thread_id);
      state.topics.delete(params.message_thread_id);
      for (const stored of state.messages.values()) {
        if (stored.message.message_thread_id !== params.message_thread_id || stored.isDeleted === true)
          continue;
        chats.replace(state, { ...stored, isDeleted: true }, "message_deleted");
      }
      return true;
    }),
  };
}

function cleanName(name: string): string {
  const trimmed = name.trim();
  if (trimmed === "") throw badRequest("name must be non-empty");
  return Array.from(trimmed).slice(0, MAX_TOPIC_NAME).join("");
}

function requireTopic({ topics }: ChatState, threadId: number): string {
  const name = topics.get(threadId);
  if (name === undefined) throw badRequest("TOPIC_ID_INVALID");
  return name;
}
