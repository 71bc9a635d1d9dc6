import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readSettingsFile } from "../../src/config/env-file.ts";
import { nearestName } from "../../src/config/nearest.ts";
import { SETTING_KEYS } from "../../src/config/settings.ts";
import { API_KEY, BOT_TOKEN, createWorld } from "./support.ts";

describe("H33: which settings file is read", () => {
  test("the one that --env-file names comes first, relative to the current folder", () => {
    const world = createWorld();
    const named = world.write("elsewhere/my.env", "MAX_PROMPT_CHARS=1\n");
    world.write("home/.sallyport/.env", "MAX_PROMPT_CHARS=2\n");
    const { config } = world.load({}, { argv: { envFile: "my.env" } });
    expect(config).toMatchObject({ settingsFile: named, limits: { maxPromptChars: 1 } });
  });

  test("then the one in SALLYPORT_HOME, then the one of the program's own checkout", () => {
    const world = createWorld();
    const inCheckout = world.write("program/.env", "MAX_PROMPT_CHARS=3\n");
    expect(world.load({}, { cwd: world.at("program") }).config.settingsFile).toBe(inCheckout);
    const atHome = world.write("home/.sallyport/.env", "MAX_PROMPT_CHARS=2\n");
    expect(world.load({}, { cwd: world.at("program") }).config.settingsFile).toBe(atHome);
    const atOwn = world.write("own/.env", "MAX_PROMPT_CHARS=4\n");
    expect(world.load({ SALLYPORT_HOME: world.at("own") }).config).toMatchObject({
      settingsFile: atOwn,
      home: world.at("own"),
      limits: { maxPromptChars: 4 },
    });
  });

  test("a hostile current folder configures nothing", () => {
    const world = createWorld();
    world.write("elsewhere/.env", "ALLOWED_USERS=666\nSANDBOX=off\n");
    world.write("program/sub/.env", "ALLOWED_USERS=666\n");
    expect(world.load().config).toMatchObject({ settingsFile: null, access: { allowedUsers: [11, 22] } });
    expect(world.load({}, { cwd: world.at("program/sub") }).config.settingsFile).toBe(null);
  });

  test("a checkout that is reached through a link is the checkout", () => {
    const world = createWorld();
    world.write("program/.env", "MAX_PROMPT_CHARS=3\n");
    symlinkSync(world.at("program"), world.at("link"));
    expect(world.load({}, { cwd: world.at("link") }).config.limits.maxPromptChars).toBe(3);
  });

  test.each(["missing.env", "."])(
    "a named file that cannot be read (%s) is a fault, not passed over",
    (envFile) => {
      const world = createWorld();
      world.write("home/.sallyport/.env", "MAX_PROMPT_CHARS=2\n");
      expect(world.faults({}, { argv: { envFile } })).toEqual([
        expect.anything(),
        expect.stringMatching(/^ {2}settings file: expected a .*file/),
      ]);
    },
  );

  test("a folder called .env at home is a fault", () => {
    const world = createWorld();
    mkdirSync(world.at("home/.sallyport/.env"), { recursive: true });
    expect(world.faults().at(-1)).toContain("expected a regular file");
  });
});

test("the real environment wins over the file, and what is empty in it counts as unset", () => {
  const world = createWorld();
  world.write(
    "home/.sallyport/.env",
    "MAX_PROMPT_CHARS=1\nCLAUDE_MODEL=opus\nCLAUDE_EFFORT=\nALLOWED_USERS=99\n",
  );
  const { config } = world.load({ MAX_PROMPT_CHARS: "2", CLAUDE_MODEL: " " });
  expect(config).toMatchObject({
    limits: { maxPromptChars: 2 },
    claude: { model: "opus", effort: null },
    access: { allowedUsers: [11, 22] },
  });
});

test("a fault of the file names the file", () => {
  const world = createWorld();
  const path = world.write("home/.sallyport/.env", "CLAUDE_EFFORT=huge\n");
  expect(world.faults()).toEqual([
    `The settings have 1 fault (${path}):`,
    `  CLAUDE_EFFORT: expected one of low, medium, high, xhigh, max, got "huge" from ${path}`,
  ]);
});

