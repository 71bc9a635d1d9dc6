import type { Now } from "../domain/clock.ts";
import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";

/** What holds for everything that goes to a chat. A row for each chat that ever asked for a pause or shut the bot out. */
export interface ChatTable {
  /** Chats whose pause is not over. */
  readonly resting: () => readonly { readonly chatId: number; readonly restUntil: number }[];
  /** Telegram asked for a pause, whatever it was that came too fast: it is meant for the whole chat. */
  readonly rest: (chatId: number, until: number) => void;
  /** True while Telegram keeps the bot out of this chat. */
  readonly isParked: (chatId: number) => boolean;
  /** Nothing can be sent there any more, until somebody comes from there. False when that was known. */
  readonly park: (chatId: number) => boolean;
  /** The chat can be written to again. False when it could before. */
  readonly serve: (chatId: number) => boolean;
  /**
   * A group goes on under another id, with its conversations and what waits to be sent there. False when that was known. A row for
   * each group that did so is kept for ever.
   */
  readonly move: (from: number, to: number) => boolean;
  readonly movedTo: (chatId: number) => number | null;
  readonly movedFrom: (chatId: number) => number | null;
}

export function createChatTable(db: Db, change: Change, now: Now): ChatTable {
  const resting = db.prepare<[number], { chatId: number; restUntil: number }>(
    "SELECT chat_id AS chatId, rest_until AS restUntil FROM chats WHERE rest_until > ?",
  );
  const rest = db.prepare<[number, number]>(
    "INSERT INTO chats (chat_id, rest_until) VALUES (?, ?) ON CONFLICT DO UPDATE SET rest_until = excluded.rest_until",
  );
  const isParked = db.prepare<[number]>("SELECT 1 FROM chats WHERE chat_id = ? AND parked_at IS NOT NULL");
  const park = db.prepare<[number, number]>(
    `INSERT INTO chats (chat_id, parked_at) VALUES (?, ?)
     ON CONFLICT DO UPDATE SET parked_at = excluded.parked_at WHERE parked_at IS NULL`,
  );
  const serve = db.prepare<[number]>(
    "UPDATE chats SET parked_at = NULL WHERE chat_id = ? AND parked_at IS NOT NULL",
  );

  const move = db.prepare<[number, number, number]>(
    "INSERT INTO chat_moves (old_id, new_id, moved_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
  );
  // Where the new id has a conversation of its own already, that one stays.
  const moveConversations = db.prepare<[number, number]>(
    "UPDATE OR IGNORE conversations SET chat_id = ? WHERE chat_id = ?",
  );
  const moveOutbox = db.prepare<[number, number]>(
    "UPDATE outbox SET chat_id = ? WHERE chat_id = ? AND state IN ('queued', 'sending')",
  );
  const drop = db.prepare<[number]>("DELETE FROM chats WHERE chat_id = ?");
  const movedTo = db.prepare<[number], number>("SELECT new_id FROM chat_moves WHERE old_id = ?").pluck();
  const movedFrom = db.prepare<[number], number>("SELECT old_id FROM chat_moves WHERE new_id = ?").pluck();

  return {
    move: (from, to) =>
      change("chat.moved", () => {
        const made = move.run(from, to, now());
        if (made.changes === 0) return made;
        moveConversations.run(to, from);
        moveOutbox.run(to, from);
        drop.run(from);
        return made;
      }).changes > 0,
    movedTo: (chatId) => movedTo.get(chatId) ?? null,
    movedFrom: (chatId) => movedFrom.get(chatId) ?? null,
    resting: () => resting.all(now()),
    rest: (chatId, until) => {
      change("chat.paused", () => rest.run(chatId, until));
    },
    isParked: (chatId) => isParked.get(chatId) !== undefined,
    park: (chatId) => change("chat.parked", () => park.run(chatId, now())).changes > 0,
    serve: (chatId) => change("chat.served", () => serve.run(chatId)).changes > 0,
  };
}
