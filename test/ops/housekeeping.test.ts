import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { verifyChain } from "../../src/domain/audit-chain.ts";
import { PRIORITY } from "../../src/domain/outbox.ts";
import { createLogger } from "../../src/log/logger.ts";
import { forgetOld } from "../../src/ops/forget.ts";
import { startHousekeeping } from "../../src/ops/housekeeping.ts";
import { createAudit } from "../../src/security/audit.ts";
import { prepareHome } from "../../src/store/home.ts";
import { openStore } from "../../src/store/store.ts";
import { testClock } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";

const DAY = 86_400_000;
const RETENTION = { contentMs: 30 * DAY, auditMs: 365 * DAY };
const NOBODY = { userId: null, conversation: null };

/** A home with a store, an audit with its clock, and housekeeping that looks as often as the test can bear. */
function createWorld() {
  const home = join(tempDir("sp-"), "home");
  const { database, backups } = prepareHome(home);
  const clock = testClock();
  const store = openStore(database, clock);
  onTestFinished(() => store[Symbol.dispose]());
  let output = "";
  const log = createLogger({
    level: "info",
    format: "json",
    secretValues: [],
    destination: { write: (text) => (output += text) },
  });
  const { append } = store.audit;
  const { record } = createAudit({
    append,
    afterCommit: store.afterCommit,
    redactText: (text) => text,
    log,
    now: clock,
  });
  const told: string[] = [];
  const heads: string[] = [];
  const hasOwner = { now: true };
  /** The clock that nobody sets; goes with the other one while null. */
  const steady: { ms: number | null } = { ms: null };

  const start = (againMs = 3_600_000) => {
    const config = { home, retention: RETENTION };
    const tellOwners = (text: string): number => (hasOwner.now ? told.push(text) && 1 : 0);
    const keeping = startHousekeeping({
      store,
      config,
      credentials: ["TELEGRAM_BOT_TOKEN"],
      record,
      tellOwners,
      tellHead: (head) => (hasOwner.now ? heads.push(head) && 1 : 0),
      now: clock,
      tick: () => steady.ms ?? clock(),
      log,
      lookEveryMs: 10,
      againMs,
    });
    onTestFinished(async () => keeping[Symbol.asyncDispose]());
    return keeping;
  };
  const events = (name: string): number => output.split(`"event":"${name}"`).length - 1;
  const made = (): readonly string[] => readdirSync(backups).toSorted();
  const forget = () =>
    forgetOld(
      { store, times: RETENTION, record: (event) => record(event, NOBODY), now: clock },
      new AbortController().signal,
    );
  const note = (name = "help"): void =>
    record({ type: "command.run", name }, { userId: 7, conversation: null });
  const verdict = (expectedHead?: { id: number; hash: string }) => {
    const after = store.audit.anchor();
    return verifyChain(store.audit.rows(), expectedHead ? { after, expectedHead } : { after });
  };
  return {
    home,
    database,
    backups,
    clock,
    store,
    told,
    heads,
    hasOwner,
    steady,
    start,
    events,
    made,
    forget,
    note,
    verdict,
    output: () => output,
  };
}

test("the audit loses its beginning when it is too old, says so, and holds from there on", async () => {
  const { clock, store, forget, note, verdict } = createWorld();
  for (let row = 0; row < 5; row += 1) note();
  const early = store.audit.head();
  clock.turn(200 * DAY);
  for (let row = 0; row < 5; row += 1) note();
  clock.turn(165 * DAY);
  expect(await forget()).toBe(0);
  clock.turn(1);
  expect(await forget()).toBe(5);
  expect(store.audit.anchor()).toEqual(early);
  expect([...store.audit.rows()].map(({ id, type }) => [id, type])).toEqual([
    ...[6, 7, 8, 9, 10].map((id) => [id, "command.run"]),
    [11, "audit.trimmed"],
  ]);
  expect(verdict()).toMatchObject({ kind: "ok", count: 6 });
  expect(verdict(early).kind).toBe("ok");
  expect(await forget()).toBe(0);
  clock.turn(200 * DAY);
  expect(await forget()).toBe(5);
  expect([...store.audit.rows()].map(({ type }) => type)).toEqual(["audit.trimmed", "audit.trimmed"]);
  expect(verdict()).toMatchObject({ kind: "ok", count: 2 });
  expect(verdict(early)).toMatchObject({ kind: "older" });
});

