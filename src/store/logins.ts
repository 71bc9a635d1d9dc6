import type { Now } from "../domain/clock.ts";
import type { Role } from "../domain/person.ts";
import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";

/** A login that has not ended; whether its time is over is for its reader to say. */
export interface Login {
  readonly id: number;
  readonly userId: number;
  readonly role: Role;
  readonly inviteId: number;
  /** Of somebody on the whitelist: it is worth nothing once he is not there any more. */
  readonly isSecondFactor: boolean;
  readonly beganAt: number;
  readonly seenAt: number;
}

/** Logins; at most one of a person has not ended. */
export interface Logins {
  /** Null when there is none. Read from the disk at every call: another process may have ended it. */
  readonly of: (userId: number) => Login | null;
  /** All that have not ended, oldest first. */
  readonly current: () => readonly Login[];
  readonly begin: (draft: Pick<Login, "userId" | "role" | "inviteId" | "isSecondFactor">) => Login;
  /** Notes that the person was here, at most once a minute. */
  readonly seen: (userId: number) => void;
  /** Ends the person's login; false when he had none. */
  readonly end: (userId: number) => boolean;
}

interface Row {
  id: number;
  user_id: number;
  role: Role;
  invite_id: number;
  is_second_factor: number;
  began_at: number;
  seen_at: number;
}

const SEEN_EVERY_MS = 60_000;

export function createLogins(db: Db, change: Change, now: Now): Logins {
  const of = db.prepare<[number], Row>("SELECT * FROM logins WHERE user_id = ? AND ended_at IS NULL");
  const current = db.prepare<[], Row>("SELECT * FROM logins WHERE ended_at IS NULL ORDER BY user_id");
  const begin = db.prepare<[number, Role, number, number, number, number]>(
    `INSERT INTO logins (user_id, role, invite_id, is_second_factor, began_at, seen_at) VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const seen = db.prepare<[number, number, number]>(
    "UPDATE logins SET seen_at = ? WHERE user_id = ? AND ended_at IS NULL AND seen_at < ?",
  );
  const end = db.prepare<[number, number]>(
    "UPDATE logins SET ended_at = ? WHERE user_id = ? AND ended_at IS NULL",
  );

  return {
    of: (userId) => {
      const row = of.get(userId);
      return row ? loginOf(row) : null;
    },
    current: () => current.all().map(loginOf),
    begin: (draft) => {
      const at = now();
      const made = change("login.begun", () =>
        begin.run(draft.userId, draft.role, draft.inviteId, draft.isSecondFactor ? 1 : 0, at, at),
      );
      return { ...draft, id: Number(made.lastInsertRowid), beganAt: at, seenAt: at };
    },
    seen: (userId) => {
      change("login.seen", () => seen.run(now(), userId, now() - SEEN_EVERY_MS));
    },
    end: (userId) => change("login.ended", () => end.run(now(), userId)).changes > 0,
  };
}

function loginOf(row: Row): Login {
  return {
    id: row.id,
    userId: row.user_id,
    role: row.role,
    inviteId: row.invite_id,
    isSecondFactor: row.is_second_factor === 1,
    beganAt: row.began_at,
    seenAt: row.seen_at,
  };
}
