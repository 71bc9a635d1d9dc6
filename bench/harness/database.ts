import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";

const POLL_MS = 10;

/** What the daemon's database says while the daemon runs, read from outside. Disposing closes it. */
export interface Reader extends Disposable {
  /** Updates from `firstId` on that are handled to their end. */
  readonly handled: (firstId: number) => number;
  /** Works that wait or are under way. */
  readonly unfinishedWorks: () => number;
  /** Rows of the outbox that were not brought to Telegram yet. */
  readonly unsent: () => number;
  /** Resolves once `isTrue`; asked every 10 ms, at most `timeoutMs` long. */
  readonly until: (isTrue: () => boolean, timeoutMs: number) => Promise<void>;
}

/** Opens the database in a daemon's home folder; read only. */
export function readDatabase(home: string): Reader {
  const db = new Database(join(home, "sallyport.db"), { readonly: true, fileMustExist: true });
  const handled = db.prepare<[number], { n: number }>(
    "SELECT count(*) AS n FROM inbox WHERE update_id >= ? AND state = 'done'",
  );
  const unfinished = db.prepare<[], { n: number }>(
    "SELECT count(*) AS n FROM work WHERE state IN ('queued', 'preparing', 'running', 'waiting')",
  );
  const unsent = db.prepare<[], { n: number }>(
    "SELECT count(*) AS n FROM outbox WHERE state IN ('queued', 'sending')",
  );
  return {
    handled: (firstId) => handled.get(firstId)?.n ?? 0,
    unfinishedWorks: () => unfinished.get()?.n ?? 0,
    unsent: () => unsent.get()?.n ?? 0,
    until: async (isTrue, timeoutMs) => {
      const deadline = performance.now() + timeoutMs;
      while (!isTrue()) {
        if (performance.now() > deadline) throw new Error(`Waited ${timeoutMs} ms for the database, in vain`);
        await sleep(POLL_MS);
      }
    },
    [Symbol.dispose]: () => db.close(),
  };
}
