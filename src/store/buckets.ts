import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";

/**
 * Token buckets as they stood at the last commit; the state is the limiter's own JSON. Never removed: there are two for each
 * admitted person and one for all.
 */
export interface Buckets {
  readonly load: (key: string) => string | null;
  readonly save: (key: string, state: string) => void;
}

export function createBuckets(db: Db, change: Change): Buckets {
  const load = db.prepare<[string], { state: string }>("SELECT state FROM buckets WHERE key = ?");
  const save = db.prepare<[string, string]>(
    "INSERT INTO buckets (key, state) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET state = excluded.state",
  );
  return {
    load: (key) => load.get(key)?.state ?? null,
    save: (key, state) => {
      change("bucket.saved", () => save.run(key, state));
    },
  };
}
