import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { verifyChain } from "../../src/domain/audit-chain.ts";
import { PRIORITY } from "../../src/domain/outbox.ts";
import { copyDatabase } from "../../src/store/copy.ts";
import { homePaths } from "../../src/store/home.ts";
import { lockHome } from "../../src/store/lock.ts";
import { MIGRATIONS } from "../../src/store/migrations.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { launch } from "../support/daemon.ts";
import { tempDir } from "../support/temp.ts";

const EVENT = { type: "command.run", name: "help" } as const;
const SECRET = "0000-SWORDFISH";

/** A home folder with a database that holds some rows. */
function createHome(rows = 3) {
  const home = tempDir("sp-");
  const { database, backups } = homePaths(home);
  const store = openStore(database, Date.now);
  onTestFinished(() => store[Symbol.dispose]());
  for (let row = 0; row < rows; row += 1) append(store);
  return { home, database, backups, store };
}

function append(store: Store): void {
  store.audit.append({ at: Date.now(), risk: "low", userId: 7, conversation: null, event: EVENT });
}

function say(store: Store, text: string): number {
  const act = {
    kind: "send",
    body: { text, entities: [], buttons: [] },
    replyTo: null,
    isSilent: false,
  } as const;
  const conversation = { chatId: 7, threadId: null };
  return store.outbox.put({ conversation, act, priority: PRIORITY.notice, finalOf: null });
}

/** Runs the program with this home; gives its exit code and what it said. */
async function sallyport(home: string, ...args: readonly string[]) {
  const life = launch(args, { PATH: process.env.PATH ?? "", HOME: tempDir("sp-"), SALLYPORT_HOME: home });
  const { code } = await life.exited;
  return { code, output: life.output() };
}

/** What a program that knows nothing of the store reads in a database. */
function query(path: string, sql: string): unknown[] {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare(sql).pluck().all();
  } finally {
    db.close();
  }
}

const auditTypes = (path: string) => query(path, "SELECT type FROM audit ORDER BY id");
const modeOf = (path: string): number => statSync(path).mode & 0o777;

test("a backup is made while the database is in use: whole, readable by its owner alone, and named by the time", async () => {
  const { home, database, backups, store } = createHome();
  const before = process.umask(0o000);
  onTestFinished(() => void process.umask(before));
  const writing = setInterval(() => append(store), 5);
  const { code, output } = await sallyport(home, "backup");
  clearInterval(writing);
  expect({ code, output }).toEqual({
    code: 0,
    output: expect.stringMatching(/^Backed up to .*: \d+ bytes, verified\n$/),
  });
  const [name = "", ...more] = readdirSync(backups);
  expect(more).toEqual([]);
  expect(name).toMatch(/^sallyport-\d{8}T\d{6}Z\.db$/);
  const made = join(backups, name);
  expect([backups, made].map(modeOf)).toEqual([0o700, 0o600]);
  const copied = auditTypes(made).length;
  expect(copied).toBeGreaterThanOrEqual(3);
  expect(copied).toBeLessThanOrEqual(auditTypes(database).length);
  expect(verifyChain(store.audit.rows()).kind).toBe("ok");
});

test("a backup is made of a database that no daemon has open, and to a place of one's own choice, but never over a file", async () => {
  const { home, store } = createHome();
  store[Symbol.dispose]();
  const file = join(tempDir(), "it's mine.db");
  for (const left of [".compact", ".compact-journal", ".partial"])
    writeFileSync(file + left, "of a try that was cut off");
  expect((await sallyport(home, "backup", file)).code).toBe(0);
  expect(auditTypes(file)).toHaveLength(3);
  expect(readdirSync(dirname(file))).toEqual([basename(file)]);
  const bytes = readFileSync(file);
  expect(await sallyport(home, "backup", file)).toEqual({
    code: 1,
    output: `${file} is there already: choose another name\n`,
  });
  expect(readFileSync(file)).toEqual(bytes);
  expect(await sallyport(join(home, "nowhere"), "backup", `${file}.2`)).toMatchObject({
    code: 1,
    output: expect.stringContaining("There is no database at"),
  });
});

