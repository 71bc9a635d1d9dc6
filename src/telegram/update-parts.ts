import type { Chat, Update, User } from "grammy/types";
import { z } from "zod";
import type { SentFile } from "../domain/attachment.ts";

const userSchema = z.object({ id: z.int(), is_bot: z.boolean(), first_name: z.string() });
const chatSchema = z.object({ id: z.int(), type: z.enum(["private", "group", "supergroup", "channel"]) });
const entitySchema = z.object({ type: z.string(), offset: z.int(), length: z.int() });
const bytes = z.int().nonnegative().optional().catch(undefined);
const documentSchema = z.object({
  file_id: z.string().min(1).max(512),
  file_name: z.string().max(1_024).optional().catch(undefined),
  file_size: bytes,
});
/** The sizes of one picture, the largest last. */
const photoSchema = z.array(z.object({ file_id: z.string().min(1).max(512), file_size: bytes })).min(1);
const messageSchema = z.object({
  message_id: z.int(),
  date: z.int(),
  chat: chatSchema,
  from: userSchema.optional(),
  sender_chat: z.unknown().optional(),
  forward_origin: z.unknown().optional(),
  via_bot: z.unknown().optional(),
  text: z.string().optional(),
  entities: z.array(entitySchema).optional(),
  caption: z.string().optional(),
  // What has not the shape of a file is none: the message is still one.
  document: documentSchema.optional().catch(undefined),
  photo: photoSchema.optional().catch(undefined),
  is_topic_message: z.boolean().optional(),
  message_thread_id: z.int().optional(),
});
const querySchema = z.object({
  id: z.string(),
  from: userSchema,
  message: messageSchema.optional(),
  data: z.string().optional(),
});

const farewellSchema = z.object({ new_chat_member: z.object({ status: z.enum(["kicked", "left"]) }) });

/** Where the rim puts the digest of a login token, beside what Telegram sent. */
export const LOGIN_DIGEST = "login_digest";
const digestSchema = z.object({ [LOGIN_DIGEST]: z.string().regex(/^[0-9a-f]{64}$/) });

/** The digest of the token of a login; null for any other update. */
export function loginDigestIn(update: Update): string | null {
  return digestSchema.safeParse(update).data?.[LOGIN_DIGEST] ?? null;
}

/** What the program reads of a message. */
export type ReadMessage = z.infer<typeof messageSchema>;

/** What the program reads of a pressed button. */
export type ReadQuery = z.infer<typeof querySchema>;

/** A message of the Bot API, or null for what is none. */
export function messageIn(value: unknown): ReadMessage | null {
  return messageSchema.safeParse(value).data ?? null;
}

/** The files of a message: a document, or a photo in its largest size. */
export function filesIn({ document, photo }: ReadMessage): readonly SentFile[] {
  const picture = photo?.at(-1);
  return [
    ...(document === undefined
      ? []
      : [
          {
            fileId: document.file_id,
            name: document.file_name ?? "file",
            bytes: document.file_size ?? null,
          },
        ]),
    ...(picture === undefined
      ? []
      : [{ fileId: picture.file_id, name: "photo.jpg", bytes: picture.file_size ?? null }]),
  ];
}

/** A callback query of the Bot API, or null for what is none. */
export function queryIn(value: unknown): ReadQuery | null {
  return querySchema.safeParse(value).data ?? null;
}

/** The person in an update of whatever type: `from`, or `user` where the Bot API calls it so. */
export function userIn(value: unknown): Pick<User, "id" | "is_bot" | "first_name"> | null {
  return userSchema.safeParse(fieldOf(value, "from") ?? fieldOf(value, "user")).data ?? null;
}

/** The chat that an update of whatever type is about. */
export function chatIn(value: unknown): Pick<Chat, "id" | "type"> | null {
  return chatSchema.safeParse(fieldOf(value, "chat")).data ?? null;
}

/** True when the update tells that somebody blocked the bot or threw it out. */
export function isFarewell(update: Update): boolean {
  return farewellSchema.safeParse(update.my_chat_member).success;
}

/** What a message without text carries, by the Bot API's field name. */
export function contentOf(message: unknown): string {
  return CONTENT.find((field) => fieldOf(message, field) !== undefined) ?? "service message";
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
