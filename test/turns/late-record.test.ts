import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import type { AuditEvent } from "../../src/domain/audit-event.ts";
import type { Work } from "../../src/domain/work.ts";
import { createLogger } from "../../src/log/logger.ts";
import { openStore } from "../../src/store/store.ts";
import { createLateRecord } from "../../src/turns/late-record.ts";
import { testClock } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";

const WORK = { id: 1, userId: 7, conversation: { chatId: 7, threadId: null } } as Work;
const connected = (host: string): AuditEvent => ({
  type: "net.connected",
  host,
  port: 443,
  bytesIn: 1,
  bytesOut: 1,
  durationMs: 1,
});

/** A store of which another program can take the lock away. */
function createBench() {
  const path = join(tempDir(), "a.db");
  const store = openStore(path, testClock());
  const other = new Database(path);
  onTestFinished(() => {
    other.close();
    store[Symbol.dispose]();
  });
  const lines: string[] = [];
  const log = createLogger({
    level: "fatal",
    format: "json",
    secretValues: [],
    destination: { write: (line) => void lines.push(line) },
  });
  const late = createLateRecord({
    store,
    record: (event, { work: { userId, conversation } }) =>
      store.audit.append({ at: 1, risk: "low", userId, conversation, event }),
    log,
  });
  const hosts = () => [...store.audit.rows()].map(({ data }) => (JSON.parse(data) as { host?: string }).host);
  return { store, other, late, lines, hosts };
}

test("what has happened while the store took nothing is put on record in its order once it takes something, with what goes with it", async () => {
  const { store, other, late, hosts } = createBench();
  late.put(connected("a"), WORK);
  expect(hosts()).toEqual(["a"]);
  other.exec("BEGIN IMMEDIATE");
  late.put(connected("b"), WORK, () => store.facts.set("told", "yes"));
  late.put(connected("c"), WORK);
  expect([hosts(), store.facts.get("told")]).toEqual([["a"], null]);
  other.exec("ROLLBACK");
  await until(() => hosts().length === 3, "the rest is on record");
  expect([hosts(), store.facts.get("told")]).toEqual([["a", "b", "c"], "yes"]);
  late.put(connected("d"), WORK);
  expect(hosts()).toEqual(["a", "b", "c", "d"]);
});

test("what the store has not taken by the end is in the log with all its facts, and no more than a thousand wait", () => {
  const { other, late, lines, hosts } = createBench();
  other.exec("BEGIN IMMEDIATE");
  for (let n = 0; n < 1_002; n += 1) late.put(connected(`h${n}`), WORK);
  expect(lines).toHaveLength(2);
  late.close();
  expect(hosts()).toEqual([]);
  expect(lines).toHaveLength(1_002);
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({
    security: true,
    event: "net.connected",
    userId: 7,
    facts: { host: "h999", port: 443 },
  });
  other.exec("ROLLBACK");
});
