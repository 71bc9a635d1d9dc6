import { randomBytes } from "node:crypto";
import { type ButtonAction, isReusable, type Press } from "../domain/button.ts";
import type { Now } from "../domain/clock.ts";
import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";

/** A button about to be shown. Those of one `group` are used up together. */
export interface ButtonDraft {
  readonly group: string;
  readonly action: ButtonAction;
  readonly conversationId: number;
  /** The person it was made for; owners may press as well. */
  readonly userId: number;
  readonly expiresAt: number | null;
}

/** Buttons on the screen: Telegram carries a nonce, everything it means stays here. */
export interface Buttons {
  /** Stores the action and returns the nonce: 22 characters, 128 random bits. */
  readonly offer: (draft: ButtonDraft) => string;
  /** What a button does, if there is one of that nonce; nobody is asked whether he may press it. */
  readonly peek: (nonce: string) => ButtonAction | null;
  /** Uses up the button and its group, unless it is one to be pressed again. A refused press changes nothing. */
  readonly press: (press: {
    readonly nonce: string;
    readonly conversationId: number;
    readonly userId: number;
    readonly isOwner: boolean;
  }) => Press;
  /** Voids what is left of a group. */
  readonly withdraw: (group: string) => void;
}

interface Row {
  group_key: string;
  action: string;
  conversation_id: number;
  user_id: number;
  expires_at: number | null;
  used_at: number | null;
}

export function createButtons(db: Db, change: Change, now: Now): Buttons {
  const offer = db.prepare<[string, string, string, number, number, number | null, number]>(
    `INSERT INTO buttons (nonce, group_key, action, conversation_id, user_id, expires_at, offered_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const find = db.prepare<[string], Row>("SELECT * FROM buttons WHERE nonce = ?");
  const lostTopic = db.prepare<[number, number]>(
    `SELECT 1 FROM conversations AS topic JOIN conversations AS chat ON chat.chat_id = topic.chat_id
     WHERE topic.id = ? AND topic.gone_at IS NOT NULL AND chat.id = ? AND chat.thread_id = 0`,
  );
  const use = db.prepare<[number, string]>(
    "UPDATE buttons SET used_at = ? WHERE group_key = ? AND used_at IS NULL",
  );

  const useUp = (group: string): void => {
    change("button.used", () => use.run(now(), group));
  };

  /** What belonged to a topic that is gone is shown in its chat. */
  const cameFromLostTopic = (row: Row, conversationId: number): boolean =>
    lostTopic.get(row.conversation_id, conversationId) !== undefined;

  return {
    offer: ({ group, action, conversationId, userId, expiresAt }) => {
      const nonce = randomBytes(16).toString("base64url");
      change("button.offered", () =>
        offer.run(nonce, group, JSON.stringify(action), conversationId, userId, expiresAt, now()),
      );
      return nonce;
    },
    peek: (nonce) => {
      const row = find.get(nonce);
      return row ? actionOf(row) : null;
    },
    press: ({ nonce, conversationId, userId, isOwner }) => {
      const row = find.get(nonce);
      if (!row) return { kind: "refused", reason: "unknown" };
      const isHere = row.conversation_id === conversationId || cameFromLostTopic(row, conversationId);
      if (!isHere) return { kind: "refused", reason: "elsewhere" };
      if (row.user_id !== userId && !isOwner) return { kind: "refused", reason: "not_yours" };
      if (row.used_at !== null) return { kind: "refused", reason: "used" };
      const action = actionOf(row);
      const isExpired = row.expires_at !== null && row.expires_at <= now();
      if (isExpired || !action) return { kind: "refused", reason: "expired" };
      if (!isReusable(action)) useUp(row.group_key);
      return { kind: "accepted", action };
    },
    withdraw: (group) => {
      useUp(group);
    },
  };
}

/** Null once retention has forgotten what the button did: its row stays, so that an old press is no forgery. */
function actionOf({ action }: Row): ButtonAction | null {
  return action === "" ? null : JSON.parse(action);
}
