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

  return {
    resting: () => resting.all(now()),
    rest: (chatId, until) => {
      change("chat.paused", () => rest.run(chatId, until));
    },
    isParked: (chatId) => isParked.get(chatId) !== undefined,
    park: (chatId) => change("chat.parked", () => park.run(chatId, now())).changes > 0,
    serve: (chatId) => change("chat.served", () => serve.run(chatId)).changes > 0,
  };
}
