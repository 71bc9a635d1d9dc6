import type { Now } from "../domain/clock.ts";
import type { MicroUsd } from "../domain/money.ts";
import type { Work, WorkState } from "../domain/work.ts";
import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";

/** The states of a work that has not ended. */
export type UnfinishedState = Extract<
  WorkState,
  "queued" | "preparing" | "running" | "waiting" | "delivering"
>;

/** What is known of a piece of work when it is submitted. */
export interface WorkDraft {
  readonly uuid: string;
  readonly dedupeKey: string;
  readonly conversationId: number;
  readonly userId: number;
  readonly project: string | null;
  readonly text: string;
  readonly messageId: number | null;
}

/** The durable queue of turns. */
export interface WorkTable {
  /** Null when a work with that dedupe key exists already. */
  readonly submit: (draft: WorkDraft) => Work | null;
  readonly get: (id: number) => Work | null;
  /** The oldest queued work of a conversation. */
  readonly next: (conversationId: number) => Work | null;
  /** The work that is being prepared, runs or waits for a person. */
  readonly active: (conversationId: number) => Work | null;
  readonly queued: (conversationId: number) => readonly Work[];
  readonly ofMessage: (conversationId: number, messageId: number) => Work | null;
  /** Every work in one of `states`, oldest first. */
  readonly inStates: (states: readonly UnfinishedState[]) => readonly Work[];
  readonly conversationsWithQueue: () => readonly number[];
  readonly setState: (id: number, state: WorkState) => void;
  readonly prepare: (id: number, session: string, reservedMicroUsd: MicroUsd) => void;
  /** Back into the queue: Claude has not seen it. */
  readonly requeue: (id: number) => void;
  /** Ends the reservation and stamps the end. */
  readonly end: (id: number, state: WorkState) => void;
  readonly setText: (id: number, text: string) => void;
  readonly setPlaceholder: (id: number, outboxId: number) => void;
  readonly requestStop: (id: number) => void;
  /** Gives the project to queued work that was waiting for the choice. */
  readonly assignProject: (conversationId: number, project: string) => void;
  /** Puts `id` first in its conversation's queue. */
  readonly moveFirst: (id: number) => void;
  readonly reserved: (userId: number) => MicroUsd;
  /** Marks a delivered work as done once no part of its answer is left unsent. */
  readonly finishIfDelivered: (id: number) => void;
}

interface Row {
  id: number;
  uuid: string;
  conversation_id: number;
  chat_id: number;
  thread_id: number;
  user_id: number;
  project: string | null;
  session_id: string | null;
  text: string;
  state: WorkState;
  message_id: number | null;
  placeholder_id: number | null;
  is_stop_requested: number;
  reserved_micro_usd: number;
  created_at: number;
  started_at: number | null;
}

const SELECT = `SELECT work.*, chat_id, thread_id FROM work JOIN conversations ON conversations.id = conversation_id`;
const ACTIVE = "('preparing', 'running', 'waiting')";
/** Named just as the partial index work_unfinished does, which only so is used. */
export const UNFINISHED = "('queued', 'preparing', 'running', 'waiting', 'delivering')";