describe("H29: no key passes silently", () => {
  test.each([
    ["ALOWED_USERS", "ALLOWED_USERS"],
    ["allowed_users", "ALLOWED_USERS"],
    ["TELEGRAM_TOKEN", "TELEGRAM_BOT_TOKEN"],
    ["CLAUDE_COST_PER_USER", "CLAUDE_MAX_COST_PER_USER"],
    ["TELEGRAM_BOT_TOKEN_FIL", "TELEGRAM_BOT_TOKEN_FILE"],
    ["git_token_github_com", "GIT_TOKEN_GITHUB_COM"],
    ["GIT_TOKN_GITHUB_COM", "GIT_TOKEN_GITHUB_COM"],
    ["Git_Token_Git_Example_Org_File", "GIT_TOKEN_GIT_EXAMPLE_ORG_FILE"],
    ["GITHUB_TOKEN", "GIT_TOKEN_GITHUB_COM"],
    ["GH_TOKEN", "GIT_TOKEN_GITHUB_COM"],
    ["GITLAB_PAT_FILE", "GIT_TOKEN_GITLAB_COM_FILE"],
  ])("%s in the settings file is refused with the suggestion %s", (wrong, right) => {
    const world = createWorld();
    world.write("home/.sallyport/.env", `${wrong}=5\n`);
    expect(world.faults().at(-1)).toBe(
      `  ${wrong}: expected a known setting (did you mean ${right}?), got an unknown key`,
    );
  });

  test("a key like no other is refused without a suggestion, and without its value", () => {
    const world = createWorld();
    world.write("home/.sallyport/.env", "META_ACCESS_TOKEN=hush-hush\n");
    expect(world.faults().at(-1)).toBe(
      "  META_ACCESS_TOKEN: expected a setting that .env.example names, got an unknown key",
    );
  });

  test("what may be a secret on a line of its own is not shown as a key", () => {
    const world = createWorld();
    const secret = "3q2Zk9sPfQ0c1vXhY7RtLmNa8JwUdBgE5oTiKpCx6Hs";
    world.write("home/.sallyport/.env", `AUTH_TOKEN_SECRET=\n${secret}=\n${secret}=\n`);
    const faults = world.faults();
    expect(faults.join("\n")).not.toContain(secret);
    expect(faults.filter((line) => line.includes("it may be a secret"))).toHaveLength(2);
  });

  test("unknown keys of the real environment are other programs' business; a slip of the pen is told, without its value", () => {
    const world = createWorld();
    const others = { PATH: "/bin", HOSTNAME: "h", LOGNAME: "x", CLAUDE_CODE_ENTRYPOINT: "cli", TOOLS: "x" };
    expect(world.load({ ...others, SALLYPORT_HOM: " " }).warnings).toEqual([]);
    const wrong = { ALOWED_USERS: "5", telegram_bot_token: "hush-hush", SALLYPORT_COLOUR: "red" };
    const { config, warnings } = world.load({ ...others, ...wrong });
    expect(config.access.allowedUsers).toEqual([11, 22]);
    expect(warnings).toEqual([
      "ALOWED_USERS of the environment is no setting: did you mean ALLOWED_USERS?",
      "telegram_bot_token of the environment is no setting: did you mean TELEGRAM_BOT_TOKEN?",
      "SALLYPORT_COLOUR of the environment is no setting",
    ]);
  });

  test("a doubled key is a fault whatever stands before it, and one in another case is another, unknown key", () => {
    const world = createWorld();
    world.write(
      "home/.sallyport/.env",
      "\uFEFFCLAUDE_MODEL=a\r\n  export CLAUDE_MODEL=b\r\nclaude_model=c\r\n",
    );
    expect(world.faults().slice(1)).toEqual([
      expect.stringMatching(/^ {2}CLAUDE_MODEL: expected one line, got lines 1 and 2 of /),
      "  claude_model: expected a known setting (did you mean CLAUDE_MODEL?), got an unknown key",
    ]);
  });

  test.each([
    ["ALLOWED_USERS 5", "KEY=value"],
    ["ALLOWED_USERS:5", "KEY=value"],
    [`=${BOT_TOKEN}`, "KEY=value"],
    [BOT_TOKEN, "KEY=value"],
    ["CLAUDE_MODEL=a\nCLAUDE_MODEL=b", "lines 1 and 2"],
    ['CLAUDE_MODEL="a\nb"', "quoted value that ends on its line"],
    ['CLAUDE_MODEL="a\nALLOWED_USERS="5', "quoted value that ends on its line"],
    ["APPROVED_DIRECTORY=/srv/a#b", "quotes round a value that holds #"],
    ["OWNER_USERS=#1001", "quotes round a value that holds #"],
    ["SECRET_FILES =#vault", "quotes round a value that holds #"],
    ["AUTH_TOKEN_SECRET=#q8ZrT0v7", "AUTH_TOKEN_SECRET: expected quotes round a value that holds #"],
  ])("what the parser would pass over or cut is a fault: %j", (text, expected) => {
    const world = createWorld();
    world.write("home/.sallyport/.env", `${text}\n`);
    const faults = world.faults().join("\n");
    expect(faults).toContain(expected);
    expect(faults).not.toContain(BOT_TOKEN);
  });

  test("comments, quotes, export, byte order mark and Windows line ends are read", () => {
    const world = createWorld();
    world.write(
      "home/.sallyport/.env",
      "\uFEFFexport CLAUDE_MODEL='opus' # the best\r\n\r\n# a remark\r\n  CLAUDE_EFFORT = low # cheap\r\nCLAUDE_CLI_PATH=\r\n",
    );
    expect(world.load().config.claude).toMatchObject({ model: "opus", effort: "low" });
  });

  test("a # behind a blank is a remark, and the value is unset; in quotes it is a value", () => {
    const world = createWorld();
    world.write(
      "home/.sallyport/.env",
      "CLAUDE_EFFORT= # low\nCLAUDE_MODEL: # opus\nSECRET_FILES='#vault'\n",
    );
    expect(world.load().config).toMatchObject({
      claude: { effort: null, model: null },
      secretFiles: ["#vault"],
    });
  });

  test("what is read without a fault is what stands there", () => {
    const world = createWorld();
    const key = fc.constantFrom(...SETTING_KEYS);
    const value = fc.string({ unit: fc.constantFrom(...Array.from("aB3 #='\"`\\n$:,/~")) });
    const lines = fc.array(
      fc.oneof(
        fc.tuple(key, fc.constantFrom("=", " = ", ": "), value).map((parts) => parts.join("")),
        fc.string(),
      ),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(lines, (written) => {
        const path = world.write("some.env", written.join("\n"));
        const { content, faults } = readSettingsFile(path, () => SETTING_KEYS, null);
        if (faults.length > 0) return;
        const meant = written
          .flatMap((block) => block.split(/[\r\n]+/))
          .filter((line) => /^\s*[^\s#]/.test(line));
        expect(Object.keys(content)).toHaveLength(meant.length);
        for (const line of meant) {
          const [, name = "", rest = ""] = /^\s*(?:export\s+)?([\w.-]+)\s*[=:](.*)$/.exec(line) ?? [];
          const bare = rest.trim().replace(/^(["'`])(.*?)\1\s*(#.*)?$/, "$2");
          const text = content[name]?.replaceAll("\n", "\\n").replaceAll("\r", "\\r") ?? "missing";
          expect(bare.startsWith(text)).toBe(true);
          expect(bare.slice(text.length)).toMatch(/^\s*(#.*)?$/);
          if (text === "") expect(rest).not.toMatch(/^#/);
        }
      }),
      { numRuns: 500 },
    );
  });
});

test("the nearest name is near, or there is none", () => {
  expect(nearestName("LOG_LEVL", SETTING_KEYS)).toBe("LOG_LEVEL");
  expect(nearestName("PATH", SETTING_KEYS)).toBe(null);
  expect(nearestName("", SETTING_KEYS)).toBe(null);
});

describe("secrets in files of their own", () => {
  test("are read, blanks round them dropped", () => {
    const world = createWorld();
    const path = world.write("run/token", `\n${BOT_TOKEN}\n`);
    const key = world.write("home/key", API_KEY);
    const { secrets, warnings } = world.load({
      TELEGRAM_BOT_TOKEN: "",
      TELEGRAM_BOT_TOKEN_FILE: path,
      ANTHROPIC_API_KEY: undefined,
      ANTHROPIC_API_KEY_FILE: "~/key",
    });
    expect(secrets.botToken.reveal()).toBe(BOT_TOKEN);
    expect(secrets.claudeCredential.value.reveal()).toBe(API_KEY);
    expect(key).toBe(world.at("home/key"));
    expect(warnings).toEqual([]);
  });

  test("both forms of one secret are a fault, also when one stands in the file", () => {
    const world = createWorld();
    world.write("home/.sallyport/.env", `TELEGRAM_BOT_TOKEN_FILE=${world.write("token", BOT_TOKEN)}\n`);
    expect(world.faults()).toEqual([
      expect.anything(),
      "  TELEGRAM_BOT_TOKEN_FILE: expected either TELEGRAM_BOT_TOKEN or TELEGRAM_BOT_TOKEN_FILE, got both",
    ]);
  });

  test.each([
    ["missing", "does not exist"],
    ["empty", "which is empty"],
    ["folder", "a regular file"],
    ["wrong", "got something else (not shown) from TELEGRAM_BOT_TOKEN_FILE"],
    ["huge", "at most 16384 bytes, got"],
    ["pipe", "a regular file"],
  ])("a file that is %s is the one fault", (name, told) => {
    const world = createWorld();
    world.write("empty", " \n");
    world.write("folder/x", "");
    world.write("wrong", "not-a-token");
    world.write("huge", `${BOT_TOKEN}\n${" ".repeat(16_384)}`);
    execFileSync("/bin/sh", ["-c", 'exec mkfifo "$0"', world.at("pipe")]); // nobody ever writes to it
    const lines = world.faults({ TELEGRAM_BOT_TOKEN: undefined, TELEGRAM_BOT_TOKEN_FILE: world.at(name) });
    expect(lines).toEqual([expect.anything(), expect.stringContaining(told)]);
  });

  test("the secret itself in place of a path is not shown", () => {
    const text = createWorld()
      .faults({ TELEGRAM_BOT_TOKEN: undefined, TELEGRAM_BOT_TOKEN_FILE: BOT_TOKEN })
      .join("\n");
    expect(text).toContain("TELEGRAM_BOT_TOKEN_FILE: expected the absolute path of a file");
    expect(text).not.toContain(BOT_TOKEN);
  });
});
