import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";

/**
 * Single facts that must outlive a restart, by name; what a value means is its owner's business. Removed by their owners alone: no
 * name may be made of what grows.
 */
export interface Facts {
  readonly get: (key: string) => string | null;
  readonly set: (key: string, value: string) => void;
  readonly delete: (key: string) => void;
}

export function createFacts(db: Db, change: Change): Facts {
  const get = db.prepare<[string], { value: string }>("SELECT value FROM facts WHERE key = ?");
  const set = db.prepare<[string, string]>(
    "INSERT INTO facts (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  );
  const remove = db.prepare<[string]>("DELETE FROM facts WHERE key = ?");

  return {
    get: (key) => get.get(key)?.value ?? null,
    set: (key, value) => {
      change("fact.set", () => set.run(key, value));
    },
    delete: (key) => {
      change("fact.set", () => remove.run(key));
    },
  };
}
