import type { Chat, Message, User } from "grammy/types";
import { z } from "zod";

const userSchema = z.object({ id: z.number(), is_bot: z.boolean(), first_name: z.string() });
const chatSchema = z.object({ id: z.number(), type: z.enum(["private", "group", "supergroup", "channel"]) });

/** The person in an update of whatever type: `from`, or `user` where the Bot API calls it so. */
export function userIn(value: unknown): Pick<User, "id" | "is_bot" | "first_name"> | null {
  return userSchema.safeParse(fieldOf(value, "from") ?? fieldOf(value, "user")).data ?? null;
}

/** The chat that an update of whatever type is about. */
export function chatIn(value: unknown): Pick<Chat, "id" | "type"> | null {
  return chatSchema.safeParse(fieldOf(value, "chat")).data ?? null;
}

/** What a message without text carries, by the Bot API's field name. */
export function contentOf(message: Message): string {
  return CONTENT.find((field) => field in message) ?? "service message";
}

const CONTENT = [
  "sticker",
  "photo",
  "document",
  "voice",
  "audio",
  "video",
  "video_note",
  "animation",
  "poll",
  "dice",
  "location",
  "contact",
  "venue",
  "story",
  "checklist",
] as const;

function fieldOf(value: unknown, field: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.getOwnPropertyDescriptor(value, field)?.value
    : undefined;
}
