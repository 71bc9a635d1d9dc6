import type { Work, WorkState } from "../domain/work.ts";

/** What stands in the column: an offered work is a queued one with the time of the offer. */
export type StoredState = Exclude<WorkState, "offered">;

/** A row of `work` with its conversation's place. */
export interface WorkRow {
  id: number;
  uuid: string;
  conversation_id: number;
  chat_id: number;
  thread_id: number;
  user_id: number;
  project: string | null;
  session_id: string | null;
  text: string;
  state: StoredState;
  message_id: number | null;
  placeholder_id: number | null;
  is_stop_requested: number;
  reserved_micro_usd: number;
  created_at: number;
  /** Null in rows of before this column: then it is `created_at`. */
  sent_at: number | null;
  offered_at: number | null;
  started_at: number | null;
}

/** Begins a statement that reads works. */
export const SELECT_WORK = `SELECT work.*, chat_id, thread_id FROM work JOIN conversations ON conversations.id = conversation_id`;

/** A work as the program knows it: what was sent too long ago is told apart by the time when it was offered. */
export function workOf(row: WorkRow): Work {
  return {
    id: row.id,
    uuid: row.uuid,
    conversationId: row.conversation_id,
    conversation: { chatId: row.chat_id, threadId: row.thread_id === 0 ? null : row.thread_id },
    userId: row.user_id,
    project: row.project,
    sessionId: row.session_id,
    text: row.text,
    state: row.state === "queued" && row.offered_at !== null ? "offered" : row.state,
    messageId: row.message_id,
    placeholderId: row.placeholder_id,
    isStopRequested: row.is_stop_requested === 1,
    reservedMicroUsd: row.reserved_micro_usd,
    createdAt: row.created_at,
    sentAt: row.sent_at ?? row.created_at,
    startedAt: row.started_at,
  };
}
