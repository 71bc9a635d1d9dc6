import type { Update } from "grammy/types";
import { z } from "zod";
import { COMMANDS } from "./command-menu.ts";

/** Who the bot is, as getMe says. */
export interface Me {
  readonly id: number;
  readonly username: string;
}

/** A group that became a supergroup: the same people under another id. */
export interface ChatMove {
  readonly from: number;
  readonly to: number;
}

const entitySchema = z.object({
  type: z.string(),
  offset: z.int(),
  length: z.int(),
  user: z.object({ id: z.int() }).optional(),
});
const messageSchema = z.object({
  text: z.string().optional(),
  caption: z.string().optional(),
  entities: z.array(entitySchema).optional(),
  caption_entities: z.array(entitySchema).optional(),
  reply_to_message: z
    .object({
      from: z.object({ id: z.int() }).optional(),
      forum_topic_created: z.unknown().optional(),
    })
    .optional(),
});
const moveSchema = z.object({
  chat: z.object({ id: z.int() }),
  migrate_to_chat_id: z.int().optional(),
  migrate_from_chat_id: z.int().optional(),
});

/**
 * True when what is said in a group is meant for the bot: a command of its own, its name, or a reply to what it said. In a topic
 * every message is formally a reply to the topic's beginning, which counts for nothing. Presses always are.
 */
export function isAddressed(update: Update, me: Me): boolean {
  const raw: unknown = update.message ?? update.edited_message;
  if (raw === undefined) return true;
  const message = messageSchema.safeParse(raw).data;
  if (message === undefined) return false;
  const reply = message.reply_to_message;
  if (reply?.from?.id === me.id && reply.forum_topic_created === undefined) return true;
  const text = message.text ?? message.caption ?? "";
  const entities = message.entities ?? message.caption_entities ?? [];
  return entities.some(({ type, offset, length, user }) => {
    const word = text.slice(offset, offset + length).toLowerCase();
    if (type === "mention") return word === `@${me.username.toLowerCase()}`;
    if (type === "text_mention") return user?.id === me.id;
    return type === "bot_command" && offset === 0 && isOwnCommand(word.slice(1), me);
  });
}

/** The text without the bot's name at its beginning. */
export function withoutMention(text: string, { username }: Me): string {
  const name = `@${username}`;
  const rest = text.slice(name.length);
  const isCalled = text.toLowerCase().startsWith(name.toLowerCase()) && !/^\w/.test(rest);
  return isCalled ? rest.replace(/^[\s,:]+/, "") : text;
}

/** What a message tells of a group that became a supergroup, in the one chat or in the other; null when it tells nothing of it. */
export function moveIn(update: Update): ChatMove | null {
  const message = moveSchema.safeParse(update.message).data;
  if (message?.migrate_to_chat_id !== undefined)
    return { from: message.chat.id, to: message.migrate_to_chat_id };
  if (message?.migrate_from_chat_id !== undefined)
    return { from: message.migrate_from_chat_id, to: message.chat.id };
  return null;
}

function isOwnCommand(word: string, { username }: Me): boolean {
  const [name = "", addressee] = word.split("@");
  if (addressee !== undefined) return addressee === username.toLowerCase();
  return Object.hasOwn(COMMANDS, name);
}
