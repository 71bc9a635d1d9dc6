import { BUSY_MS, type Db } from "./database.ts";
import type { Transactions } from "./transactions.ts";

/** What keeps the files small and free of what was deleted. */
export interface Upkeep {
  /**
   * Gives at most `pages` free pages back to the disk and returns how many free ones are left. In a database that was made
   * before there was upkeep it gives back nothing and returns 0: its free pages, which are empty, are filled again.
   */
  readonly shrink: (pages: number) => number;
  /**
   * Brings all that stands in the write-ahead log into the database and empties it, where older states of the pages may hold
   * what was deleted since. Never waits: false while another program still reads such a state.
   */
  readonly emptyLog: () => boolean;
}

export function createUpkeep(db: Db, lightly: Transactions["lightly"]): Upkeep {
  const isIncremental = db.pragma("auto_vacuum", { simple: true }) === 2;

  return {
    shrink: (pages) => {
      if (!isIncremental) return 0;
      lightly(() => db.pragma(`incremental_vacuum(${pages})`));
      return Number(db.pragma("freelist_count", { simple: true }));
    },
    emptyLog: () => {
      db.pragma("busy_timeout = 0");
      try {
        return db.pragma("wal_checkpoint(TRUNCATE)", { simple: true }) === 0;
      } finally {
        db.pragma(`busy_timeout = ${BUSY_MS}`);
      }
    },
  };
}
