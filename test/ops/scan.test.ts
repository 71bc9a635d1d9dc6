import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readEnvironment } from "../../src/config/environment.ts";
import { loadConfig } from "../../src/config/load.ts";
import { createSecret } from "../../src/config/secret.ts";
import { scan } from "../../src/ops/scan/scan.ts";
import { createSearch, needlesOf } from "../../src/ops/scan/search.ts";
import { openStore } from "../../src/store/store.ts";
import { launch } from "../support/daemon.ts";
import { tempDir } from "../support/temp.ts";

const named = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([name, value]) => ({ name, value: createSecret(value) }));

describe("the search through bytes", () => {
  const VALUE = '54321:a+secret/with="signs"';
  const forms: readonly (readonly [string, (value: string) => string])[] = [
    ["as it is", (value) => value],
    ["in a URL", encodeURIComponent],
    ["in JSON", (value) => JSON.stringify(value)],
    ["in hex", (value) => Buffer.from(value).toString("hex")],
    ["in base64", (value) => Buffer.from(`x${value}y`).toString("base64")],
    ["in base64 of another offset", (value) => Buffer.from(`{"${value}"}`).toString("base64url")],
    ["half of a token", (value) => value.slice(6)],
  ];

  test.each(forms)("finds a value %s, however the bytes are cut, on its line", (_name, write) => {
    const needles = needlesOf(named({ IT: VALUE, OTHER: "another-secret" }));
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 20 }),
        fc.string({ unit: fc.constantFrom("a", "\n", "é", "5"), maxLength: 300 }),
        (cuts, before) => {
          const text = Buffer.from(`${before}${write(VALUE)}\n and more`);
          const search = createSearch(needles);
          let at = 0;
          for (const size of [...cuts, text.length]) {
            search.push(text.subarray(at, at + size));
            at += size;
          }
          expect([...search.found()]).toEqual([["IT", before.split("\n").length]]);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("finds nothing where nothing is, and no value that is too short to be told from a word", () => {
    const needles = needlesOf(named({ IT: VALUE, SHORT: "abcdefg" }));
    expect(needles.tooShort).toEqual(["SHORT"]);
    const search = createSearch(needles);
    search.push(Buffer.from(`abcdefg ${VALUE.slice(0, -1)} ${VALUE.slice(7)}`));
    expect([...search.found()]).toEqual([]);
  });
});

/** Made anew each time: what stands in a test stands in the history of this very program. */
const random = (bytes: number): string => randomBytes(bytes).toString("hex");
const TOKEN = `123456:${random(20)}`;
const API_KEY = `sk-ant-api03-${random(20)}`;
const META = `EAAB-${random(16)}`;
const GIT = `ghp-${random(10)}`;
const SECRETS = [TOKEN, API_KEY, META, GIT];

/** A machine whose daemon has all four credentials, two of them in files of its own. */
function createMachine() {
  const folder = tempDir("sp-");
  const at = (path: string): string => join(folder, path);
  const write = (path: string, text: string): string => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text, { mode: 0o600 });
    return at(path);
  };
  mkdirSync(at("home"), { mode: 0o700 });
  write("projects/demo/README.md", "nothing in here\n");
  write(
    "home/.env",
    `TELEGRAM_BOT_TOKEN=${TOKEN}\nTRACK_CREDENTIALS=META_ACCESS_TOKEN\nMETA_ACCESS_TOKEN=${META}\n`,
  );
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? "",
    HOME: folder,
    SALLYPORT_HOME: at("home"),
    APPROVED_DIRECTORY: at("projects"),
    ALLOWED_USERS: "1001",
    CLAUDE_AUTH: "api-key",
    ANTHROPIC_API_KEY_FILE: write("home/key", API_KEY),
    GIT_TOKEN_GITHUB_COM: GIT,
    CLAUDE_CLI_PATH: join(import.meta.dirname, "../../node_modules/.bin/claude"),
  };
  const git = (repository: string, ...args: readonly string[]): string =>
    execFileSync(
      "git",
      ["-C", at(repository), "-c", "user.name=o", "-c", "user.email=o@example.com", ...args],
      {
        env: { PATH: env.PATH ?? "", HOME: "/nonexistent" },
        encoding: "utf8",
      },
    ).trim();
  const runScan = async (...args: readonly string[]) => {
    const life = launch(["credentials", "--scan", ...args], env);
    const { code } = await life.exited;
    for (const secret of SECRETS) expect(life.output()).not.toContain(secret.slice(-12));
    const leaks = life
      .output()
      .split("\n")
      .filter((line) => line.startsWith("LEAK"))
      .map((line) => line.slice(6).replaceAll(folder, ""));
    return { code, leaks, output: life.output() };
  };
  return { folder, env, at, write, git, runScan };
}

