import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { mkdir } from "node:fs/promises";
import { join, relative } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { createBotApi } from "../../src/demo/bot-api/bot-api.ts";
import { callTool, createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import { createStage, hasButton, type Life, launch } from "../support/daemon.ts";
import { tempDir } from "../support/temp.ts";

const TOKEN = "123456:test-token-of-thirty-characters-or-more";
const API_KEY = "sk-ant-api03-the-real-key-that-never-enters-the-jail";
const SECRETS = [TOKEN, TOKEN.slice(7), API_KEY];

/** Settings without a fault, in a home folder of their own; Telegram is out of reach unless told otherwise. */
async function createSettings(change: Record<string, string> = {}) {
  const folder = tempDir("sp-");
  const approved = join(folder, "projects");
  const home = join(folder, "home");
  await mkdir(join(approved, "demo"), { recursive: true });
  await mkdir(home, { mode: 0o700 });
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? "",
    HOME: folder,
    SALLYPORT_HOME: home,
    TELEGRAM_BOT_TOKEN: TOKEN,
    TELEGRAM_API_ROOT: "http://127.0.0.1:9",
    APPROVED_DIRECTORY: approved,
    ALLOWED_USERS: "1001",
    CLAUDE_AUTH: "api-key",
    ANTHROPIC_API_KEY: API_KEY,
    ANTHROPIC_BASE_URL: "http://127.0.0.1:9",
    CLAUDE_CLI_PATH: join(import.meta.dirname, "../../node_modules/.bin/claude"),
    ...change,
  };
  return { env, home, stopped: join(home, "stopped.json") };
}

/** Waits for the end; gives the exit code and what was said. */
async function endOf(life: Life): Promise<{ code: number | null; output: string }> {
  const { code } = await life.exited;
  return { code, output: life.output() };
}

const expectNoSecret = (text: string): void => {
  for (const secret of SECRETS) expect(text).not.toContain(secret);
};

