import type { Api } from "grammy";
import type { AuditEvent } from "../domain/audit-event.ts";
import type { Now } from "../domain/clock.ts";
import type { ConversationRef } from "../domain/request.ts";
import type { Logger } from "../log/logger.ts";
import { createContactThrottle, recordContact } from "../security/contact-throttle.ts";
import type { Store } from "../store/store.ts";
import { endOf } from "./call.ts";
import type { ChatMove } from "./group-update.ts";

/** From what is heard in a chat that is not open to leaving it: that a group became a supergroup may be told after the first of that. */
const LEAVE_AFTER_MS = 3_000;

interface GroupDoorDeps {
  readonly api: Pick<Api, "leaveChat">;
  readonly store: Pick<Store, "chats" | "transaction">;
  readonly record: (
    event: AuditEvent,
    who: { readonly userId: number | null; readonly conversation: ConversationRef | null },
  ) => void;
  readonly isOpenChat: (chatId: number) => boolean;
  readonly now: Now;
  readonly log: Logger;
}

/** What happens to groups as such, whoever is in them. */
export interface GroupDoor {
  /**
   * The bot was heard in a chat that it has no business in: it leaves a little later, unless that chat is open by then. What fails
   * is tried again when the chat is heard again. Of a flood of chats not each is put on record, but all are counted.
   */
  readonly leave: (chatId: number) => void;
  /** An open group became a supergroup: its conversations, and what waits to be sent there, go along. */
  readonly move: (move: ChatMove) => void;
  /** Leaves no more. */
  readonly close: () => void;
}

export function createGroupDoor({ api, store, record, isOpenChat, now, log }: GroupDoorDeps): GroupDoor {
  const leaving = new Map<number, NodeJS.Timeout>();
  const throttle = createContactThrottle(now);

  function noteLeft(chatId: number): void {
    const who = { userId: null, conversation: { chatId, threadId: null } };
    recordContact(throttle(chatId), (unrecorded) => record({ type: "chat.left", chatId, unrecorded }, who));
  }

  async function leaveNow(chatId: number): Promise<void> {
    leaving.delete(chatId);
    try {
      if (isOpenChat(chatId)) return;
      noteLeft(chatId);
      const end = await endOf(api.leaveChat(chatId));
      if (end.kind === "ok") log.info({ event: "telegram.left", chatId }, "left a chat that is not open");
      else log.warn({ event: "telegram.unleft", chatId, end }, "a chat that is not open was not left");
    } catch (error) {
      log.warn({ event: "telegram.unleft", chatId, err: error }, "a chat that is not open was not left");
    }
  }

  return {
    leave: (chatId) => {
      if (leaving.has(chatId)) return;
      leaving.set(chatId, setTimeout(() => void leaveNow(chatId), LEAVE_AFTER_MS).unref());
    },
    close: () => {
      for (const timer of leaving.values()) clearTimeout(timer);
    },
    move: ({ from, to }) =>
      store.transaction(() => {
        if (!store.chats.move(from, to)) return;
        record(
          { type: "chat.moved", from, to },
          { userId: null, conversation: { chatId: to, threadId: null } },
        );
      }),
  };
}
