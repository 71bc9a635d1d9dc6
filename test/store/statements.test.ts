import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test, vi } from "vitest";
import { openStore } from "../../src/store/store.ts";
import { testClock } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";

/** Tables that hold one row, or one a person, chat, key or name. */
const BOUNDED = [
  "conversations",
  "chats",
  "buckets",
  "facts",
  "costs_before",
  "audit_anchor",
  "baselines",
  "upload_folders",
];

/** Partial indexes that hold only what is under way; they may be read through. */
const OPEN_ROWS = [
  "inbox_unfinished",
  "work_queued",
  "work_active",
  "work_unfinished",
  "approvals_asked",
  "outbox_open",
  "quarantine_open",
  "invites_open",
  "logins_current",
];

/** Growing tables that a statement reads through all the same, by what it begins with, and why that is right. */
const ALLOWED = [
  // Backwards by the row's id, and the first is enough.
  "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1",
];

/** What a whole table or index is read through for: its name, and the index if there is one. */
const SCAN = /^SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?/;

/** The SQL of every statement that a store prepares, each with the lines of its plan. */
function preparedPlans() {
  const spy = vi.spyOn(Database.prototype, "prepare"); // it calls through
  const path = join(tempDir(), "a.db");
  openStore(path, testClock())[Symbol.dispose]();
  const statements = new Set(spy.mock.calls.map(([sql]) => sql));
  spy.mockRestore();

  const db = new Database(path);
  onTestFinished(() => void db.close());
  const plans = [...statements].map((sql) => {
    const lines = db.prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`);
    const names = [...sql.matchAll(/[@:](\w+)/g)].map(([, name = ""]) => [name, 1]);
    const bound = names.length > 0 ? [Object.fromEntries(names)] : [...sql.matchAll(/\?/g)].map(() => 1);
    return { sql: sql.replaceAll(/\s+/g, " ").trim(), plan: lines.all(...bound).map(({ detail }) => detail) };
  });
  return plans;
}

test("no statement of the daemon reads through a table that grows, or sorts what may be much", () => {
  const plans = preparedPlans();
  expect(plans.length).toBeGreaterThan(70);
  const scans = plans.flatMap(({ sql, plan }) =>
    plan.flatMap((line) => {
      const [, table = "", index = ""] = SCAN.exec(line) ?? [];
      const isSmall =
        table === "" || BOUNDED.includes(table) || ["json_each", "CONSTANT", "sqlite_schema"].includes(table);
      return isSmall || OPEN_ROWS.includes(index) || ALLOWED.some((begin) => sql.startsWith(begin))
        ? []
        : [`${line}: ${sql}`];
    }),
  );
  expect(scans).toEqual([]);
  const sorted = plans.filter(({ plan }) => plan.some((line) => line.includes("TEMP B-TREE FOR ORDER BY")));
  expect(sorted.map(({ sql }) => sql)).toEqual([]);
});

test("what refers to a row that is deleted is found by an index as well", () => {
  const plans = preparedPlans();
  const deletion = plans.find(({ sql }) => sql.startsWith("DELETE FROM work "));
  const checked = deletion?.plan.filter((line) => /^SEARCH (api_usage|costs|outbox|approvals) /.test(line));
  expect(checked).toHaveLength(4);
});
