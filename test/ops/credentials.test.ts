import { createHmac } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { readEnvironment } from "../../src/config/environment.ts";
import { loadConfig } from "../../src/config/load.ts";
import { createSecret } from "../../src/config/secret.ts";
import type { AuditEvent } from "../../src/domain/audit-event.ts";
import { readHomeKey } from "../../src/ops/home-key.ts";
import { daysBetween, noteCredentials } from "../../src/ops/note-credentials.ts";
import { recordHere } from "../../src/ops/record-here.ts";
import { remindOfCredentials } from "../../src/ops/remind-of-credentials.ts";
import { prepareHome } from "../../src/store/home.ts";
import { openStore } from "../../src/store/store.ts";
import { launch } from "../support/daemon.ts";
import { auditIn, queryDaemon } from "../support/daemon-database.ts";
import { testClock, testStore } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";

const DAY = 86_400_000;
const NAMES = ["TELEGRAM_BOT_TOKEN", "META_ACCESS_TOKEN", "GONE"];
const KEY = "a".repeat(64);

/** Starts of a daemon with these credentials, in one store with one clock. */
function createStarts() {
  const clock = testClock();
  const store = testStore(clock);
  const events: AuditEvent[] = [];
  const note = (values: Readonly<Record<string, string>>, key = KEY) => {
    const named = Object.entries(values).map(([name, value]) => ({
      name,
      value: createSecret(value),
      file: null,
    }));
    const digestsBy = (by: string) =>
      Object.fromEntries(
        Object.entries(values).map(([name, value]) => [
          name,
          createHmac("sha256", by).update(value).digest("base64url"),
        ]),
      );
    const loaded = { secrets: { named }, digestsBy };
    const names = noteCredentials({
      store,
      loaded,
      key,
      record: (event) => events.push(event),
      now: clock,
    });
    return names.map((name) => {
      const { since = 0, fingerprint = "" } = store.credentials.find(name) ?? {};
      return { since, fingerprint, ageDays: daysBetween(since, clock()) };
    });
  };
  return { clock, store, events, note };
}

describe("since when a credential is in use", () => {
  test("its age begins when its value is first seen, goes on over starts, and begins anew with another value, which is on record", () => {
    const { clock, events, note } = createStarts();
    const [first] = note({ TELEGRAM_BOT_TOKEN: "one" });
    clock.turn(40 * DAY);
    const [again, other] = note({ TELEGRAM_BOT_TOKEN: "one", ANTHROPIC_API_KEY: "two" });
    expect(again).toMatchObject({ ageDays: 40, since: first?.since, fingerprint: first?.fingerprint });
    expect(other).toMatchObject({ ageDays: 0, since: clock() });
    expect(events).toEqual([]);
    clock.turn(DAY);
    const [rotated] = note({ TELEGRAM_BOT_TOKEN: "three", ANTHROPIC_API_KEY: "two" });
    expect(rotated).toMatchObject({ ageDays: 0, since: clock() });
    expect(rotated?.fingerprint).not.toBe(first?.fingerprint);
    expect(events).toEqual([{ type: "credential.changed", name: "TELEGRAM_BOT_TOKEN", ageDays: 41 }]);
  });

  test("one that is away for a while and comes back is as old as before; a clock that was set back makes nothing younger than new", () => {
    const { clock, events, note } = createStarts();
    note({ META_ACCESS_TOKEN: "one" });
    clock.turn(10 * DAY);
    note({});
    clock.turn(10 * DAY);
    expect(note({ META_ACCESS_TOKEN: "one" })[0]?.ageDays).toBe(20);
    clock.turn(-30 * DAY);
    expect(note({ META_ACCESS_TOKEN: "one" })[0]?.ageDays).toBe(0);
    expect(events).toEqual([]);
  });

  test("when the key of the home folder was lost, ages go on and no rotation is claimed; the next one is noticed", () => {
    const { clock, events, note } = createStarts();
    note({ TELEGRAM_BOT_TOKEN: "one" });
    clock.turn(50 * DAY);
    expect(note({ TELEGRAM_BOT_TOKEN: "one" }, "b".repeat(64))[0]?.ageDays).toBe(50);
    expect(events).toEqual([]);
    note({ TELEGRAM_BOT_TOKEN: "two" }, "b".repeat(64));
    expect(events).toHaveLength(1);
  });
});

