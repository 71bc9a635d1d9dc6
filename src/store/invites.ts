import type { Now } from "../domain/clock.ts";
import type { Role } from "../domain/person.ts";
import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";

/** A token that was made, known by its digest alone. */
export interface Invite {
  readonly id: number;
  /** Hexadecimal HMAC-SHA256. */
  readonly digest: string;
  readonly role: Role;
  /** Null for one that was made at the machine. */
  readonly madeBy: number | null;
  readonly expiresAt: number;
  /** When it was used, revoked, or found to be past its time, which is the one that is not before `expiresAt`. */
  readonly settledAt: number | null;
  readonly usedBy: number | null;
}

/** Invites, each good for one login. */
export interface Invites {
  readonly make: (draft: Pick<Invite, "digest" | "role" | "madeBy" | "expiresAt">) => Invite;
  /** Those that are neither used nor revoked nor past their time, oldest first. */
  readonly open: () => readonly Invite[];
  /** The invite of a digest, whatever became of it. */
  readonly ofDigest: (digest: string) => Invite | null;
  /** Marks an open one as used; false when it was not open any more. */
  readonly use: (id: number, userId: number) => boolean;
  /** False when it was not open. */
  readonly revoke: (id: number) => boolean;
  /** Ends for good those that are past their time, whatever the clock says later. */
  readonly expire: () => void;
}

interface Row {
  id: number;
  digest: string;
  role: Role;
  made_by: number | null;
  expires_at: number;
  settled_at: number | null;
  used_by: number | null;
}

export function createInvites(db: Db, change: Change, now: Now): Invites {
  const make = db.prepare<[string, Role, number | null, number, number]>(
    "INSERT INTO invites (digest, role, made_by, made_at, expires_at) VALUES (?, ?, ?, ?, ?)",
  );
  const open = db.prepare<[number], Row>(
    "SELECT * FROM invites WHERE settled_at IS NULL AND expires_at > ? ORDER BY id",
  );
  const ofDigest = db.prepare<[string], Row>("SELECT * FROM invites WHERE digest = ?");
  const settle = db.prepare<[number, number | null, number, number]>(
    "UPDATE invites SET settled_at = ?, used_by = ? WHERE id = ? AND settled_at IS NULL AND expires_at > ?",
  );
  const expire = db.prepare<[number, number]>(
    "UPDATE invites SET settled_at = ? WHERE settled_at IS NULL AND expires_at <= ?",
  );
  const isSettled = (id: number, userId: number | null): boolean =>
    change(userId === null ? "invite.revoked" : "invite.used", () => settle.run(now(), userId, id, now()))
      .changes > 0;

  return {
    make: ({ digest, role, madeBy, expiresAt }) => {
      const made = change("invite.made", () => make.run(digest, role, madeBy, now(), expiresAt));
      const id = Number(made.lastInsertRowid);
      return { id, digest, role, madeBy, expiresAt, settledAt: null, usedBy: null };
    },
    open: () => open.all(now()).map(inviteOf),
    ofDigest: (digest) => {
      const row = ofDigest.get(digest);
      return row ? inviteOf(row) : null;
    },
    use: (id, userId) => isSettled(id, userId),
    revoke: (id) => isSettled(id, null),
    expire: () => {
      change("invite.revoked", () => expire.run(now(), now()));
    },
  };
}

function inviteOf(row: Row): Invite {
  return {
    id: row.id,
    digest: row.digest,
    role: row.role,
    madeBy: row.made_by,
    expiresAt: row.expires_at,
    settledAt: row.settled_at,
    usedBy: row.used_by,
  };
}