test("once a day the owners get the head of the audit, where it is a new one, and it stays part of the chain", async () => {
  const { clock, store, heads, hasOwner, note, start, events, verdict } = createWorld();
  note();
  hasOwner.now = false;
  {
    await using _keeping = start();
    await until(() => events("backup.done") === 1, "a day on which no owner was logged in");
  }
  hasOwner.now = true;
  clock.turn(DAY);
  start();
  await until(() => heads.length === 1, "the head of the first day");
  const [first = ""] = heads;
  const [id, hash = ""] = first.split(":");
  expect({ id: Number(id), hash }).toEqual(store.audit.head());
  note();
  clock.turn(DAY - 1);
  const backups = events("backup.done");
  clock.turn(1);
  await until(() => heads.length === 2, "the head of the second day");
  expect(heads[1]).toBe(`2:${store.audit.head().hash}`);
  clock.turn(DAY);
  await until(() => events("backup.done") > backups + 1, "a third day on which nothing was put on record");
  expect(heads).toHaveLength(2);
  expect(verdict({ id: Number(id), hash }).kind).toBe("ok");
});

test("two years of rows lose their first year in slices, and both the chain and a head of the second year hold", async () => {
  const { clock, store, forget, verdict } = createWorld();
  const event = { type: "command.run", name: "help" } as const;
  let middle = store.audit.head();
  for (let day = 0; day < 730; day += 1) {
    store.lightly(() => {
      for (let row = 0; row < 30; row += 1)
        store.audit.append({ at: clock(), risk: "low", userId: 7, conversation: null, event });
    });
    if (day === 500) middle = store.audit.head();
    clock.turn(DAY);
  }
  expect(verdict()).toMatchObject({ kind: "ok", count: 730 * 30 });
  expect(await forget()).toBe(365 * 30);
  expect(verdict()).toMatchObject({ kind: "ok", count: 365 * 30 + 1 });
  expect(verdict(middle).kind).toBe("ok");
  expect(store.audit.anchor().id).toBe(365 * 30);
});

test("a row with a time of its own, from a clock that was set wrong, keeps what comes after it until its day", async () => {
  const { clock, store, forget, note, verdict } = createWorld();
  note();
  clock.turn(100 * DAY);
  note("from the future");
  clock.turn(-100 * DAY);
  note();
  clock.turn(400 * DAY);
  await forget();
  expect([...store.audit.rows()].map(({ id }) => id)).toEqual([2, 3, 4]);
  expect(verdict().kind).toBe("ok");
});

test("one row of the future keeps nothing that is too old", async () => {
  const { clock, store, forget, note, verdict } = createWorld();
  note();
  clock.turn(3_650 * DAY);
  note("of the future");
  clock.turn(-3_650 * DAY);
  for (let row = 0; row < 5; row += 1) note();
  clock.turn(800 * DAY);
  note("of today");
  expect(await forget()).toBe(7);
  expect([...store.audit.rows()].map(({ id, type }) => [id, type])).toEqual([
    [8, "command.run"],
    [9, "audit.trimmed"],
  ]);
  expect(verdict().kind).toBe("ok");
});

test("by a clock that went back for good nothing is forgotten that is not old", async () => {
  const { clock, store, forget, note, verdict } = createWorld();
  for (let row = 0; row < 5; row += 1) note();
  clock.turn(-6 * 366 * DAY);
  expect(await forget()).toBe(0);
  note("by the clock that went back");
  expect(await forget()).toBe(0);
  expect([...store.audit.rows()]).toHaveLength(6);
  expect(verdict().kind).toBe("ok");
});

