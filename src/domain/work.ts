import type { MicroUsd } from "./money.ts";
import type { ConversationRef } from "./request.ts";

/**
 * Where a request that starts Claude stands. `offered` was sent so long ago that it runs only when a person says so, and
 * stands in no queue until then. `preparing` has not been shown to Claude yet and may be queued again; from `running` on it
 * may have had effects, and is never run again without a person saying so.
 */
export type WorkState =
  | "queued"
  | "offered"
  | "preparing"
  | "running"
  | "waiting"
  | "delivering"
  | "done"
  | "failed"
  | "stopped"
  | "interrupted"
  | "dropped";

/** One durable request for a turn of Claude. */
export interface Work {
  readonly id: number;
  /** Sent to the CLI with the prompt; comes back on what belongs to it. */
  readonly uuid: string;
  readonly conversationId: number;
  readonly conversation: ConversationRef;
  readonly userId: number;
  /** Name of the project under the approved directory; null until the person has chosen one. */
  readonly project: string | null;
  /** The session that it runs or ran in; of a continuation that waits, that of the turn it goes on with. */
  readonly sessionId: string | null;
  readonly text: string;
  readonly state: WorkState;
  /** The person's own message, replied to and reacted to; null when a button started the work. */
  readonly messageId: number | null;
  /** The outbox row of the message that shows progress. */
  readonly placeholderId: number | null;
  readonly isStopRequested: boolean;
  readonly reservedMicroUsd: MicroUsd;
  readonly createdAt: number;
  /** When the person sent it or pressed for it, by this machine's clock. */
  readonly sentAt: number;
  readonly startedAt: number | null;
}

/** A conversation of the bot's own: a chat, or a topic of it, and the project chosen there. */
export interface Conversation extends ConversationRef {
  readonly id: number;
  readonly project: string | null;
  /** The interrupted work whose answer ([Continue it] [Run it again] [Drop]) the queue waits for. */
  readonly heldBy: number | null;
}

/** A session of the CLI, bound to one conversation, person and project. */
export interface Session {
  readonly id: string;
  readonly conversationId: number;
  readonly userId: number;
  readonly project: string;
  /** True once the CLI has it on disk. */
  readonly isResumable: boolean;
}