test("a copy that somebody makes is on record, whatever the schema; one that cannot be put there is not kept", async () => {
  const { home, database, store } = createHome();
  store[Symbol.dispose]();
  const raw = new Database(database);
  onTestFinished(() => void raw.close());
  raw.pragma(`user_version = ${MIGRATIONS.length - 1}`); // as before an update
  const folder = tempDir();
  const file = join(folder, "copy.db");
  expect((await sallyport(home, "backup", file)).code).toBe(0);
  expect(query(database, "SELECT data FROM audit WHERE type = 'database.copied'")).toEqual([
    JSON.stringify({ file }),
  ]);
  expect(await sallyport(home, "audit", "verify")).toMatchObject({ code: 0 });
  expect((await sallyport(home, "backup")).code).toBe(0);
  raw.exec("BEGIN IMMEDIATE");
  expect(await sallyport(home, "backup", join(folder, "locked.db"))).toEqual({
    code: 1,
    output: expect.stringContaining("database is locked. Nothing was done: another program"),
  });
  raw.exec("ROLLBACK");
  expect(auditTypes(database)).toHaveLength(5);
  expect(readdirSync(folder)).toEqual(["copy.db"]);
});

test("H20 H35: a backup holds nothing that was deleted, and no free page", () => {
  const { database, backups, store } = createHome();
  mkdirSync(backups);
  const plain = new Database(database);
  plain.pragma("secure_delete = OFF");
  for (let row = 0; row < 50; row += 1) say(store, SECRET.repeat(1_000));
  plain.exec("DELETE FROM outbox");
  plain.pragma("wal_checkpoint(TRUNCATE)");
  plain.close();
  expect(readFileSync(database, "latin1")).toContain(SECRET);
  const made = join(backups, "b.db");
  copyDatabase(database, made);
  expect(readFileSync(made, "latin1")).not.toContain(SECRET);
  expect(query(made, "PRAGMA freelist_count")).toEqual([0]);
  expect(statSync(made).size).toBeLessThan(statSync(database).size / 2);
});

test.each([
  [
    "its audit is broken at row 2: changed",
    "DROP TRIGGER audit_is_append_only_update; UPDATE audit SET risk = 'high' WHERE id = 2",
  ],
  [
    "its audit is broken at row 2: missing",
    "DROP TRIGGER audit_is_append_only_delete; DELETE FROM audit WHERE id = 2",
  ],
  [
    "its audit is broken at row 2: untold",
    "UPDATE audit_anchor SET id = 2, hash = (SELECT hash FROM audit WHERE id = 2)",
  ],
  [
    "a row of costs refers to nothing",
    "PRAGMA foreign_keys = OFF; INSERT INTO costs VALUES (99, 7, 1, 'cli', 1)",
  ],
  ["no such table: audit", "DROP TABLE audit"],
] as const)("a backup that would not be sound is none: %s", (fault, sql) => {
  const { database, backups, store } = createHome();
  store[Symbol.dispose]();
  mkdirSync(backups);
  const plain = new Database(database);
  plain.exec(sql);
  plain.close();
  expect(() => copyDatabase(database, join(backups, "b.db"))).toThrow(
    expect.objectContaining({
      code: "store_failed",
      message: `No sound copy can be made of ${database}: ${fault}`,
    }),
  );
  expect(readdirSync(backups)).toEqual([]);
});

test("restore puts the backup in place, keeps what it replaced whole, and is put on record", async () => {
  const { home, database, store } = createHome();
  const backup = join(tempDir(), "b.db");
  copyDatabase(database, backup);
  chmodSync(backup, 0o644);
  append(store);
  say(store, "newer than the backup"); // it stands in the write-ahead log alone
  const copied = readFileSync(database);
  const log = readFileSync(`${database}-wal`);
  store[Symbol.dispose]();
  writeFileSync(database, copied); // as a daemon leaves it that was killed
  writeFileSync(`${database}-wal`, log);
  writeFileSync(`${database}.restoring`, "a try that was cut off");

  const { code, output } = await sallyport(home, "restore", backup);
  const [kept = ""] = /\S+\.replaced-\S+/.exec(output) ?? [];
  expect({ code, output }).toEqual({
    code: 0,
    output: `Restored from ${backup}\nWhat it replaced is kept as ${kept}\n`,
  });
  expect(kept).toMatch(/\/sallyport\.db\.replaced-\d{8}T\d{6}Z$/);
  expect([database, kept].map((path) => existsSync(`${path}-wal`))).toEqual([false, false]);
  expect(auditTypes(database)).toEqual(["command.run", "command.run", "command.run", "database.restored"]);
  expect(query(database, "SELECT count(*) FROM outbox")).toEqual([0]);
  expect(query(kept, "SELECT count(*) FROM outbox")).toEqual([1]);
  expect(auditTypes(kept)).toHaveLength(4);
  expect([database, kept].map(modeOf)).toEqual([0o600, 0o600]);
  expect(readdirSync(home).filter((name) => name.includes("restoring"))).toEqual([]);
  expect(await sallyport(home, "audit", "verify")).toMatchObject({ code: 0 });
  expect(auditTypes(backup)).toHaveLength(3);
});