test("owners are told of credentials that are 90 days old, by name and age, once and then every 30 days", () => {
  const clock = testClock();
  const store = testStore(clock);
  const told: string[] = [];
  let isNobodyIn = false;
  const tellOwners = (text: string): number => (isNobodyIn ? 0 : told.push(text) && 1);
  store.credentials.begin("TELEGRAM_BOT_TOKEN", "f1");
  store.credentials.begin("NO_LONGER_SET", "f2");
  clock.turn(10 * DAY);
  store.credentials.begin("META_ACCESS_TOKEN", "f3");
  /** What is said in as many days, a look each. */
  const days = (count: number): readonly string[] => {
    const before = told.length;
    for (let day = 0; day < count; day += 1) {
      clock.turn(DAY);
      remindOfCredentials({ store, names: NAMES, tellOwners, now: clock });
    }
    return told.slice(before);
  };
  expect(days(79)).toEqual([]);
  expect(days(1)).toEqual([expect.stringContaining("• TELEGRAM_BOT_TOKEN: 90 days\n\n")]);
  expect(days(9)).toEqual([]);
  isNobodyIn = true;
  expect(days(1)).toEqual([]);
  isNobodyIn = false; // who was not there is told when he comes back
  expect(days(1)).toEqual([expect.stringContaining("• META_ACCESS_TOKEN: 91 days\n\n")]);
  expect(days(18)).toEqual([]);
  expect(days(1)).toEqual([expect.stringContaining("• TELEGRAM_BOT_TOKEN: 120 days\n\n")]);
  store.credentials.begin("TELEGRAM_BOT_TOKEN", "f4"); // rotated
  expect(days(9)).toEqual([]);
  expect(days(1)).toEqual([]);
  expect(days(1)).toEqual([expect.stringContaining("• META_ACCESS_TOKEN: 121 days\n\n")]);
  expect(told.join()).not.toMatch(/NO_LONGER_SET|GONE|f[1-4]\b/);
});

const TOKEN = "123456:test-token-of-thirty-characters-or-more";
const API_KEY = "sk-ant-api03-the-real-key-that-never-enters-the-jail";
const META = "EAAB-a-token-of-another-program";
const GIT = "ghp-of-nobody-at-all";

/** A machine with settings in a file, the environment and a file of their own. */
function createMachine() {
  const folder = tempDir("sp-");
  const home = join(folder, "home");
  mkdirSync(join(folder, "projects"));
  mkdirSync(home, { mode: 0o700 });
  const write = (path: string, text: string): string => {
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const envFile = write(
    join(home, ".env"),
    `TELEGRAM_BOT_TOKEN=${TOKEN}\nTRACK_CREDENTIALS=META_ACCESS_TOKEN,OPENROUTER_API_KEY\nMETA_ACCESS_TOKEN="${META}"\n`,
  );
  const keyFile = write(join(folder, "key"), `${API_KEY}\n`);
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? "",
    HOME: folder,
    SALLYPORT_HOME: home,
    APPROVED_DIRECTORY: join(folder, "projects"),
    ALLOWED_USERS: "1001",
    CLAUDE_AUTH: "api-key",
    ANTHROPIC_API_KEY_FILE: keyFile,
    GIT_TOKEN_GITHUB_COM: GIT,
    CLAUDE_CLI_PATH: join(import.meta.dirname, "../../node_modules/.bin/claude"),
  };
  const run = async (...args: readonly string[]) => {
    const life = launch(["credentials", ...args], env);
    const { code } = await life.exited;
    return { code, output: life.output() };
  };
  /** Makes what was seen first as old as that. */
  const age = (days: number): void => {
    const db = new Database(join(home, "sallyport.db"));
    db.prepare("UPDATE credentials SET since = since - ?").run(days * DAY);
    db.close();
  };
  /** What a start of the daemon notes. */
  const start = (): void => {
    const loaded = loadConfig({ ...readEnvironment(), env, homeDir: folder, argv: {} });
    const paths = prepareHome(home);
    const store = openStore(paths.database, Date.now);
    noteCredentials({
      store,
      loaded,
      key: readHomeKey(paths.settingsKey).text,
      record: recordHere(store),
      now: Date.now,
    });
    store[Symbol.dispose]();
  };
  return { folder, home, envFile, keyFile, env, run, start, write, age };
}

