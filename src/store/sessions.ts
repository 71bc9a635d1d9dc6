import type { Now } from "../domain/clock.ts";
import type { Session } from "../domain/work.ts";
import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";

/** Who talks where about what: the key of a CLI session. */
export interface SessionKey {
  readonly conversationId: number;
  readonly userId: number;
  readonly project: string;
}

/** CLI sessions; at most one is current for a key. */
export interface Sessions {
  readonly current: (key: SessionKey) => Session | null;
  readonly begin: (key: SessionKey, id: string) => Session;
  /** Ends the current session, if there is one; says whether there was. */
  readonly end: (key: SessionKey) => boolean;
  /** The CLI has the session on disk from now on. */
  readonly markResumable: (id: string) => void;
}

interface Row {
  id: string;
  conversation_id: number;
  user_id: number;
  project: string;
  is_resumable: number;
}

export function createSessions(db: Db, change: Change, now: Now): Sessions {
  const current = db.prepare<[number, number, string], Row>(
    "SELECT * FROM sessions WHERE conversation_id = ? AND user_id = ? AND project = ? AND ended_at IS NULL",
  );
  const begin = db.prepare<[string, number, number, string, number]>(
    "INSERT INTO sessions (id, conversation_id, user_id, project, created_at) VALUES (?, ?, ?, ?, ?)",
  );
  const end = db.prepare<[number, number, number, string]>(
    "UPDATE sessions SET ended_at = ? WHERE conversation_id = ? AND user_id = ? AND project = ? AND ended_at IS NULL",
  );
  const markResumable = db.prepare<[string]>(
    "UPDATE sessions SET is_resumable = 1 WHERE id = ? AND is_resumable = 0",
  );

  return {
    current: ({ conversationId, userId, project }) => {
      const row = current.get(conversationId, userId, project);
      return row ? sessionOf(row) : null;
    },
    begin: (key, id) => {
      change("session.begun", () => begin.run(id, key.conversationId, key.userId, key.project, now()));
      return { ...key, id, isResumable: false };
    },
    end: ({ conversationId, userId, project }) =>
      change("session.ended", () => end.run(now(), conversationId, userId, project)).changes > 0,
    markResumable: (id) => {
      change("session.resumable", () => markResumable.run(id));
    },
  };
}

function sessionOf(row: Row): Session {
  return {
    id: row.id,
    conversationId: row.conversation_id,
    userId: row.user_id,
    project: row.project,
    isResumable: row.is_resumable === 1,
  };
}