test("by a clock that jumps a year ahead nothing is forgotten, the owners are told, and once it is right again all goes on", async () => {
  const { clock, store, steady, told, note, start, events } = createWorld();
  for (let row = 0; row < 50; row += 1) note();
  steady.ms = 0;
  start();
  await until(() => events("retention.done") === 1 && events("backup.done") === 1, "the first day");
  clock.turn(366 * DAY);
  await until(() => events("backup.done") === 2, "a backup, which forgets nothing");
  expect(told).toEqual([expect.stringMatching(/^This machine's clock has jumped forward by 366 days/)]);
  steady.ms = DAY - 1;
  clock.turn(-365 * DAY);
  await until(() => events("retention.done") === 2, "what was due a day after the first");
  expect([...store.audit.rows()]).toHaveLength(50);
  clock.turn(366 * DAY);
  await until(() => told.length === 2, "it jumps once more");
  expect(events("retention.done")).toBe(2);
  steady.ms = 2 * DAY; // and has kept to the new time for a day
  await until(() => events("retention.done") === 3, "it is believed");
  expect([...store.audit.rows()].map(({ type }) => type)).toEqual(["audit.trimmed"]);
});

test("what was freed goes back to the disk", async () => {
  const { database, clock, store, forget } = createWorld();
  const body = { text: "x".repeat(20_000), entities: [], buttons: [] };
  const act = { kind: "send", body, replyTo: null, isSilent: false } as const;
  const conversation = { chatId: 7, threadId: null };
  store.transaction(() => {
    for (let row = 0; row < 100; row += 1)
      store.outbox.sent(
        store.outbox.put({ conversation, act, priority: PRIORITY.notice, finalOf: null }),
        row,
      );
  });
  clock.turn(31 * DAY);
  expect(await forget()).toBe(100);
  const db = new Database(database, { readonly: true });
  onTestFinished(() => void db.close());
  expect(db.pragma("freelist_count", { simple: true })).toBe(0);
  expect(db.pragma("page_count", { simple: true })).toBeLessThan(100);
});

test("a run that was cut off after the anchor had moved is finished by the next, and the chain holds meanwhile", async () => {
  const { clock, store, forget, note, verdict } = createWorld();
  store.transaction(() => {
    for (let row = 0; row < 2_500; row += 1) note();
  });
  clock.turn(366 * DAY);
  const stop = new AbortController();
  const cut = forgetOld(
    {
      store,
      times: RETENTION,
      record: (event) => {
        store.audit.append({ at: clock(), risk: "low", ...NOBODY, event });
        stop.abort();
      },
      now: clock,
    },
    stop.signal,
  );
  await expect(cut).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
  expect(store.audit.after(0, 1)[0]?.id).toBeLessThan(2_500);
  expect(verdict()).toMatchObject({ kind: "ok", count: 1 });
  expect(await forget()).toBeGreaterThan(2_000);
  expect(store.audit.after(0, 9).map(({ id }) => id)).toEqual([2_501]);
  expect(verdict()).toMatchObject({ kind: "ok", count: 1 });
});

test("housekeeping forgets and backs up once in 24 hours, by what the store says of the last time", async () => {
  const { clock, store, start, events, made } = createWorld();
  store.inbox.insert([{ updateId: 1, body: "{}" }]);
  store.inbox.finish(1);
  clock.turn(4 * DAY);
  {
    await using _keeping = start();
    await until(() => events("backup.done") === 1, "the first backup");
    expect([...store.inbox.insert([{ updateId: 1, body: "{}" }])]).toEqual([1]);
    clock.turn(DAY - 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([events("retention.done"), events("backup.done")]).toEqual([1, 1]);
  }
  await using _another = start(); // another life, with the same facts
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(events("backup.done")).toBe(1);
  clock.turn(1);
  await until(() => events("backup.done") === 2, "the second backup");
  expect(events("retention.done")).toBe(2);
  clock.turn(-400 * DAY); // a clock that was wrong for years and is right again
  await until(() => events("backup.done") === 3, "the third backup");
  expect(made()).toEqual([
    expect.stringMatching(/^sallyport-nightly-2025/),
    expect.stringMatching(/^sallyport-nightly-2026/),
    expect.stringMatching(/^sallyport-nightly-2026/),
  ]);
});

test("a backup of the night is a sound database; the newest seven are kept, and nothing but its own is removed", async () => {
  const { backups, store, clock, note, start, events, made } = createWorld();
  note();
  const nights = Array.from({ length: 9 }, (_, night) => `sallyport-nightly-2026010${night + 1}T000000Z.db`);
  const others = ["sallyport-20260101T000000Z.db", "mine.db", "sallyport-nightly-20260101T000000Z.db.mine"];
  const halves = [
    "sallyport-nightly-20260102T000000Z.db.partial",
    "sallyport-nightly-20260102T000000Z.db.compact",
    "sallyport-nightly-20260102T000000Z.db.compact-journal",
  ];
  for (const name of [...nights, ...others, ...halves]) writeFileSync(join(backups, name), "");
  await using _keeping = start();
  await until(() => events("backup.done") === 1, "a backup");
  const newest = `sallyport-nightly-${new Date(clock()).toISOString().replaceAll(/[-:]|\.\d+/g, "")}.db`;
  expect(made()).toEqual([...nights.slice(3), newest, ...others].toSorted());
  const copy = new Database(join(backups, newest), { readonly: true });
  onTestFinished(() => void copy.close());
  expect(copy.prepare("SELECT type FROM audit").pluck().all()).toEqual(["command.run"]);
  expect(store.facts.get("backup.at")).toBe(String(clock()));
});

test("owners are told once of backups that fail, until one has succeeded again", async () => {
  const { backups, database, store, told, start, events, note, output } = createWorld();
  note();
  const raw = new Database(database);
  onTestFinished(() => void raw.close());
  const tamper = (risk: string) =>
    raw.exec(
      `DROP TRIGGER IF EXISTS audit_is_append_only_update; UPDATE audit SET risk = '${risk}' WHERE id = 1`,
    );
  tamper("high");
  {
    await using _keeping = start(1);
    await until(() => events("backup.failed") >= 2, "two failures");
  }
  expect(told).toEqual([expect.stringContaining("backup of my database failed")]);
  expect(output()).toContain("its audit is broken at row 1: changed");
  expect(readdirSync(backups)).toEqual([]);
  tamper("low");
  {
    await using _keeping = start(1);
    await until(() => events("backup.done") === 1, "a backup");
  }
  tamper("high");
  store.facts.delete("backup.at");
  {
    await using _keeping = start(1);
    await until(() => told.length === 2, "another word to the owners");
  }
});

test("owners are told of credentials that are old, as a daily chore", async () => {
  const { store, clock, told, start, events } = createWorld();
  store.credentials.begin("TELEGRAM_BOT_TOKEN", "f1");
  clock.turn(89 * DAY);
  await using _keeping = start();
  await until(() => store.facts.get("credentials.at"), "the first look");
  expect(told).toEqual([]);
  clock.turn(DAY);
  await until(() => events("credentials.old") === 1, "a word to the owners");
  expect(told).toEqual([expect.stringContaining("TELEGRAM_BOT_TOKEN: 90 days")]);
});

test("what fails is tried again after a while, and keeps nothing else from being done", async () => {
  const { database, store, start, events } = createWorld();
  const reader = new Database(database, { readonly: true });
  onTestFinished(() => void reader.close());
  reader.exec("BEGIN");
  reader.prepare("SELECT count(*) FROM work").get();
  store.inbox.insert([{ updateId: 1, body: "{}" }]);
  await using _keeping = start(50);
  await until(
    () => events("retention.failed") >= 2 && events("backup.done") === 1,
    "failures beside a backup",
  );
  expect(store.facts.get("retention.at")).toBeNull();
  reader.exec("COMMIT");
  await until(() => store.facts.get("retention.at"), "the log to be emptied");
  expect(readFileSync(`${database}-wal`).length).toBeLessThan(100_000);
});

test("the end of the daemon does not wait for housekeeping: a backup under way is cut off", async () => {
  const { clock, store, start, events, made, note } = createWorld();
  store.transaction(() => {
    for (let row = 0; row < 20_000; row += 1) note("x".repeat(500));
  });
  const keeping = start();
  const whole = () => made().filter((name) => !/\.(compact|compact-journal|partial)$/.test(name));
  let days = 0;
  for (;;) {
    await until(
      () => made().length > whole().length || events("backup.done") > days,
      "the beginning of a backup",
    );
    if (events("backup.done") === days) break;
    days += 1; // a machine that stood still saw the end of it alone
    clock.turn(DAY);
  }
  await keeping[Symbol.asyncDispose]();
  expect([events("backup.done"), events("backup.failed")]).toEqual([days, 0]);
  expect(whole()).toHaveLength(days);
});
