import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { settingsSchema } from "../src/config/settings.ts";

const SRC = resolve(import.meta.dirname, "../src");
const sources = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => ({ file, text: readFileSync(join(SRC, file), "utf8") }));
const filesWith = (pattern: RegExp): readonly string[] =>
  sources.flatMap(({ file, text }) => (pattern.test(text) ? [file] : [])).sort();
const textOf = (file: string): string => sources.find((source) => source.file === file)?.text ?? "";

/** What each setting can do to a mechanism that SECURITY.md tells of. A new one has to be thought about here. */
const SETTINGS = {
  /** Takes a mechanism away, and is refused in production. */
  takesAway: ["SANDBOX"],
  /** Sets how strict the checks of the settings are; production unless it is said out loud. */
  chooses: ["ENVIRONMENT"],
  /** Names who is let in, what is worked in, and with whose account. */
  names: [
    "TELEGRAM_BOT_TOKEN",
    "TELEGRAM_API_ROOT",
    "APPROVED_DIRECTORY",
    "ALLOWED_USERS",
    "OWNER_USERS",
    "ALLOWED_CHATS",
    "ENABLE_TOKEN_AUTH",
    "AUTH_TOKEN_SECRET",
    "CLAUDE_CLI_PATH",
    "CLAUDE_AUTH",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_BASE_URL",
    "SALLYPORT_HOME",
    "TIMEZONE",
  ],
  /** Names single things that come in, or that the jail shows or reaches unasked; nothing is opened that is not named. */
  opens: ["SANDBOX_TOOLS", "SANDBOX_ALLOWED_DOMAINS", "SANDBOX_LOCAL_PORTS", "UPLOAD_TYPES"],
  /** Only adds to what is kept. */
  adds: ["SECRET_FILES", "REQUIRE_TOKEN", "TRACK_CREDENTIALS"],
  /** Chooses how Claude works: no choice leaves out a gate, the hook, a rule or the jail. */
  works: [
    "CLAUDE_MODEL",
    "CLAUDE_FALLBACK_MODEL",
    "CLAUDE_EFFORT",
    "CLAUDE_PERMISSION_MODE",
    "CLAUDE_TOOLS",
    "LOG_LEVEL",
    "LOG_FORMAT",
  ],
  /** A bound: it has a smallest and a largest value, and none that means "without". */
  bounds: [
    "RATE_LIMIT_REQUESTS",
    "RATE_LIMIT_WINDOW",
    "RATE_LIMIT_BURST",
    "CLAUDE_MAX_COST_PER_USER",
    "CLAUDE_COST_WINDOW",
    "CLAUDE_MAX_COST_PER_REQUEST",
    "MAX_PROMPT_CHARS",
    "MAX_UPLOAD_MB",
    "MAX_ARCHIVE_MB",
    "STALE_AFTER_SECONDS",
    "CLAUDE_MAX_PROCESSES",
    "CLAUDE_IDLE_SECONDS",
    "CLAUDE_STALL_SECONDS",
    "APPROVAL_TIMEOUT_SECONDS",
    "AUTH_SESSION_HOURS",
    "CONTENT_RETENTION_DAYS",
    "AUDIT_RETENTION_DAYS",
  ],
} as const;

test("every setting is known for what it can do to a mechanism, and one alone takes one away", () => {
  const shape = settingsSchema("/home/u").shape;
  expect(Object.values(SETTINGS).flat().sort()).toEqual(Object.keys(shape).sort());
  for (const key of SETTINGS.bounds) {
    for (const value of ["0", "-1", "off", "none", "unlimited", "Infinity", "false", ""]) {
      expect([key, value, shape[key].safeParse(value).success]).toEqual([key, value, false]);
    }
  }
  for (const key of SETTINGS.works) {
    for (const value of ["off", "none", "bypass", "bypassPermissions", "acceptEdits", "dontAsk"]) {
      const isName = ["CLAUDE_MODEL", "CLAUDE_FALLBACK_MODEL", "CLAUDE_TOOLS"].includes(key);
      expect([key, value, !isName && shape[key].safeParse(value).success]).toEqual([key, value, false]);
    }
  }
});

test("the environment is read in one place, arguments in the two entries, and by programs that the jail runs", () => {
  expect(filesWith(/\bprocess\.env\b|\bprocess\["env"\]|from "node:process"/)).toEqual([
    "config/environment.ts",
    "demo/stand-in-claude.ts", // in the CLI's place, in the jail
  ]);
  expect(filesWith(/\bprocess\.(?:argv|execArgv)\b|\bparseArgs\(/)).toEqual([
    "bin.ts", // hands them on, whole
    "demo/stand-in-claude.ts",
    "jail/sift/sniff.ts", // in the jail
    "jail/sift/unpack.ts", // in the jail
    "ops/nightly-child.ts", // from the daemon
  ]);
  expect(filesWith(/\breadEnvironment\(/)).toEqual(
    expect.arrayContaining(["config/environment.ts", "start.ts"]),
  );
  expect(filesWith(/\b(?:NODE_ENV|VITEST|JEST_WORKER_ID|CI)\b/)).toEqual([]);
});

test("what tests hand to the daemon no command hands to it", () => {
  const run = /export interface DaemonRun \{([\s\S]*?)\n\}/.exec(textOf("main.ts"))?.[1] ?? "";
  const fields = [...run.matchAll(/readonly (\w+)\??:/g)].map((match) => match[1] ?? "");
  const forTests = [...run.matchAll(/\/\*\* For tests[^*]*\*\/\s*readonly (\w+)\??:/g)].map(
    (match) => match[1] ?? "",
  );
  expect(forTests.length).toBeGreaterThan(2);
  expect(fields.filter((field) => !forTests.includes(field)).sort()).toEqual([
    "claudeProgram", // the demo's stand-in
    "onReady",
    "signal",
    "version",
  ]);
  expect(filesWith(/\brunDaemon\(/)).toEqual(["demo/demo.ts", "main.ts", "start.ts"]);
  for (const file of ["start.ts", "cli.ts", "bin.ts", "demo/demo.ts"])
    for (const field of forTests)
      expect([file, field, textOf(file).includes(field)]).toEqual([file, field, false]);
  expect(textOf("start.ts")).not.toContain("claudeProgram");
});

test("no option of the command line has to do with a mechanism", () => {
  const options = [...textOf("cli.ts").matchAll(/\.(?:requiredO|o)ption\("(?:-\w, )?--([\w-]+)/g)];
  expect([...new Set(options.map((match) => match[1] ?? ""))].sort()).toEqual([
    "days",
    "env-file",
    "follow",
    "format",
    "head",
    "json",
    "lines",
    "max-mb",
    "out",
    "real",
    "risk",
    "role",
    "scan",
    "since",
    "supervised",
    "until",
    "user",
  ]);
  expect(textOf("cli.ts")).not.toMatch(/\.(?:addOption|allowUnknownOption|env)\(/);
});
