import type { Now } from "../domain/clock.ts";
import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";

/** A credential as it was last seen; its value is not kept. */
export interface SeenCredential {
  readonly name: string;
  /** A digest of its value, under a key that is not in the database. */
  readonly fingerprint: string;
  /** When this value was first seen, in milliseconds since the epoch. */
  readonly since: number;
  /** When the owners were last told that it is old; null for never. */
  readonly toldAt: number | null;
}

/** Credentials by the names of their settings. A row for each name that was ever set. */
export interface Credentials {
  readonly find: (name: string) => SeenCredential | null;
  /** Seen for the first time with this value: its age begins now. */
  readonly begin: (name: string, fingerprint: string) => void;
  /** The same value under another key: its age goes on. */
  readonly renew: (name: string, fingerprint: string) => void;
  /** The owners are told now. */
  readonly tell: (name: string) => void;
}

interface Row extends Omit<SeenCredential, "toldAt"> {
  readonly told_at: number | null;
}

export function createCredentials(db: Db, change: Change, now: Now): Credentials {
  const find = db.prepare<[string], Row>(
    "SELECT name, fingerprint, since, told_at FROM credentials WHERE name = ?",
  );
  const begin = db.prepare<[string, string, number]>(
    "INSERT OR REPLACE INTO credentials (name, fingerprint, since, told_at) VALUES (?, ?, ?, NULL)",
  );
  const renew = db.prepare<[string, string]>("UPDATE credentials SET fingerprint = ? WHERE name = ?");
  const tell = db.prepare<[number, string]>("UPDATE credentials SET told_at = ? WHERE name = ?");

  return {
    find: (name) => {
      const row = find.get(name);
      if (row === undefined) return null;
      const { told_at: toldAt, ...rest } = row;
      return { ...rest, toldAt };
    },
    begin: (name, fingerprint) => {
      change("credential.seen", () => begin.run(name, fingerprint, now()));
    },
    renew: (name, fingerprint) => {
      change("credential.seen", () => renew.run(fingerprint, name));
    },
    tell: (name) => {
      change("credential.told", () => tell.run(now(), name));
    },
  };
}
