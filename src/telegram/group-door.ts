import type { Api } from "grammy";
import type { AuditEvent } from "../domain/audit-event.ts";
import type { Now } from "../domain/clock.ts";
import type { ConversationRef } from "../domain/request.ts";
import type { Logger } from "../log/logger.ts";
import { createContactThrottle, recordContact } from "../security/contact-throttle.ts";
import type { Store } from "../store/store.ts";
import { endOf } from "./call.ts";
import type { ChatMove } from "./group-update.ts";

/** A chat is left again no sooner. */
const AGAIN_MS = 3_600_000;
/** Chats that are remembered as left. */
const MAX_LEFT = 200;

interface GroupDoorDeps {
  readonly api: Pick<Api, "leaveChat">;
  readonly store: Pick<Store, "chats" | "transaction">;
  readonly record: (
    event: AuditEvent,
    who: { readonly userId: number | null; readonly conversation: ConversationRef | null },
  ) => void;
  readonly now: Now;
  readonly log: Logger;
}

/** What happens to groups as such, whoever is in them. */
export interface GroupDoor {
  /** The bot was heard in a chat that it has no business in: it leaves. Of a flood of chats not each is put on record, but all are counted. */
  readonly leave: (chatId: number) => void;
  /** An open group became a supergroup: its conversations, and what waits to be sent there, go along. */
  readonly move: (move: ChatMove) => void;
}

export function createGroupDoor({ api, store, record, now, log }: GroupDoorDeps): GroupDoor {
  const leftAt = new Map<number, number>();
  const throttle = createContactThrottle(now);

  function noteLeft(chatId: number): void {
    const who = { userId: null, conversation: { chatId, threadId: null } };
    recordContact(throttle(chatId), (unrecorded) => record({ type: "chat.left", chatId, unrecorded }, who));
  }

  function leave(chatId: number): void {
    const before = leftAt.get(chatId);
    if (before !== undefined && Math.abs(now() - before) < AGAIN_MS) return;
    noteLeft(chatId); // what cannot be put on record is tried again with the next that is heard there
    if (leftAt.size >= MAX_LEFT) leftAt.clear();
    leftAt.set(chatId, now());
    endOf(api.leaveChat(chatId))
      .then((end) =>
        log.info({ event: "telegram.left", chatId, end: end.kind }, "left a chat that is not open"),
      )
      .catch((error: unknown) =>
        log.warn({ event: "telegram.left", chatId, err: error }, "a chat was not left"),
      );
  }

  return {
    leave,
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