describe("H81: faults that only the owner can mend end the daemon with a code of their own", () => {
  test("no settings at all: 78, with every fault at once", async () => {
    const home = tempDir("sp-");
    const { code, output } = await endOf(launch(["start"], { PATH: process.env.PATH ?? "", HOME: home }));
    expect(code).toBe(78);
    expect(output).toMatch(/^sallyport: The settings have \d+ faults \(no settings file\):\n/);
    for (const key of ["TELEGRAM_BOT_TOKEN", "APPROVED_DIRECTORY", "ALLOWED_USERS", "CLAUDE_AUTH"])
      expect(output).toMatch(new RegExp(`^  ${key}: expected .*, got nothing$`, "m"));
    expect(readdirSync(home)).toEqual([]);
  });

  test("H29: a key that nothing reads, and values that make no sense: 78, with a suggestion and without a secret", async () => {
    const { env, home } = await createSettings({ RATE_LIMIT_BURST: "many" });
    writeFileSync(join(home, ".env"), `RATE_LIMIT_WINDO=5\nTELEGRAM_BOT_TOKN=${TOKEN}\n`, { mode: 0o600 });
    const { code, output } = await endOf(launch([], env));
    expect(code).toBe(78);
    expect(output).toContain("The settings have 3 faults");
    expect(output).toContain("did you mean RATE_LIMIT_WINDOW?");
    expect(output).toContain("did you mean TELEGRAM_BOT_TOKEN?");
    expect(output).toMatch(/RATE_LIMIT_BURST: expected .*, got "many"/);
    expectNoSecret(output);
  });

  test("a settings file that others can read, and a placeholder in it: 78, with the command that mends it and without a secret", async () => {
    const { env, home } = await createSettings({ TELEGRAM_BOT_TOKEN: "" });
    const path = join(home, ".env");
    const placeholder = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11";
    writeFileSync(path, `TELEGRAM_BOT_TOKEN=${placeholder}\n`);
    chmodSync(path, 0o644);
    const { code, output } = await endOf(launch([], env));
    expect(code).toBe(78);
    expect(output).toContain("The settings have 2 faults");
    expect(output).toContain(`  settings file: expected what is its owner's alone (chmod 600 ${path})`);
    expect(output).toContain("yours, not the placeholder of an example, got something else (not shown)");
    expect(output).not.toContain(placeholder);
  });

  test.skipIf(process.platform !== "linux")(
    "SANDBOX=require on a machine without bubblewrap: 78, with the line to install it",
    async () => {
      const { env } = await createSettings();
      const hide = existsSync("/usr/bin/bwrap") ? "/usr/bin/bwrap" : "/usr/local/bin/bwrap";
      const wrap = [hide, "--dev-bind", "/", "/", "--ro-bind", "/dev/null", hide, "--"];
      const { code, output } = await endOf(launch(["start"], env, { wrap }));
      expect(output).toContain(
        "sallyport: The sandbox needs bubblewrap. Install it: sudo apt-get install -y bubblewrap",
      );
      expect(code).toBe(78);
      expect(output).not.toContain("daemon.started");
    },
  );

  test("a token that Telegram does not know: 77; supervised, 0 and a private note without the token", async () => {
    const api = createBotApi({ token: "654321:another-token-of-thirty-characters-or-more", now: Date.now });
    const apiRoot = await api.listen();
    onTestFinished(() => api.close());
    const { env, stopped } = await createSettings({ TELEGRAM_API_ROOT: apiRoot });
    const plain = await endOf(launch(["start"], env));
    expect(plain.code).toBe(77);
    expect(plain.output).toContain(
      "sallyport: Telegram does not know TELEGRAM_BOT_TOKEN (401 Unauthorized): get it from @BotFather\n",
    );
    expect(existsSync(stopped)).toBe(false);

    const supervised = await endOf(launch(["start", "--supervised"], env));
    expect(supervised.code).toBe(0);
    const note: unknown = JSON.parse(readFileSync(stopped, "utf8"));
    expect(note).toEqual({
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      code: 77,
      message: expect.stringContaining("TELEGRAM_BOT_TOKEN"),
    });
    expect(statSync(stopped).mode & 0o777).toBe(0o600);
    expectNoSecret(plain.output + supervised.output + readFileSync(stopped, "utf8"));
  });

  test("H80: supervised, a fault in the settings ends with 0 and leaves its note even where no home was yet; no other fault does", async () => {
    const { env, stopped } = await createSettings({
      ALLOWED_USERS: "ada",
      SALLYPORT_HOME: join(tempDir("sp-"), "new"),
    });
    const bad = await endOf(launch(["start", "--supervised"], env));
    expect(bad.code).toBe(0);
    expect(bad.output).toContain("ALLOWED_USERS: expected");
    const home = env.SALLYPORT_HOME ?? "";
    expect(JSON.parse(readFileSync(join(home, "stopped.json"), "utf8"))).toMatchObject({ code: 78 });
    expect(statSync(home).mode & 0o777).toBe(0o700);
    expect(existsSync(stopped)).toBe(false);

    const sound = { ...env, ALLOWED_USERS: "1001" };
    writeFileSync(
      join(home, "sallyport.db"),
      "this is no database, but it is long enough to be looked at".repeat(20),
    );
    const broken = await endOf(launch(["start", "--supervised"], sound));
    expect(broken.code).toBe(1);
    expect(broken.output).toMatch(/^sallyport: The database .* cannot be opened: /m);
    expect(existsSync(join(home, "stopped.json"))).toBe(false);
  });
});

test("H82: a second daemon on the same home ends with 75 and one line; a killed one leaves no lock behind", async () => {
  const stage = await createStage({ script: createQueueScript([]) });
  const first = await stage.start();
  const second = await stage.start({ isReady: false, args: ["--supervised"] });
  const { code, output } = await endOf(second);
  expect(code).toBe(75);
  expect(output).toContain(
    `sallyport: Another sallyport runs with ${stage.home}: stop it, or set SALLYPORT_HOME\n`,
  );
  expect(existsSync(join(stage.home, "stopped.json"))).toBe(false);
  await stage.ask("/help", "/status:");

  await first.kill("SIGKILL");
  const third = await stage.start();
  await stage.ask("/status", "nothing runs");
  expect((await third.kill("SIGTERM")).code).toBe(0);
});

