import { PRIORITY } from "../domain/outbox.ts";
import type { Logger } from "../log/logger.ts";
import type { Store } from "../store/store.ts";
import type { CallEnd } from "./call.ts";

/** Telegram's words for a chat that nothing can be sent to, whatever it is: blocked, deleted, thrown out, never begun. */
const SHUT =
  /bot was blocked|user is deactivated|bot was kicked|bot is not a member|chat was deleted|can't initiate conversation|chat not found/;

/** True when the call was refused because the bot is kept out of the chat, not because of what was said. */
export function isShut({ code, description }: Extract<CallEnd<never>, { kind: "refused" }>): boolean {
  return (code === 403 || code === 400) && SHUT.test(description);
}

interface ParkingDeps {
  readonly store: Pick<Store, "chats" | "outbox" | "transaction" | "afterCommit">;
  readonly log: Logger;
  /** Told of each row that is given up, inside the transaction that does. */
  readonly onFailed: (outboxId: number) => void;
}

/**
 * Chats that the bot is kept out of: how works ended is kept for them, and what becomes of messages that stand on the screen, of
 * which none may say for ever that something is being done; all else is given up, and nothing is tried.
 */
export interface Parking {
  /** From now on; called once Telegram has said so. */
  readonly park: (chatId: number, description: string) => void;
  /** Gives up what came for a parked chat since; true when the chat is one. */
  readonly holds: (chatId: number) => boolean;
}

export function createParking({ store, log, onFailed }: ParkingDeps): Parking {
  function giveUp(chatId: number): void {
    for (let row = store.outbox.nextPassing(chatId); row; row = store.outbox.nextPassing(chatId)) {
      if (row.priority === PRIORITY.approval) store.outbox.failed(row.id);
      else store.outbox.drop(row.id);
      onFailed(row.id);
    }
  }

  return {
    park: (chatId, description) =>
      store.transaction(() => {
        const isNew = store.chats.park(chatId);
        giveUp(chatId);
        if (!isNew) return;
        store.afterCommit(() =>
          log.warn({ event: "outbox.parked", chatId, description }, "answers for this chat are kept"),
        );
      }),
    holds: (chatId) => {
      if (!store.chats.isParked(chatId)) return false;
      if (store.outbox.nextPassing(chatId)) store.transaction(() => giveUp(chatId));
      return true;
    },
  };
}
