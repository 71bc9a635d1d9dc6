import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";

const GAP_MS = 10;
const ROW = "x".repeat(400);

/** Milliseconds that one small commit takes until it is on the disk, `count` times: what nothing durable can be faster than. */
export async function commitTimes(count: number): Promise<readonly number[]> {
  const folder = mkdtempSync(join(tmpdir(), "spb-"));
  const db = new Database(join(folder, "one.db"));
  try {
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = FULL");
    if (process.platform === "darwin") db.pragma("fullfsync = ON");
    db.exec("CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT");
    const insert = db.prepare<[string]>("INSERT INTO rows (text) VALUES (?)");
    const times: number[] = [];
    for (let index = 0; index < count; index += 1) {
      const startedAt = performance.now();
      insert.run(ROW);
      times.push(performance.now() - startedAt);
      await sleep(GAP_MS);
    }
    return times;
  } finally {
    db.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