describe("a real run", () => {
  test("says its mode, keeps its home private and its secrets to itself, and its record can be verified", async () => {
    const stage = await createStage({
      script: createQueueScript([
        () => callTool("Write", { file_path: join(stage.project, "made.txt"), content: "made" }),
        reply(`I have read ${TOKEN} and ${API_KEY}.`),
      ]),
    });
    const life = await stage.start();
    stage.chat.send("make a file");
    const asked = await stage.waitFor(hasButton("Allow once"));
    stage.chat.press(asked.messageId, "Allow once");
    await stage.waitFor(({ text }) => text.includes("I have read"));

    const started = life.log.filter(({ event, mode }) => event === "daemon.started" && mode !== undefined);
    expect(started).toEqual([
      expect.objectContaining({
        mode: "ask",
        asked: "ask",
        sandbox: process.platform === "darwin" ? "seatbelt" : "bwrap",
      }),
    ]);

    const meanwhile = await verify(stage.home);
    expect(meanwhile.code).toBe(0);
    expect(meanwhile.output).toMatch(
      /^audit ok: \d+ rows, head \d+:[0-9a-f]{64}\n\(rows missing at the end show only/,
    );
    const modes = modesBelow(stage.home);
    const isClis = ({ path }: { path: string }) => /^claude\/\d+\/\w+\//.test(relative(stage.home, path));
    // The CLI's own, and files without content of ours that every jail shows to its user, lie in closed folders.
    const isShown = ({ path }: { path: string }) =>
      /^jail\/(?:uid-[\d-]+\/)?(?:empty|group|hosts|passwd)$/.test(relative(stage.home, path));
    expect(modes.filter((file) => file.isOpen && !isClis(file) && !isShown(file))).toEqual([]);
    const names = modes.map(({ path }) => relative(stage.home, path));
    expect(names).toEqual(
      expect.arrayContaining(["", "sallyport.db", "sallyport.db-wal", "lock.db", "run/api.sock"]),
    );
    expect(modes.some(isClis)).toBe(true);
    const umask = process.umask();
    expect(statSync(join(stage.project, "made.txt")).mode & 0o777).toBe(0o666 & ~umask);

    expect((await life.kill("SIGTERM")).code).toBe(0);
    expectNoSecret(life.output());
    expect(life.output()).not.toContain("make a file");
    expect(existsSync(join(stage.home, "stopped.json"))).toBe(false);

    const head = /head (\S+)/.exec(meanwhile.output)?.[1] ?? "";
    expect((await verify(stage.home, "--head", head)).code).toBe(0);
    const database = new Database(join(stage.home, "sallyport.db"));
    expect(() => database.exec("UPDATE audit SET user_id = 1 WHERE id = 3")).toThrow("append-only");
    database.exec("DROP TRIGGER audit_is_append_only_update");
    database.exec("DROP TRIGGER audit_is_append_only_delete");
    database.exec("UPDATE audit SET user_id = 1 WHERE id = 3");
    expect(await verify(stage.home)).toEqual({ code: 1, output: "audit BROKEN at row 3: changed\n" });
    database.exec("DELETE FROM audit WHERE id = 3");
    expect(await verify(stage.home)).toEqual({
      code: 1,
      output: expect.stringMatching(/^audit BROKEN at row [34]: /),
    });
    database.close();
  });
});

test("--version and --help tell what they should, and an unknown command is refused", async () => {
  const env = { PATH: process.env.PATH ?? "", HOME: tempDir("sp-") };
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8")) as {
    version: string;
  };
  const [told, help, startHelp, unknown] = await Promise.all(
    [["--version"], ["--help"], ["start", "--help"], ["frobnicate"]].map((args) => endOf(launch(args, env))),
  );
  expect(told).toEqual({ code: 0, output: `${version}\n` });
  expect(help?.code).toBe(0);
  for (const command of ["start", "demo", "audit"])
    expect(help?.output).toMatch(new RegExp(`^  ${command}\\b`, "m"));
  expect(startHelp?.output).toContain("--supervised");
  expect(unknown?.code).not.toBe(0);
  expect(readdirSync(env.HOME)).toEqual([]);
});

async function verify(home: string, ...args: readonly string[]) {
  const env = { PATH: process.env.PATH ?? "", HOME: tempDir("sp-"), SALLYPORT_HOME: home };
  return endOf(launch(["audit", "verify", ...args], env));
}

/** Everything in a folder, itself included, with its mode, and whether anybody but its owner may do anything with it. */
function modesBelow(path: string): { path: string; mode: string; isOpen: boolean }[] {
  const stats = lstatSync(path);
  const mode = stats.mode & 0o777;
  const own = { path, mode: mode.toString(8), isOpen: !stats.isSymbolicLink() && (mode & 0o077) !== 0 };
  if (!stats.isDirectory()) return [own];
  return [own, ...readdirSync(path).flatMap((name) => modesBelow(join(path, name)))];
}
