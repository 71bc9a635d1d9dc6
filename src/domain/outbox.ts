import type { ConversationRef } from "./request.ts";

/** Lower goes first. A notice that changes a message yields to those that are new: the outbox itself tells them apart. */
export const PRIORITY = { final: 0, approval: 1, notice: 2, noticeEdit: 3 } as const;
export type Priority = (typeof PRIORITY)[keyof typeof PRIORITY];

/** A stretch of text with a format, as Telegram's MessageEntity; offsets and lengths count UTF-16 code units. */
export type TextEntity =
  | {
      readonly type:
        | "bold"
        | "italic"
        | "underline"
        | "strikethrough"
        | "code"
        | "blockquote"
        | "expandable_blockquote";
      readonly offset: number;
      readonly length: number;
    }
  | { readonly type: "pre"; readonly offset: number; readonly length: number; readonly language?: string }
  | { readonly type: "text_link"; readonly offset: number; readonly length: number; readonly url: string };

/** A key on the screen: `data` is a nonce of ours. */
export interface ScreenButton {
  readonly text: string;
  readonly data: string;
}

/** What a message shows. */
export interface MessageBody {
  readonly text: string;
  readonly entities: readonly TextEntity[];
  readonly buttons: readonly (readonly ScreenButton[])[];
  /** What a person is asked to approve: nothing that only looks like a secret may be hidden in it. */
  readonly isExact?: true;
}

/** The body of an act that shows nothing. */
export const NOTHING: MessageBody = { text: "", entities: [], buttons: [] };

/** One durable act on the screen. An edit names the outbox row whose message it changes. */
export type OutboxAct =
  | {
      readonly kind: "send";
      readonly body: MessageBody;
      readonly replyTo: number | null;
      readonly isSilent: boolean;
      /** A placeholder: no loss when it does not come, a nuisance when it comes twice. */
      readonly isProgress?: true;
    }
  | { readonly kind: "edit"; readonly target: number; readonly body: MessageBody; readonly orSend: boolean }
  | {
      readonly kind: "document";
      readonly fileName: string;
      readonly content: string;
      readonly body: MessageBody;
      readonly replyTo: number | null;
    }
  /** Takes a person's own message off the screen: one that shows a login token. */
  | { readonly kind: "delete"; readonly messageId: number; readonly body: MessageBody };

/** A row to be put into the outbox. */
export interface OutboxDraft {
  readonly conversation: ConversationRef;
  readonly act: OutboxAct;
  readonly priority: Priority;
  /**
   * The work whose end this is a part of. A completed work is done when all parts are sent; and what ends a work is kept for
   * as long as Telegram keeps the bot out of the chat, while everything else is given up.
   */
  readonly finalOf: number | null;
}

/** `sending` means that the call was begun: after a crash or a fault nobody knows whether it arrived. */
export type OutboxState = "queued" | "sending" | "sent" | "failed" | "dropped";

/** A row of the outbox. */
export interface OutboxRow extends OutboxDraft {
  readonly id: number;
  readonly state: OutboxState;
  /** Calls begun of which nobody knows that they had no effect. */
  readonly attempts: number;
  /** Telegram's id of the message, once sent. */
  readonly messageId: number | null;
}