/** Puts META before so many bytes, and says whether SQLite has cut it. */
function isCut(db: Database.Database, after: number): boolean {
  const text = `${"x".repeat(9_000)}${META}${"y".repeat(after)}`;
  db.prepare("INSERT INTO work VALUES (?, ?)").run(text, 2n ** 62n);
  return after > 10_000 || !db.serialize().includes(META);
}

describe("sallyport credentials --scan", () => {
  test("the control: with a history, a database and a settings file of its own, nothing is found and it ends with 0", async () => {
    const { write, git, at, runScan } = createMachine();
    write("projects/demo/.env", "A=harmless\n");
    git("projects/demo", "init", "-q", "-b", "main");
    git("projects/demo", "add", "-A");
    git("projects/demo", "commit", "-q", "-m", "first");
    symlinkSync(at("home/.env"), at("projects/demo/link"));
    const { code, leaks, output } = await runScan();
    // The program's own checkout may be one whose history lies elsewhere.
    expect(output).toMatch(
      /^No credential was found (where it should not stand\.|in what was looked through;)/m,
    );
    expect(leaks).toEqual([]);
    expect(code).toBe(0);
    expect(output).not.toMatch(/git history of .*demo /);
  });

  test("finds a credential in logs, backups, sessions, projects, histories of shells and of git, and in the database, and shows none", async () => {
    const { write, git, at, runScan, folder } = createMachine();
    write("home/sallyport.log", `{"a":1}\n{"b":"${encodeURIComponent(TOKEN)}"}\n`);
    write("home/claude/7/demo/projects/x/session.jsonl", `{"text":${JSON.stringify(`it is ${API_KEY}`)}}\n`);
    write("home/backups/sallyport-nightly-x.db", `SQLite\0\0${META}\0`);
    write(".bash_history", `ls\nexport T=${GIT}\n`);
    write("projects/demo/.env.copy", `\n\nKEY=${Buffer.from(API_KEY).toString("base64")}\n`);
    write("projects/demo/node_modules/x/index.js", TOKEN);
    write(`projects/demo/cache-${META}/index`, `of ${META}`);
    write("projects/demo/config.ts", `const t = "${META}";\n`);
    git("projects/demo", "init", "-q", "-b", "main");
    git("projects/demo", "add", "config.ts");
    git("projects/demo", "commit", "-q", "-m", "first");
    const first = git("projects/demo", "rev-parse", "HEAD").slice(0, 12);
    write("projects/demo/config.ts", 'const t = "";\n');
    git("projects/demo", "commit", "-q", "-am", "take it out");
    git("projects/demo", "commit", "-q", "--allow-empty", "-m", `the token was ${GIT}`);
    const third = git("projects/demo", "rev-parse", "HEAD").slice(0, 12);
    git("projects/demo", "remote", "add", "origin", `https://x:${GIT}@github.com/a/b.git`);
    const dangling = execFileSync("git", ["-C", at("projects/demo"), "hash-object", "-w", "--stdin"], {
      input: `left behind: ${TOKEN}`,
      encoding: "utf8",
    }).trim();
    const store = openStore(at("home/sallyport.db"), Date.now);
    const conversation = store.conversations.at({ chatId: 1, threadId: null });
    for (const text of [`use ${API_KEY}`, `and ${API_KEY}`, "harmless"])
      store.work.submit({
        uuid: random(8),
        dedupeKey: random(8),
        conversationId: conversation.id,
        userId: 1,
        project: "demo",
        text,
        messageId: 1,
      });
    store[Symbol.dispose]();

    const { code, leaks } = await runScan();
    expect(code).toBe(1);
    const history = "the git history of /projects/demo";
    expect(leaks.toSorted()).toEqual(
      [
        "TELEGRAM_BOT_TOKEN  /home/sallyport.log:2",
        "ANTHROPIC_API_KEY  /home/claude/7/demo/projects/x/session.jsonl:1",
        "META_ACCESS_TOKEN  /home/backups/sallyport-nightly-x.db",
        "GIT_TOKEN_GITHUB_COM  /.bash_history:2",
        "ANTHROPIC_API_KEY  /projects/demo/.env.copy:3",
        "META_ACCESS_TOKEN  /projects/demo/cache-[redacted]/index:1",
        "META_ACCESS_TOKEN  the name of /projects/demo/cache-[redacted]",
        "GIT_TOKEN_GITHUB_COM  /projects/demo/.git/config:7",
        "GIT_TOKEN_GITHUB_COM  /projects/demo/.git/logs/HEAD:3",
        "GIT_TOKEN_GITHUB_COM  /projects/demo/.git/logs/refs/heads/main:3",
        "GIT_TOKEN_GITHUB_COM  /projects/demo/.git/COMMIT_EDITMSG:1",
        `META_ACCESS_TOKEN  ${history}: commit ${first} config.ts`,
        `GIT_TOKEN_GITHUB_COM  ${history}, in the message of a commit: commit ${third}`,
        `TELEGRAM_BOT_TOKEN  ${history}, in the object ${dangling}, which no commit of a branch has`,
        "ANTHROPIC_API_KEY  the database: 2 in the table work",
      ].toSorted(),
    );
    expect(readdirSync(join(folder, "home")).filter((name) => name.startsWith("scan-"))).toEqual([]);
  });

  test("H18: a hostile repository runs nothing, and what is no history is told", async () => {
    const { write, git, at, runScan } = createMachine();
    const canary = at("canary");
    const program = write("evil.sh", `#!/bin/sh\n: > ${canary}\nexit 0\n`);
    execFileSync("chmod", ["755", program]);
    git("projects/demo", "init", "-q", "-b", "main");
    write("projects/demo/leak", META);
    git("projects/demo", "add", "-A");
    git("projects/demo", "commit", "-q", "-m", "first");
    for (const key of [
      "core.fsmonitor",
      "core.pager",
      "diff.external",
      "alias.log",
      "alias.cat-file",
      "core.sshCommand",
    ])
      git("projects/demo", "config", key, program);
    git("projects/demo", "config", "log.showSignature", "true");
    git("projects/demo", "config", "gpg.program", program);
    // Objects of a place outside, as any file of the repository can name them.
    write("outside/note", API_KEY);
    git("outside", "init", "-q", "-b", "main");
    git("outside", "add", "-A");
    const outside = git("outside", "hash-object", "note");
    write("projects/demo/.git/objects/info/alternates", `${at("outside/.git/objects")}\n`);
    mkdirSync(at("projects/broken/.git"), { recursive: true });
    write("projects/broken/.git/HEAD", "no head\n");
    const { leaks, output } = await runScan();
    expect(leaks).toEqual(
      expect.arrayContaining([expect.stringMatching(/^META_ACCESS_TOKEN {2}the git history .* leak$/)]),
    );
    expect(output).toMatch(
      /the git history of .*demo was not wholly looked through: it takes objects from elsewhere/,
    );
    expect(output).toMatch(/the git history of .*broken (could not be read|was not looked through)/);
    expect(leaks.filter((line) => line.startsWith("ANTHROPIC_API_KEY"))).toEqual([]);
    expect(git("projects/demo", "-c", "core.pager=cat", "cat-file", "-t", outside)).toBe("blob"); // the control
    expect(existsSync(canary)).toBe(false);
    execFileSync("git", ["-C", at("projects/demo"), "status"], { stdio: "ignore" });
    expect(existsSync(canary)).toBe(true); // the control: on the host it runs
  });

  test("the history of the program's own checkout is looked through as well", async () => {
    const { write, git, at, env } = createMachine();
    write("program/notes.md", `the key ${META}\n`);
    git("program", "init", "-q", "-b", "main");
    git("program", "add", "-A");
    git("program", "commit", "-q", "-m", "first");
    const loaded = loadConfig({ ...readEnvironment(), env, homeDir: at(""), argv: {} });
    const look = (programDir: string) => scan({ loaded, homeDir: at(""), programDir, maxBytes: 10_000_000 });
    expect((await look(at("program"))).leaks).toEqual([
      {
        credential: "META_ACCESS_TOKEN",
        place: `the git history of ${at("program")}`,
        commit: git("program", "rev-parse", "HEAD"),
        path: "notes.md",
      },
    ]);
    expect((await look(at("projects"))).leaks).toEqual([]);
  });

  test("a bound is kept and told: nothing passes for looked through that was not", async () => {
    const { write, git, runScan } = createMachine();
    const noise = Array.from({ length: 40_000 }, (_, line) => `${line} ${Math.sin(line)}`).join("\n");
    write("projects/demo/large", `${noise}${noise}\n${META}\n`);
    git("projects/demo", "init", "-q", "-b", "main");
    git("projects/demo", "add", "-A");
    git("projects/demo", "commit", "-q", "-m", "first");
    const cut = await runScan("--max-mb", "1");
    expect(cut.leaks).toEqual([]);
    expect(cut.output).toMatch(
      /files under .*projects were not looked through, or not to their end: --max-mb/,
    );
    expect(cut.output).toMatch(/git history of .*demo was looked through up to \d+ bytes only: --max-mb/);
    const whole = await runScan("--json");
    const { scan: found } = JSON.parse(whole.output) as { scan: { leaks: { credential: string }[] } };
    expect(found.leaks.map(({ credential }) => credential)).toEqual([
      "META_ACCESS_TOKEN",
      "META_ACCESS_TOKEN",
    ]);
  });

  test("a database that a daemon has in use is read as it is", async () => {
    const { at, runScan } = createMachine();
    const store = openStore(at("home/sallyport.db"), Date.now);
    store.facts.set("note", `a ${META} b`);
    const { leaks } = await runScan();
    expect(leaks).toEqual(["META_ACCESS_TOKEN  the database: 1 in the table facts"]);
    const raw = new Database(at("home/sallyport.db"));
    expect(raw.pragma("integrity_check", { simple: true })).toBe("ok");
    raw.close();
    store[Symbol.dispose]();
  });

  test("what a restore replaced is told too, though the database holds the same credential", async () => {
    const { at, runScan, write } = createMachine();
    const store = openStore(at("home/sallyport.db"), Date.now);
    store.facts.set("note", `a ${META} b`);
    store[Symbol.dispose]();
    write("home/sallyport.db.replaced-20260101T000000Z", `not even a database: ${META}`);
    write("home/sallyport.db.notes", META);
    expect((await runScan()).leaks.toSorted()).toEqual([
      "META_ACCESS_TOKEN  /home/sallyport.db.notes:1",
      "META_ACCESS_TOKEN  /home/sallyport.db.replaced-20260101T000000Z",
      "META_ACCESS_TOKEN  the database: 1 in the table facts",
    ]);
  });

  test("a value that SQLite has cut to pieces is found in a backup and in what a restore replaced, which stay as they are", async () => {
    const { at, runScan, write } = createMachine();
    mkdirSync(at("home/backups"));
    const copies = ["backups/sallyport-nightly-x.db", "sallyport.db.replaced-20260101T000000Z"];
    for (const copy of copies) {
      const db = new Database(at(`home/${copy}`));
      if (copy.includes("replaced")) db.pragma("journal_mode = WAL");
      db.pragma("secure_delete = ON");
      db.pragma("synchronous = OFF");
      db.exec("CREATE TABLE work (text TEXT, size INTEGER)");
      // Of so long a row SQLite fills pages from the end on, 4092 bytes in each.
      for (let after = 5_000; !isCut(db, after); after += 16) db.exec("DELETE FROM work");
      db.close();
      expect(readFileSync(at(`home/${copy}`)).includes(META)).toBe(false); // the control: no search through bytes finds it
    }
    write("home/backups/broken.db", `SQLite format 3\0${"x".repeat(5_000)}${META}`);
    const bytesOf = () => copies.map((copy) => readFileSync(at(`home/${copy}`)).toString("hex"));
    const before = bytesOf();
    const { leaks, output } = await runScan();
    expect(leaks.toSorted()).toEqual([
      "META_ACCESS_TOKEN  /home/backups/broken.db",
      ...copies.map((copy) => `META_ACCESS_TOKEN  /home/${copy}: 1 in the table work`),
    ]);
    expect(output).toMatch(/broken\.db was not looked through to its end as a database, but by its bytes: /);
    expect(bytesOf()).toEqual(before);
    expect(readdirSync(at("home/backups")).toSorted()).toEqual(["broken.db", "sallyport-nightly-x.db"]);
    expect(readdirSync(at("home")).filter((name) => /-(wal|shm)$/.test(name))).toEqual([]);
  });

  test.each([
    ".zsh_sessions/0A1B-2C.history",
    ".bash_sessions/0A1B-2C.historynew",
    ".mysql_history",
    ".sqlite_history",
    ".psql_history",
    ".python_history",
    ".node_repl_history",
    ".local/share/fish/fish_history",
  ])("what was typed is looked through in %s", async (file) => {
    const { at, env, write } = createMachine();
    write(file, `ls\nexport T=${META}\n`);
    const loaded = loadConfig({ ...readEnvironment(), env, homeDir: at(""), argv: {} });
    const found = await scan({ loaded, homeDir: at(""), programDir: at("projects"), maxBytes: 10_000_000 });
    expect(found.leaks).toEqual([{ credential: "META_ACCESS_TOKEN", place: at(file), line: 2 }]);
  });

  test("before the first start, with no home folder, git histories are looked through all the same, and none is made", async () => {
    const { at, env, write, git, runScan } = createMachine();
    env.ANTHROPIC_API_KEY_FILE = write("key", API_KEY);
    env.SALLYPORT_HOME = at("not-there");
    env.TELEGRAM_BOT_TOKEN = TOKEN;
    write("projects/demo/config", TOKEN);
    git("projects/demo", "init", "-q", "-b", "main");
    git("projects/demo", "add", "-A");
    git("projects/demo", "commit", "-q", "-m", "first");
    const { code, leaks, output } = await runScan();
    expect(leaks).toContainEqual(expect.stringMatching(/^TELEGRAM_BOT_TOKEN {2}the git history .* config$/));
    expect(code).toBe(1);
    expect(output).not.toMatch(/no git history was looked through|history of .*demo was not looked through/);
    expect(existsSync(at("not-there"))).toBe(false);
  });

  test("a damaged database is told with what to do, while the rest is looked through; it ends with 1 and says nothing of all being well", async () => {
    const { write, runScan, env } = createMachine();
    write("home/sallyport.db", "x".repeat(20_000));
    const clean = await runScan();
    expect(clean.code).toBe(1);
    expect(clean.output).toMatch(
      /^sallyport: The database .*sallyport\.db cannot be read \(file is not a database\): stop the daemon and put a backup/m,
    );
    expect(clean.output).toMatch(
      /the database .* was not looked through to its end, but by its bytes: file is not/,
    );
    expect(clean.output).not.toMatch(/No credential was found where|objects and the database|NEW/);
    write("projects/demo/config", META);
    const { code, leaks } = await runScan();
    expect(code).toBe(1);
    expect(leaks).toEqual(["META_ACCESS_TOKEN  /projects/demo/config:1"]);
    const json = launch(["credentials", "--scan", "--json"], env);
    await json.exited;
    const said =
      json
        .output()
        .split("\n")
        .find((line) => line.startsWith("{")) ?? "";
    expect(JSON.parse(said)).toMatchObject({ credentials: null, scan: { reach: "no_database" } });
    const alone = launch(["credentials"], env);
    expect((await alone.exited).code).toBe(1);
    expect(alone.output()).toMatch(/put a backup in its place with `sallyport restore <file>`\n$/);
  });

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "%s in the midst of a scan leaves nothing in the home folder",
    async (signal) => {
      const { at, env, git, write } = createMachine();
      git("projects/demo", "init", "-q", "-b", "main");
      write("projects/demo/large", randomBytes(30_000_000).toString("base64")); // takes seconds to look through
      git("projects/demo", "add", "-A");
      git("projects/demo", "commit", "-q", "-m", "first");
      const scratch = () => readdirSync(at("home")).filter((name) => name.startsWith("scan-"));
      const life = launch(["credentials", "--scan"], env);
      await expect.poll(scratch, { interval: 2, timeout: 20_000 }).toHaveLength(1);
      const { signal: endedBy } = await life.kill(signal);
      expect(endedBy).toBe(signal);
      expect(scratch()).toEqual([]);
      expect(life.output()).not.toMatch(/LEAK|No credential|sallyport:/);
    },
    90_000,
  );

  test("bare repositories are looked through, in a project and as one, and what a removed submodule left in .git/modules", async () => {
    const { write, git, at, runScan } = createMachine();
    const firsts = ["source", "lib"].map((name) => {
      write(`elsewhere/${name}/config`, name === "lib" ? META : TOKEN);
      git(`elsewhere/${name}`, "init", "-q", "-b", "main");
      git(`elsewhere/${name}`, "add", "-A");
      git(`elsewhere/${name}`, "commit", "-q", "-m", "first");
      return git(`elsewhere/${name}`, "rev-parse", "HEAD").slice(0, 12);
    });
    for (const bare of ["projects/bare", "projects/demo/inner.git"])
      git("elsewhere", "clone", "-q", "--bare", at("elsewhere/source"), at(bare));
    git("projects/demo", "init", "-q", "-b", "main");
    git(
      "projects/demo",
      "-c",
      "protocol.file.allow=always",
      "submodule",
      "add",
      "-q",
      at("elsewhere/lib"),
      "lib",
    );
    git("projects/demo", "commit", "-q", "-m", "with it");
    const { leaks: before } = await runScan();
    git("projects/demo", "rm", "-q", "-f", "lib");
    git("projects/demo", "commit", "-q", "-m", "without it");
    expect(existsSync(at("projects/demo/lib"))).toBe(false);
    const { leaks, output } = await runScan();
    const ofLib = `META_ACCESS_TOKEN  the git history of /projects/demo/.git/modules/lib: commit ${firsts[1]} config`;
    const rest = [
      `TELEGRAM_BOT_TOKEN  the git history of /projects/bare: commit ${firsts[0]} config`,
      `TELEGRAM_BOT_TOKEN  the git history of /projects/demo/inner.git: commit ${firsts[0]} config`,
    ];
    expect(leaks.toSorted()).toEqual([ofLib, ...rest].toSorted());
    // While it is there, its history is looked through once.
    expect(before.toSorted()).toEqual(
      [ofLib, "META_ACCESS_TOKEN  /projects/demo/lib/config:1", ...rest].toSorted(),
    );
    expect(output).not.toMatch(/history of .*(projects|elsewhere).* (could not be read|was not)/);
  });

  test("a broken repository below a sound one is told as such, not read as the one above", async () => {
    const { git, at, runScan } = createMachine();
    git("projects/demo", "init", "-q", "-b", "main");
    git("projects/demo", "commit", "-q", "--allow-empty", "-m", "first");
    mkdirSync(at("projects/demo/below/.git"), { recursive: true });
    expect((await runScan()).output).toMatch(
      /history of .*demo\/below (could not be read|was not looked through)/,
    );
  });

  test("a value in the name of a file is found, in the history and in the work tree, and the name is told without it", async () => {
    const { write, git, runScan } = createMachine();
    git("projects/demo", "init", "-q", "-b", "main");
    write(`projects/demo/src/dump-${META}.txt`, "of nothing\n");
    write(`projects/demo/of-${GIT}/two`, "the same content\n");
    write("projects/demo/one", "the same content, once\n");
    git("projects/demo", "add", "-A");
    git("projects/demo", "commit", "-q", "-m", "first");
    const first = git("projects/demo", "rev-parse", "HEAD").slice(0, 12);
    git("projects/demo", "mv", "one", `once-${API_KEY}`);
    git("projects/demo", "commit", "-q", "-m", "second");
    const tree = git("projects/demo", "rev-parse", "HEAD^{tree}");
    git("projects/demo", "rm", "-rq", ".");
    git("projects/demo", "commit", "-q", "-m", "third");
    write(`projects/demo/now-${META}/a/b`, "");
    write(`projects/demo/now-${META}/c-${GIT}`, "");
    const { code, leaks } = await runScan();
    const history = "the git history of /projects/demo, in the name of a file";
    expect(leaks.filter((line) => !line.includes("/.git/")).toSorted()).toEqual(
      [
        `META_ACCESS_TOKEN  ${history}: commit ${first} src/dump-[redacted].txt`,
        `GIT_TOKEN_GITHUB_COM  ${history}: commit ${first} of-[redacted]`,
        `ANTHROPIC_API_KEY  ${history} of the tree ${tree}`,
        "META_ACCESS_TOKEN  the name of /projects/demo/now-[redacted]",
        "GIT_TOKEN_GITHUB_COM  the name of /projects/demo/now-[redacted]/c-[redacted]",
      ].toSorted(),
    );
    expect(code).toBe(1);
  });
});
