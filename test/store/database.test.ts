import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { AppError } from "../../src/domain/errors.ts";
import { openDatabase } from "../../src/store/database.ts";
import { prepareHome } from "../../src/store/home.ts";
import { lockHome } from "../../src/store/lock.ts";
import { MIGRATIONS } from "../../src/store/migrations.ts";
import { openStore } from "../../src/store/store.ts";
import { createTransactions } from "../../src/store/transactions.ts";
import { testStore } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";

const modeOf = (path: string): number => statSync(path).mode & 0o777;

test("H20: the home folder is 0700 and the database with its side files 0600, whatever the umask says", () => {
  const before = process.umask(0o000);
  onTestFinished(() => void process.umask(before));
  const home = join(tempDir(), "home");
  const paths = prepareHome(home);
  const db = openDatabase(paths.database);
  onTestFinished(() => void db.close());
  expect(modeOf(home)).toBe(0o700);
  expect([paths.run, paths.jail, paths.claude, paths.backups].map(modeOf)).toEqual([
    0o700, 0o700, 0o700, 0o700,
  ]);
  expect([paths.database, `${paths.database}-wal`, `${paths.database}-shm`].map(modeOf)).toEqual([
    0o600, 0o600, 0o600,
  ]);
});

test("a database is durable: write-ahead log, every commit synced, foreign keys held", () => {
  const db = openDatabase(join(tempDir(), "a.db"));
  onTestFinished(() => void db.close());
  expect(db.pragma("journal_mode", { simple: true })).toBe("wal");
  expect(db.pragma("synchronous", { simple: true })).toBe(2);
  expect(db.pragma("foreign_keys", { simple: true })).toBe(1);
  expect(db.pragma("user_version", { simple: true })).toBe(MIGRATIONS.length);
});

test("a database of a newer version is refused with what to do, and left alone", () => {
  const path = join(tempDir(), "a.db");
  const db = new Database(path);
  db.pragma("user_version = 999");
  db.close();
  expect(() => openDatabase(path)).toThrow(/schema 999.*start the newer version/);
});

test("a file that is no database is refused as store_failed", () => {
  const path = join(tempDir(), "a.db");
  writeFileSync(path, "this is not a database, whatever its name says ".repeat(100));
  expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code: "store_failed" }));
});

test("a transaction that throws writes nothing and runs nothing that waited for the commit", () => {
  const store = testStore();
  const ran: string[] = [];
  expect(() =>
    store.transaction(() => {
      store.conversations.at({ chatId: 1, threadId: null });
      store.afterCommit(() => ran.push("lost"));
      throw new Error("no");
    }),
  ).toThrow("no");
  store.transaction(() => store.afterCommit(() => ran.push("kept")));
  expect(store.conversations.get(1)).toBeNull();
  expect(ran).toEqual(["kept"]);
});

test("what follows a commit cannot undo it: its fault is reported and the others still follow", () => {
  const faults: unknown[] = [];
  using store = openStore(join(tempDir(), "a.db"), Date.now, { onFault: (error) => faults.push(error) });
  const ran: string[] = [];
  store.transaction(() => {
    store.conversations.at({ chatId: 1, threadId: null });
    store.afterCommit(() => {
      throw new Error("late");
    });
    store.afterCommit(() => ran.push("kept"));
  });
  expect(faults).toEqual([new Error("late")]);
  expect(ran).toEqual(["kept"]);
  expect(store.conversations.get(1)).not.toBeNull();
});

test("what a savepoint that was rolled back wanted after the commit is dropped with it", () => {
  const store = testStore();
  const ran: string[] = [];
  store.transaction(() => {
    try {
      store.transaction(() => {
        store.afterCommit(() => ran.push("lost"));
        throw new Error("inner");
      });
    } catch {
      store.afterCommit(() => ran.push("kept"));
    }
  });
  expect(ran).toEqual(["kept"]);
});

test("the queries of every message go by an index, however long the tables grow", () => {
  const db = openDatabase(join(tempDir(), "a.db"));
  onTestFinished(() => void db.close());
  const plans = [
    "SELECT * FROM work WHERE conversation_id = 1 AND state = 'queued' ORDER BY position, work.id",
    "SELECT * FROM work WHERE conversation_id = 1 AND state IN ('preparing', 'running', 'waiting')",
    "SELECT * FROM approvals WHERE state = 'asked' ORDER BY id",
    "SELECT sum(cost_micro_usd) FROM costs WHERE user_id = 1 AND settled_at >= 2",
    "SELECT sum(cost_micro_usd) FROM api_usage WHERE work_id = 1",
  ].map((sql) =>
    db
      .prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => detail),
  );
  expect(plans.flat().join("\n")).not.toMatch(/TEMP B-TREE|work_message/);
  expect(plans.every(([detail = ""]) => detail.includes("INDEX"))).toBe(true);
});

