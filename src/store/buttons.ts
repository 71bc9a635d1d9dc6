import { randomBytes } from "node:crypto";
import { type ButtonAction, isReusable, type Press } from "../domain/button.ts";
import type { Now } from "../domain/clock.ts";
import type { ConversationRef } from "../domain/request.ts";
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

/** A press as it comes in: who presses what, and where. */
export interface PressTry {
  readonly nonce: string;
  readonly conversation: ConversationRef;
  readonly userId: number;
  readonly isOwner: boolean;
}

/** Buttons on the screen: Telegram carries a nonce, everything it means stays here. */
export interface Buttons {
  /** Stores the action and returns the nonce: 22 characters, 128 random bits. */
  readonly offer: (draft: ButtonDraft) => string;
  /** What a button does, if there is one of that nonce; nobody is asked whether he may press it. */
  readonly peek: (nonce: string) => ButtonAction | null;
  /** What would become of a press. Changes nothing. */
  readonly judge: (tried: PressTry) => Press;
  /** The same, and uses up the button and its group, unless it is one to be pressed again. A refused press changes nothing. */
  readonly press: (tried: PressTry) => Press;
  /** Voids what is left of a group. */
  readonly withdraw: (group: string) => void;
}

interface Row {
  group_key: string;
  action: string;
  chat_id: number;
  thread_id: number;
  /** When the topic was found to be gone. */
  gone_at: number | null;
  user_id: number;
  expires_at: number | null;
  used_at: number | null;
}

export function createButtons(db: Db, change: Change, now: Now): Buttons {
  const offer = db.prepare<[string, string, string, number, number, number | null, number]>(
    `INSERT INTO buttons (nonce, group_key, action, conversation_id, user_id, expires_at, offered_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const find = db.prepare<[string], Row>(
    `SELECT group_key, action, chat_id, thread_id, gone_at, user_id, expires_at, used_at
     FROM buttons JOIN conversations ON conversations.id = conversation_id WHERE nonce = ?`,
  );
  const use = db.prepare<[number, string]>(
    "UPDATE buttons SET used_at = ? WHERE group_key = ? AND used_at IS NULL",
  );

  const useUp = (group: string): void => {
    change("button.used", () => use.run(now(), group));
  };

  const judge = (row: Row | undefined, { conversation, userId, isOwner }: PressTry): Press => {
    if (!row) return { kind: "refused", reason: "unknown" };
    if (!isShownIn(row, conversation)) return { kind: "refused", reason: "elsewhere" };
    if (row.user_id !== userId && !isOwner) return { kind: "refused", reason: "not_yours" };
    if (row.used_at !== null) return { kind: "refused", reason: "used" };
    const action = actionOf(row);
    const isExpired = row.expires_at !== null && row.expires_at <= now();
    return isExpired || !action ? { kind: "refused", reason: "expired" } : { kind: "accepted", action };
  };

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
    judge: (tried) => judge(find.get(tried.nonce), tried),
    press: (tried) => {
      const row = find.get(tried.nonce);
      const press = judge(row, tried);
      if (row && press.kind === "accepted" && !isReusable(press.action)) useUp(row.group_key);
      return press;
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

/** What belonged to a topic that is gone is shown in its chat. */
function isShownIn({ chat_id, thread_id, gone_at }: Row, { chatId, threadId }: ConversationRef): boolean {
  if (chat_id !== chatId) return false;
  return thread_id === (threadId ?? 0) || (gone_at !== null && threadId === null);
}
