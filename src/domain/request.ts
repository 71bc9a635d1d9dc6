import type { SentFile } from "./attachment.ts";

/** Who asks. Identity is the numeric id alone; `displayName` is for people's eyes and never compared. */
export interface Principal {
  readonly userId: number;
  readonly displayName: string;
}

/** Where a conversation lives: a chat, and a topic of it when it has topics. */
export interface ConversationRef {
  readonly chatId: number;
  readonly threadId: number | null;
}

/** What input validation took out of a prompt, and how many characters of it. */
export interface Cleaned {
  readonly what: "control" | "bidi" | "tag" | "zero_width" | "surrogate";
  readonly count: number;
}

/**
 * `work` starts Claude and is limited; `look` reads, changes what waits (an edit), or keeps what came too late to start Claude;
 * `control` (Stop, buttons) is never held back by limits, but for a button that starts work.
 */
export type RequestKind = "work" | "look" | "control";

/** What was asked, already told apart. */
export type RequestBody =
  /** `files` came with it; left out for none. */
  | { readonly kind: "prompt"; readonly text: string; readonly files?: readonly SentFile[] }
  /** `hasFile`: a file stands in it, the old one or another. */
  | { readonly kind: "edit"; readonly text: string; readonly hasFile?: true }
  | { readonly kind: "command"; readonly name: string; readonly argument: string }
  /** `/login` with a well-formed token, known by its digest alone. */
  | { readonly kind: "login"; readonly digest: string }
  | { readonly kind: "button"; readonly nonce: string; readonly callbackId: string }
  | { readonly kind: "unsupported"; readonly what: string };

/** What is `unsupported` in a command that somebody else wrote. */
export const OTHERS_COMMAND = "forwarded command";

/** One arrival, whatever door it came through. Doors make it, gates judge it, turns run it. */
export interface Request {
  readonly origin: "telegram";
  /** The same for every delivery of the same arrival; the durable key against doing it twice. */
  readonly dedupeKey: string;
  readonly kind: RequestKind;
  /** Null for arrivals without a person behind them: channel posts, anonymous admins, bots. */
  readonly principal: Principal | null;
  readonly conversation: ConversationRef;
  readonly chatType: "private" | "group" | "supergroup" | "channel";
  /** The message that carries the request or the pressed button; null where there is none. */
  readonly messageId: number | null;
  /**
   * Milliseconds since the epoch: as the sender's server stamped it, and by this machine's clock once it was classified. Null
   * where it bears no date.
   */
  readonly sentAt: number | null;
  /** Sent so long before it came that nothing may happen by itself any more. */
  readonly isStale: boolean;
  readonly body: RequestBody;
  /** What validation removed from the text; told to the person. */
  readonly cleaned: readonly Cleaned[];
}

/** A text key for a conversation: `<chat>:<topic or 0>`. */
export function conversationKey({ chatId, threadId }: ConversationRef): string {
  return `${chatId}:${threadId ?? 0}`;
}
