import type { Now } from "../domain/clock.ts";
import type { MicroUsd } from "../domain/money.ts";
import type { Work, WorkState } from "../domain/work.ts";
import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";
import { SELECT_WORK, type StoredState, type WorkRow, workOf } from "./work-row.ts";

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
  /** When it was sent, by this machine's clock; now unless given. */
  readonly sentAt?: number;
  /** The session in which the turn was that it goes on with; what begins by itself has none. */
  readonly sessionId?: string | null;
}

/** The durable queue of turns. Offered works stand outside it, in `Offered`. */
export interface WorkTable {
  /** Null when a work with that dedupe key exists already. */
  readonly submit: (draft: WorkDraft) => Work | null;
  readonly get: (id: number) => Work | null;
  /** The work that is being prepared, runs or waits for a person. */
  readonly active: (conversationId: number) => Work | null;
  /** What is queued in a conversation, in its order. */
  readonly queued: (conversationId: number) => readonly Work[];
  readonly ofMessage: (conversationId: number, messageId: number) => Work | null;
  /** Every work in one of `states`, oldest first. */
  readonly inStates: (states: readonly UnfinishedState[]) => readonly Work[];
  readonly conversationsWithQueue: () => readonly number[];
  readonly setState: (id: number, state: StoredState) => void;
  readonly prepare: (id: number, session: string, reservedMicroUsd: MicroUsd) => void;
  /** Back into the queue: Claude has not seen it. */
  readonly requeue: (id: number) => void;
  /** Ends the reservation and stamps the end. */
  readonly end: (id: number, state: StoredState) => void;
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

const ACTIVE = "('preparing', 'running', 'waiting')";
/** Named just as the partial index work_unfinished does, which only so is used. */
export const UNFINISHED = "('queued', 'preparing', 'running', 'waiting', 'delivering')";
/** Begins just as the partial index work_queued does, which only so is used. */
const QUEUED = "state = 'queued' AND offered_at IS NULL";

export function createWorkTable(db: Db, change: Change, now: Now): WorkTable {
  const submit = db.prepare<
    [
      string,
      string,
      number,
      number,
      string | null,
      string | null,
      string,
      number | null,
      number,
      number,
      number,
    ]
  >(
    `INSERT INTO work (uuid, dedupe_key, conversation_id, user_id, project, session_id, text, message_id, created_at, sent_at, position,
       state)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
       (SELECT coalesce(max(position), 0) FROM work WHERE conversation_id = ? AND ${QUEUED}), 'queued')
     ON CONFLICT (dedupe_key) DO NOTHING`,
  );
  const get = db.prepare<[number | bigint], WorkRow>(`${SELECT_WORK} WHERE work.id = ?`);
  const queued = db.prepare<[number], WorkRow>(
    `${SELECT_WORK} WHERE conversation_id = ? AND ${QUEUED} ORDER BY position, work.id`,
  );
  const active = db.prepare<[number], WorkRow>(
    `${SELECT_WORK} WHERE conversation_id = ? AND state IN ${ACTIVE}`,
  );
  const ofMessage = db.prepare<[number, number], WorkRow>(
    `${SELECT_WORK} WHERE conversation_id = ? AND message_id = ? ORDER BY work.id DESC LIMIT 1`,
  );
  const inStates = db.prepare<[string], WorkRow>(
    `${SELECT_WORK} WHERE state IN ${UNFINISHED} AND state IN (SELECT value FROM json_each(?)) ORDER BY work.id`,
  );
  const withQueue = db.prepare<[], { conversation_id: number }>(
    `SELECT DISTINCT conversation_id FROM work WHERE ${QUEUED}`,
  );
  const setState = db.prepare<[StoredState, number]>("UPDATE work SET state = ? WHERE id = ?");
  const prepare = db.prepare<[string, number, number, number]>(
    "UPDATE work SET state = 'preparing', session_id = ?, reserved_micro_usd = ?, started_at = ? WHERE id = ?",
  );
  const requeue = db.prepare<[number]>(
    "UPDATE work SET state = 'queued', reserved_micro_usd = 0, started_at = NULL WHERE id = ?",
  );
  const end = db.prepare<[StoredState, number, number]>(
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
       WHERE other.conversation_id = work.conversation_id AND other.state = 'queued' AND other.offered_at IS NULL)
     WHERE id = ?`,
  );
  const reserved = db.prepare<[number], { total: number | null }>(
    "SELECT sum(reserved_micro_usd) AS total FROM work WHERE user_id = ? AND reserved_micro_usd > 0",
  );
  const finish = db.prepare<[number, number]>(
    `UPDATE work SET state = 'done', ended_at = ? WHERE id = ? AND state = 'delivering' AND NOT EXISTS
       (SELECT 1 FROM outbox WHERE final_of = work.id AND state IN ('queued', 'sending'))`,
  );

  const one = (row: WorkRow | undefined): Work | null => (row ? workOf(row) : null);

  return {
    submit: (draft) => {
      const { uuid, dedupeKey, conversationId: where, userId, project, text, messageId } = draft;
      const at = now();
      const { sentAt = at, sessionId = null } = draft;
      const made = change("work.queued", () =>
        submit.run(uuid, dedupeKey, where, userId, project, sessionId, text, messageId, at, sentAt, where),
      );
      return made.changes === 0 ? null : one(get.get(made.lastInsertRowid));
    },
    get: (id) => one(get.get(id)),
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
