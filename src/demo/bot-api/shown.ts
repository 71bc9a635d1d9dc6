import type { ApiMessage } from "./objects.ts";
import type { ShownFile, ShownMessage } from "./types.ts";

/** A message as it is kept. Never changed in place: an edit stores a new one under the same id. */
export interface StoredMessage {
  readonly message: ApiMessage;
  readonly sentAt: number;
  readonly editedAt?: number;
  readonly isDeleted?: boolean;
  readonly isPinned?: boolean;
  readonly reactions?: readonly string[];
  readonly document?: ShownFile;
  readonly photo?: ShownFile;
}

/** What a person sees of a stored message. */
export function showMessage(stored: StoredMessage, botId: number): ShownMessage {
  const { message } = stored;
  return {
    chatId: message.chat.id,
    messageId: message.message_id,
    threadId: message.message_thread_id ?? null,
    from: message.from ?? null,
    isFromBot: message.from?.id === botId,
    text: message.text ?? message.caption ?? "",
    entities: message.entities ?? message.caption_entities ?? [],
    keyboard: message.reply_markup ?? null,
    replyTo: message.reply_to_message?.message_id ?? null,
    document: stored.document ?? null,
    photo: stored.photo ?? null,
    reactions: stored.reactions ?? [],
    sentAt: stored.sentAt,
    editedAt: stored.editedAt ?? null,
    isPinned: stored.isPinned ?? false,
    isDeleted: stored.isDeleted ?? false,
  };
}
