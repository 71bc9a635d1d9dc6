import type { ApiEntity, ApiKeyboard, ApiResponse, ApiUser } from "./objects.ts";

/** What is about to happen to a call. `at` is in milliseconds since the epoch. */
export interface Call {
  readonly method: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly at: number;
}

/**
 * What goes wrong with a call. "Processed" says whether the call took effect before the fault:
 * `error`, `drop_before`, `html` and `garbage` never are; `delay`, `drop_after` and `truncated` are; `hang` by `isProcessed` (default: not).
 */
export type Fault =
  | {
      readonly kind: "error";
      readonly code: number;
      readonly description: string;
      readonly retryAfterSeconds?: number;
    }
  /** Processed and answered, but only after `delayMs`. */
  | { readonly kind: "delay"; readonly delayMs: number }
  /** The connection is cut instead of an answer. */
  | { readonly kind: "drop_before" }
  | { readonly kind: "drop_after" }
  /** The connection stays open and silent. */
  | { readonly kind: "hang"; readonly isProcessed?: boolean }
  /** A proxy's error page; status 502 unless said otherwise. */
  | { readonly kind: "html"; readonly code?: number }
  /** Status 200 and bytes that are no JSON. */
  | { readonly kind: "garbage" }
  /** The true answer, cut in its middle, under its full Content-Length. */
  | { readonly kind: "truncated" };

/** Asked once for each call, before it is processed. Undefined lets it pass. */
export type Intercept = (call: Call) => Fault | undefined;

/** A call as it went. `response` is null while it is unanswered and for a fault that gave none. */
export interface CallRecord extends Call {
  readonly answeredAt: number | null;
  readonly response: ApiResponse | null;
  readonly fault: Fault | null;
  /** The updates that a `getUpdates` handed out, else empty. */
  readonly updateIds: readonly number[];
}

/** A file that hangs on a message. */
export interface ShownFile {
  readonly fileName: string;
  readonly mimeType: string;
  readonly content: Buffer;
}

/** A message as a person sees it now. `sentAt` and `editedAt` are in milliseconds since the epoch. */
export interface ShownMessage {
  readonly chatId: number;
  readonly messageId: number;
  readonly threadId: number | null;
  /** Null for messages that a chat sent: channel posts. */
  readonly from: ApiUser | null;
  readonly isFromBot: boolean;
  /** The text, or the caption of a file; "" when there is neither. */
  readonly text: string;
  readonly entities: readonly ApiEntity[];
  readonly keyboard: ApiKeyboard | null;
  /** Message id of what it answers. */
  readonly replyTo: number | null;
  readonly document: ShownFile | null;
  readonly photo: ShownFile | null;
  /** The bot's reactions, as emoji. */
  readonly reactions: readonly string[];
  readonly sentAt: number;
  readonly editedAt: number | null;
  readonly isPinned: boolean;
  readonly isDeleted: boolean;
}

/** What a pressed button was answered with: a notice on the person's screen, often without text. */
export interface CallbackAnswer {
  readonly text: string;
  readonly isAlert: boolean;
  readonly at: number;
}

/** A change that a person would see on the screen, whoever made it. */
export type Change =
  | { readonly kind: "message_sent"; readonly message: ShownMessage }
  | { readonly kind: "message_edited"; readonly message: ShownMessage }
  | { readonly kind: "message_deleted"; readonly message: ShownMessage }
  | { readonly kind: "message_reacted"; readonly message: ShownMessage }
  | { readonly kind: "message_pinned"; readonly message: ShownMessage }
  | {
      readonly kind: "chat_action";
      readonly chatId: number;
      readonly threadId: number | null;
      readonly action: string;
    }
  | {
      readonly kind: "draft";
      readonly chatId: number;
      readonly threadId: number | null;
      readonly draftId: number;
      readonly text: string;
    }
  | { readonly kind: "callback_answered"; readonly callbackId: string; readonly answer: CallbackAnswer };

/** Limits of the flood model. All counts are of sends and edits. */
export interface FloodLimits {
  /** Sends per second in one chat, sustained. */
  readonly chatPerSecond: number;
  /** Sends that a quiet chat takes at once. */
  readonly chatBurst: number;
  readonly groupPerMinute: number;
  readonly overallPerSecond: number;
}