describe("sallyport credentials", () => {
  test("shows each with its place, age and status, and neither a value nor a part of one", async () => {
    const { run, start, envFile, keyFile, home } = createMachine();
    expect((await run()).output).toMatch(/^NEW +TELEGRAM_BOT_TOKEN/m);
    expect(readdirSync(home)).toEqual([".env"]); // it only reads
    start();
    const { code, output } = await run();
    expect(code).toBe(0);
    const [first] = queryDaemon(home, "SELECT since FROM credentials") as { since: number }[];
    const today = new Date(first?.since ?? 0).toISOString().slice(0, 10);
    const lines = output
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/ {2,}/));
    expect(lines.map(([status, name, , since, age, , from]) => [status, name, since, age, from])).toEqual([
      ["STATUS", "CREDENTIAL", "SINCE", "DAYS", "FROM"],
      ["OK", "TELEGRAM_BOT_TOKEN", today, "0", envFile],
      ["OK", "ANTHROPIC_API_KEY", today, "0", keyFile],
      ["OK", "GIT_TOKEN_GITHUB_COM", today, "0", "the environment"],
      ["OK", "META_ACCESS_TOKEN", today, "0", envFile],
      ["NOT SET", "OPENROUTER_API_KEY", undefined, undefined, undefined],
    ]);
    for (const secret of [TOKEN, API_KEY, META, GIT])
      for (let at = 0; at + 6 <= secret.length; at += 1)
        expect(output).not.toContain(secret.slice(at, at + 6));
    const stored = JSON.stringify(queryDaemon(home, "SELECT * FROM credentials"));
    for (const secret of [TOKEN, API_KEY, META, GIT]) expect(stored).not.toContain(secret.slice(0, 8));
    expect(readdirSync(home)).toContain("settings.key");
  });

  test("ends with 1 when one is due, and a new value begins a new age, on record", async () => {
    const { run, start, age, home, envFile } = createMachine();
    start();
    age(89);
    expect((await run()).code).toBe(0);
    age(1);
    const due = await run("--json");
    expect(due.code).toBe(1);
    const parse = (text: string) =>
      (JSON.parse(text) as { credentials: { name: string; status: string; ageDays: number | null }[] })
        .credentials;
    expect(parse(due.output).map(({ name, status, ageDays }) => [name, status, ageDays])).toEqual([
      ["TELEGRAM_BOT_TOKEN", "DUE", 90],
      ["ANTHROPIC_API_KEY", "DUE", 90],
      ["GIT_TOKEN_GITHUB_COM", "DUE", 90],
      ["META_ACCESS_TOKEN", "DUE", 90],
      ["OPENROUTER_API_KEY", "NOT SET", null],
    ]);
    writeFileSync(envFile, readFileSync(envFile, "utf8").replace(META, `${META}-anew`));
    const before = parse((await run("--json")).output);
    expect(before.find(({ name }) => name === "META_ACCESS_TOKEN")?.status).toBe("OTHER");
    start();
    const after = parse((await run("--json")).output);
    expect(after.find(({ name }) => name === "META_ACCESS_TOKEN")).toMatchObject({
      status: "OK",
      ageDays: 0,
    });
    expect(auditIn(home, "credential.changed")).toEqual([
      expect.objectContaining({ name: "META_ACCESS_TOKEN", ageDays: 90 }),
    ]);
  });

  test("another value in the shell that asks is told, and neither resets an age nor is put on record", async () => {
    const { run, start, age, env, home } = createMachine();
    start();
    age(200);
    const noted = queryDaemon(home, "SELECT * FROM credentials");
    env.GIT_TOKEN_GITHUB_COM = "another-one-of-this-shell";
    const { output } = await run();
    expect(output).toMatch(/^OTHER +GIT_TOKEN_GITHUB_COM/m);
    expect(output).toMatch(/^DUE +TELEGRAM_BOT_TOKEN .* 200 /m);
    expect(queryDaemon(home, "SELECT * FROM credentials")).toEqual(noted);
    expect(auditIn(home, "credential.changed")).toEqual([]);
  });

  test("faults of the settings are told as the daemon tells them: 78", async () => {
    const { run, envFile, write } = createMachine();
    write(
      envFile,
      `TELEGRAM_BOT_TOKEN=${TOKEN}\nTRACK_CREDENTIALS=ALLOWED_USERS\nMETA_ACCESS_TOKEN=${META}\n`,
    );
    const { code, output } = await run();
    expect(code).toBe(78);
    expect(output).toContain(
      "TRACK_CREDENTIALS: expected names of secrets that are no settings, got ALLOWED_USERS",
    );
    expect(output).toContain(
      "META_ACCESS_TOKEN: expected a setting that .env.example names, got an unknown key",
    );
    expect(output).not.toContain(META);
  });
});