test("H82: a second daemon on one home is refused, and gets in once the first has gone", () => {
  const home = tempDir();
  const first = lockHome(home);
  expect(() => lockHome(home)).toThrow(expect.objectContaining({ code: "already_running" }));
  first[Symbol.dispose]();
  lockHome(home)[Symbol.dispose]();
});

test("H44: a daemon killed with SIGKILL leaves no lock behind", async () => {
  const home = tempDir();
  const child = spawn(process.execPath, [join(import.meta.dirname, "lock-holder.fixture.ts"), home], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  expect(() => lockHome(home)).toThrow(AppError);
  child.kill("SIGKILL");
  await once(child, "exit");
  lockHome(home)[Symbol.dispose]();
});

test("each transition is reached once before the commit that makes it last and once after it, and one of no row not at all", () => {
  const path = join(tempDir(), "a.db");
  const outside = (): unknown => {
    const reader = new Database(path, { readonly: true });
    const count = reader.prepare("SELECT count(*) FROM conversations").pluck().get();
    reader.close();
    return count;
  };
  const reached: [string, unknown][] = [];
  using store = openStore(path, Date.now, { reach: (point) => reached.push([point, outside()]) });
  const order: string[] = [];
  store.transaction(() => {
    store.conversations.at({ chatId: 1, threadId: null });
    store.conversations.at({ chatId: 2, threadId: null });
    store.facts.set("a", "1");
    store.afterCommit(() => order.push(`followed after ${reached.length}`));
  });
  store.facts.delete("never there");
  store.facts.delete("a");
  expect(reached).toEqual([
    ["conversation.made:before", 0],
    ["fact.set:before", 0],
    ["conversation.made:after", 2],
    ["fact.set:after", 2],
    ["fact.set:before", 2],
    ["fact.set:after", 2],
  ]);
  expect(order).toEqual(["followed after 4"]);
});

test("what was rolled back, whole or to a savepoint, is no transition", () => {
  const reached: string[] = [];
  using store = openStore(join(tempDir(), "a.db"), Date.now, { reach: (point) => reached.push(point) });
  const fail = (): never => {
    throw new Error("no");
  };
  expect(() =>
    store.transaction(() => {
      store.facts.set("a", "1");
      fail();
    }),
  ).toThrow("no");
  store.transaction(() => {
    expect(() =>
      store.transaction(() => {
        store.facts.set("a", "1");
        fail();
      }),
    ).toThrow("no");
    store.conversations.at({ chatId: 1, threadId: null });
  });
  expect(reached).toEqual(["conversation.made:before", "conversation.made:after"]);
  expect(store.facts.get("a")).toBeNull();
});

test("what is written lightly is there for every reader, rolled back when it fails, and leaves the next write to the disk", () => {
  const path = join(tempDir(), "a.db");
  const reached: string[] = [];
  using store = openStore(path, Date.now, { reach: (point) => reached.push(point) });
  store.lightly(() => store.facts.set("a", "1"));
  const reader = new Database(path, { readonly: true });
  expect(reader.prepare("SELECT value FROM facts").pluck().all()).toEqual(["1"]);
  reader.close();
  expect(reached).toEqual(["fact.set:before", "fact.set:after"]);
  expect(() =>
    store.lightly(() => {
      store.facts.set("a", "2");
      throw new Error("no");
    }),
  ).toThrow("no");
  expect(store.facts.get("a")).toBe("1");
  store.transaction(() => store.lightly(() => store.facts.set("a", "3")));
  expect(store.facts.get("a")).toBe("3");
});

test("only what is written lightly does not wait for the disk, and a flush makes up for it once", () => {
  const db = openDatabase(join(tempDir(), "a.db"));
  const seen: string[] = [];
  const look = (what: string): void =>
    void seen.push(`${what} ${String(db.pragma("synchronous", { simple: true }))}`);
  const { transaction, lightly, flush, change, afterCommit } = createTransactions(db, {
    onFault: () => undefined,
    reach: (point) => look(point),
  });
  const write = (what: string) => (): void => {
    look(what);
    change("fact.set", () => db.prepare("INSERT OR REPLACE INTO facts VALUES ('a', ?)").run(what));
    afterCommit(() => look("followed"));
  };
  flush();
  transaction(write("waits"));
  flush();
  expect(seen.splice(0)).toEqual(["waits 2", "fact.set:before 2", "fact.set:after 2", "followed 2"]);

  lightly(write("light"));
  expect(seen.splice(0)).toEqual(["light 1", "fact.set:before 1", "fact.set:after 2", "followed 2"]);
  flush();
  flush();
  expect(seen.splice(0)).toEqual(["store.flushed:before 2", "store.flushed:after 2"]);

  lightly(write("light"));
  transaction(write("waits for both"));
  seen.length = 0;
  flush();
  expect(() =>
    lightly(() => {
      throw new Error("no");
    }),
  ).toThrow("no");
  flush();
  look("at last");
  db.close();
  expect(seen).toEqual(["at last 2"]);
});