test("H82: restore is refused while a daemon runs, and changes nothing", async () => {
  const { home, database, store } = createHome();
  const backup = join(tempDir(), "b.db");
  copyDatabase(database, backup);
  append(store);
  using _daemon = lockHome(home);
  const { code, output } = await sallyport(home, "restore", backup);
  expect({ code, output }).toEqual({
    code: 75,
    output: expect.stringContaining("Another sallyport runs with"),
  });
  expect(auditTypes(database)).toHaveLength(4);
});

test("restore takes nothing that is no sound backup, and leaves what is there", async () => {
  const { home, database, store } = createHome();
  const folder = tempDir();
  const backup = join(folder, "b.db");
  copyDatabase(database, backup);
  const at = (name: string, bytes: Buffer | string): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const whole = readFileSync(backup);
  const newer = at("newer.db", whole);
  const raw = new Database(newer);
  raw.pragma(`user_version = ${MIGRATIONS.length + 1}`);
  raw.close();
  append(store);
  const ends = [];
  for (const file of [
    join(folder, "none.db"),
    at("text.db", "no database"),
    at("half.db", whole.subarray(0, whole.length / 2)),
    newer,
  ])
    ends.push(await sallyport(home, "restore", file));
  expect(ends).toEqual(
    [
      "There is no backup at",
      "text.db: file is not a database",
      "No sound copy can be made of",
      "start the newer version",
    ].map((why) => ({ code: 1, output: expect.stringContaining(why) })),
  );
  expect(auditTypes(database)).toHaveLength(4);
  expect(readdirSync(home).filter((name) => /restoring|replaced/.test(name))).toEqual([]);
});

test("restore makes a home where there was none, and replaces a database that is beyond reading", async () => {
  const { database } = createHome();
  const backup = join(tempDir(), "b.db");
  copyDatabase(database, backup);
  const home = join(tempDir("sp-"), "new");
  expect(await sallyport(home, "restore", backup)).toEqual({ code: 0, output: `Restored from ${backup}\n` });
  const there = homePaths(home).database;
  expect(auditTypes(there).at(-1)).toBe("database.restored");

  writeFileSync(there, "rubbish".repeat(1_000));
  const { code, output } = await sallyport(home, "restore", backup);
  expect(code).toBe(0);
  const [kept = ""] = /\S+\.replaced-\S+/.exec(output) ?? [];
  expect(readFileSync(kept, "utf8")).toBe("rubbish".repeat(1_000));
  expect(auditTypes(there)).toHaveLength(4);

  rmSync(there);
  writeFileSync(`${there}-wal`, "the log of a database that is gone");
  expect(await sallyport(home, "restore", backup)).toEqual({ code: 0, output: `Restored from ${backup}\n` });
  expect(existsSync(`${there}-wal`)).toBe(false);
  expect(auditTypes(there)).toHaveLength(4);
});

test("a backup of before the newest schema is brought up to date as it is restored", async () => {
  const { home, database, store } = createHome();
  store[Symbol.dispose]();
  const before = MIGRATIONS.findIndex((sql) => sql.includes("audit_anchor"));
  const backup = join(tempDir(), "old.db");
  const old = new Database(backup);
  for (const sql of MIGRATIONS.slice(0, before)) old.exec(sql);
  old.pragma(`user_version = ${before}`);
  old.close();
  expect((await sallyport(home, "restore", backup)).code).toBe(0);
  expect(query(database, "PRAGMA user_version")).toEqual([MIGRATIONS.length]);
  expect(auditTypes(database)).toEqual(["database.restored"]);
});