export function createWorkTable(db: Db, change: Change, now: Now): WorkTable {
  const submit = db.prepare<[string, string, number, number, string | null, string, number | null, number]>(
    `INSERT INTO work (uuid, dedupe_key, conversation_id, user_id, project, text, message_id, created_at, state)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'queued') ON CONFLICT (dedupe_key) DO NOTHING`,
  );
  const get = db.prepare<[number | bigint], Row>(`${SELECT} WHERE work.id = ?`);
  const queued = db.prepare<[number], Row>(
    `${SELECT} WHERE conversation_id = ? AND state = 'queued' ORDER BY position, work.id`,
  );
  const active = db.prepare<[number], Row>(`${SELECT} WHERE conversation_id = ? AND state IN ${ACTIVE}`);
  const ofMessage = db.prepare<[number, number], Row>(
    `${SELECT} WHERE conversation_id = ? AND message_id = ? ORDER BY work.id DESC LIMIT 1`,
  );
  const inStates = db.prepare<[string], Row>(
    `${SELECT} WHERE state IN ${UNFINISHED} AND state IN (SELECT value FROM json_each(?)) ORDER BY work.id`,
  );
  const withQueue = db.prepare<[], { conversation_id: number }>(
    "SELECT DISTINCT conversation_id FROM work WHERE state = 'queued'",
  );
  const setState = db.prepare<[WorkState, number]>("UPDATE work SET state = ? WHERE id = ?");
  const prepare = db.prepare<[string, number, number, number]>(
    "UPDATE work SET state = 'preparing', session_id = ?, reserved_micro_usd = ?, started_at = ? WHERE id = ?",
  );
  const requeue = db.prepare<[number]>(
    "UPDATE work SET state = 'queued', reserved_micro_usd = 0, started_at = NULL WHERE id = ?",
  );
  const end = db.prepare<[WorkState, number, number]>(
    "UPDATE work SET state = ?, reserved_micro_usd = 0, ended_at = ? WHERE id = ?",
  );
  const setText = db.prepare<[string, number]>("UPDATE work SET text = ? WHERE id = ?");
  const setPlaceholder = db.prepare<[number, number]>("UPDATE work SET placeholder_id = ? WHERE id = ?");
  const requestStop = db.prepare<[number]>("UPDATE work SET is_stop_requested = 1 WHERE id = ?");
  const assignProject = db.prepare<[string, number]>(
    "UPDATE work SET project = ? WHERE conversation_id = ? AND state = 'queued' AND project IS NULL",
  );
  const moveFirst = db.prepare<[number]>(
    `UPDATE work SET position = (SELECT min(other.position) - 1 FROM work AS other
       WHERE other.conversation_id = work.conversation_id AND other.state = 'queued') WHERE id = ?`,
  );
  const reserved = db.prepare<[number], { total: number | null }>(
    "SELECT sum(reserved_micro_usd) AS total FROM work WHERE user_id = ? AND reserved_micro_usd > 0",
  );
  const finish = db.prepare<[number, number]>(
    `UPDATE work SET state = 'done', ended_at = ? WHERE id = ? AND state = 'delivering' AND NOT EXISTS
       (SELECT 1 FROM outbox WHERE final_of = work.id AND state IN ('queued', 'sending'))`,
  );

  const one = (row: Row | undefined): Work | null => (row ? workOf(row) : null);

  return {
    submit: (draft) => {
      const { uuid, dedupeKey, conversationId, userId, project, text, messageId } = draft;
      const made = change("work.queued", () =>
        submit.run(uuid, dedupeKey, conversationId, userId, project, text, messageId, now()),
      );
      return made.changes === 0 ? null : one(get.get(made.lastInsertRowid));
    },
    get: (id) => one(get.get(id)),
    next: (conversationId) => one(queued.get(conversationId)),
    active: (conversationId) => one(active.get(conversationId)),
    queued: (conversationId) => queued.all(conversationId).map(workOf),
    ofMessage: (conversationId, messageId) => one(ofMessage.get(conversationId, messageId)),
    inStates: (states) => inStates.all(JSON.stringify(states)).map(workOf),
    conversationsWithQueue: () => withQueue.all().map((row) => row.conversation_id),
    setState: (id, state) => {
      change(`work.${state}`, () => setState.run(state, id));
    },
    prepare: (id, session, reservedMicroUsd) => {
      change("work.preparing", () => prepare.run(session, reservedMicroUsd, now(), id));
    },
    requeue: (id) => {
      change("work.queued", () => requeue.run(id));
    },
    end: (id, state) => {
      change(`work.${state}`, () => end.run(state, now(), id));
    },
    setText: (id, text) => {
      change("work.edited", () => setText.run(text, id));
    },
    setPlaceholder: (id, outboxId) => {
      change("work.placed", () => setPlaceholder.run(outboxId, id));
    },
    requestStop: (id) => {
      change("work.stop_requested", () => requestStop.run(id));
    },
    assignProject: (conversationId, project) => {
      change("work.assigned", () => assignProject.run(project, conversationId));
    },
    moveFirst: (id) => {
      change("work.moved", () => moveFirst.run(id));
    },
    reserved: (userId) => reserved.get(userId)?.total ?? 0,
    finishIfDelivered: (id) => {
      change("work.done", () => finish.run(now(), id));
    },
  };
}

function workOf(row: Row): Work {
  return {
    id: row.id,
    uuid: row.uuid,
    conversationId: row.conversation_id,
    conversation: { chatId: row.chat_id, threadId: row.thread_id === 0 ? null : row.thread_id },
    userId: row.user_id,
    project: row.project,
    sessionId: row.session_id,
    text: row.text,
    state: row.state,
    messageId: row.message_id,
    placeholderId: row.placeholder_id,
    isStopRequested: row.is_stop_requested === 1,
    reservedMicroUsd: row.reserved_micro_usd,
    createdAt: row.created_at,
    startedAt: row.started_at,
  };
}
