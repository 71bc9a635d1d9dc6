import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { createLogger } from "../../src/log/logger.ts";
import { createStoreWatch } from "../../src/ops/store-trouble.ts";
import { openDatabase } from "../../src/store/database.ts";
import { createFacts } from "../../src/store/facts.ts";
import type { StoreTrouble } from "../../src/store/fault.ts";
import { openStore } from "../../src/store/store.ts";
import { createTransactions } from "../../src/store/transactions.ts";
import { testClock } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";

function createBench() {
  const path = join(tempDir(), "a.db");
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({
    level: "info",
    format: "json",
    secretValues: [],
    destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  });
  const clock = testClock();
  const watch = createStoreWatch({ log, now: clock, againMs: 20 });
  const store = openStore(path, clock, { onTrouble: watch.onTrouble });
  const other = new Database(path);
  onTestFinished(() => {
    watch[Symbol.dispose]();
    other.close();
    store[Symbol.dispose]();
  });
  const told: string[] = [];
  watch.tellBy({ store, tellOwners: (text) => void told.push(text) });
  const events = () => lines.map(({ event }) => event);
  return { store, other, clock, lines, events, told };
}

const write = ({ store }: ReturnType<typeof createBench>) => store.facts.set("a", "1");

test("a lock that another program keeps is told in one line with what to do, and the owners are told when it is over", async () => {
  const bench = createBench();
  const { store, other, clock, lines, events, told } = bench;
  other.exec("BEGIN IMMEDIATE");
  for (let n = 0; n < 3; n += 1) expect(() => write(bench)).toThrow("locked");
  expect(lines).toMatchObject([
    {
      level: "error",
      event: "store.unwritable",
      code: "SQLITE_BUSY",
      msg: expect.stringMatching(/^nothing can be put on record, so nothing is done: .* end that program/),
    },
  ]);
  expect(told).toEqual([]);
  clock.turn(300_000);
  other.exec("ROLLBACK");
  await until(() => told.length > 0, "the owners are told");
  expect(told).toEqual([
    expect.stringMatching(
      /^From .* to .* I could put nothing on record, because another program kept my database locked\./,
    ),
  ]);
  expect(events()).toEqual(["store.unwritable", "store.writable"]);
  expect(JSON.parse(store.facts.get("store.trouble") ?? "")).toMatchObject({ code: "SQLITE_BUSY" });

  other.exec("BEGIN IMMEDIATE");
  expect(() => write(bench)).toThrow("locked");
  other.exec("ROLLBACK");
  await until(() => events().length === 4, "it is over");
  expect(events().slice(2)).toEqual(["store.unwritable", "store.writable"]);
  expect(told).toHaveLength(1); // owners hear of what comes and goes no more than once in ten minutes
});

test("only the first write waits for another program's; the event loop does not sit through each that follows", () => {
  const bench = createBench();
  const { other } = bench;
  const timed = (): number => {
    const start = performance.now();
    expect(() => write(bench)).toThrow("locked");
    return performance.now() - start;
  };
  other.exec("BEGIN IMMEDIATE");
  expect(timed()).toBeGreaterThan(4_000);
  expect(timed()).toBeLessThan(4_000);
  other.exec("ROLLBACK");
  write(bench);
  other.exec("BEGIN IMMEDIATE");
  expect(timed()).toBeGreaterThan(4_000);
  other.exec("ROLLBACK");
});

test("a database that may grow no further is told as a full disk, and nothing of the act is left", () => {
  const db = openDatabase(join(tempDir(), "a.db"));
  onTestFinished(() => void db.close());
  const troubles: StoreTrouble[] = [];
  const { transaction, change } = createTransactions(db, {
    onFault: () => undefined,
    reach: () => undefined,
    onTrouble: (trouble) => troubles.push(trouble),
  });
  const facts = createFacts(db, change);
  db.pragma(`max_page_count = ${String(db.pragma("page_count", { simple: true }))}`);
  expect(() =>
    transaction(() => {
      facts.set("b", "1");
      facts.set("a", "x".repeat(1_000_000));
    }),
  ).toThrow("full");
  expect(facts.get("b")).toBeNull();
  expect(troubles).toEqual([
    {
      kind: "full",
      code: "SQLITE_FULL",
      mend: "the disk that holds SALLYPORT_HOME is full: make room on it",
    },
  ]);
  db.pragma("max_page_count = 1000000");
  transaction(() => facts.set("b", "2"));
  expect(facts.get("b")).toBe("2");
});
