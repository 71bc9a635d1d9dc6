import { randomBytes } from "node:crypto";
import { symlinkSync } from "node:fs";
import { inspect } from "node:util";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readEnvironment } from "../../src/config/environment.ts";
import { showValue } from "../../src/config/faults.ts";
import { loadConfig } from "../../src/config/load.ts";
import { secretValues } from "../../src/config/secret.ts";
import { exitCodeOf } from "../../src/domain/errors.ts";
import { tokenSetting } from "../../src/egress/git-host.ts";
import { API_KEY, BOT_TOKEN, createWorld, OAUTH_TOKEN, TOKEN_SECRET } from "./support.ts";

test("the five required settings are enough, and the rest is as the specification's table says", () => {
  const world = createWorld();
  const { config, warnings } = world.load();
  expect(config).toEqual({
    environment: "production",
    home: world.at("home/.sallyport"),
    settingsFile: null,
    approvedDirectory: world.at("projects"),
    sandbox: "require",
    secretFiles: [],
    trackedCredentials: [],
    tools: { kind: "auto" },
    allowedHosts: [],
    localPorts: [],
    timeZone: null,
    approvalTimeoutMs: 3_600_000,
    retention: { contentMs: 30 * 86_400_000, auditMs: 365 * 86_400_000 },
    staleAfterMs: 900_000,
    telegram: { apiRoot: "https://api.telegram.org" },
    access: {
      allowedUsers: [11, 22],
      ownerUsers: [11],
      allowedChats: [],
      takesTokens: false,
      needsToken: false,
      sessionMs: 168 * 3_600_000,
    },
    limits: {
      requestsPerWindow: 20,
      windowMs: 60_000,
      burst: 10,
      costPerUserMicroUsd: 10_000_000,
      isCostLimitExplicit: false,
      costWindow: "day",
      costPerRequestMicroUsd: 5_000_000,
      maxPromptChars: 16_000,
    },
    uploads: {
      types: { groups: ["text", "code", "images", "pdf", "archives"], extensions: [] },
      maxFileBytes: 20 * 1024 * 1024,
      maxArchiveBytes: 100 * 1024 * 1024,
    },
    claude: {
      cliPath: config.claude.cliPath,
      model: null,
      fallbackModel: null,
      effort: null,
      permissionMode: "jail",
      tools: ["Bash", "Read", "Edit", "Write", "Agent", "AskUserQuestion", "EnterPlanMode", "ExitPlanMode"],
      auth: "api-key",
      baseUrl: "https://api.anthropic.com",
      maxProcesses: 4,
      idleMs: 600_000,
      stallMs: 900_000,
    },
    log: { level: "info", format: "auto" },
  });
  expect(warnings).toEqual([]);
});

test("the API's web search, which no filter sees, is not among the tools that can be had", () => {
  const world = createWorld();
  expect(world.load({ CLAUDE_TOOLS: "Bash,WebFetch" }).config.claude.tools).toEqual(["Bash", "WebFetch"]);
  expect(world.faults({ CLAUDE_TOOLS: "Bash,WebSearch" }).slice(1)).toEqual([
    expect.stringMatching(/^ {2}CLAUDE_TOOLS: expected .*WebSearch not among them, got/),
  ]);
});

test("content may be kept as long as the audit, and no longer", () => {
  const world = createWorld();
  const days = (content: string, audit: string) => ({
    CONTENT_RETENTION_DAYS: content,
    AUDIT_RETENTION_DAYS: audit,
  });
  expect(world.load(days("90", "90")).config.retention.contentMs).toBe(90 * 86_400_000);
  expect(world.faults(days("91", "90")).slice(1)).toEqual([
    "  CONTENT_RETENTION_DAYS: expected at most the 90 days of AUDIT_RETENTION_DAYS, got 91",
  ]);
  expect(world.faults(days("0", "1d")).slice(1)).toHaveLength(2);
});

test("H81: every fault is told at once, a line each, with key, expectation and what came, and ends with exit code 78", () => {
  const world = createWorld();
  const lines = world.faults({
    TELEGRAM_BOT_TOKEN: undefined,
    ALLOWED_USERS: "@alice",
    RATE_LIMIT_WINDOW: "1e3",
    APPROVED_DIRECTORY: world.at("missing"),
    CLAUDE_AUTH: "subscription",
    SANDBOX: "off",
  });
  expect(lines[0]).toBe("The settings have 6 faults (no settings file):");
  const find = (key: string) => lines.filter((line) => line.startsWith(`  ${key}: expected `));
  expect(find("TELEGRAM_BOT_TOKEN")).toEqual([expect.stringMatching(/@BotFather.*got nothing$/)]);
  expect(find("ALLOWED_USERS")).toEqual([expect.stringMatching(/ids.*got "@alice" from the environment$/)]);
  expect(find("RATE_LIMIT_WINDOW")).toEqual([
    '  RATE_LIMIT_WINDOW: expected a whole number from 1 to 86400, got "1e3" from the environment',
  ]);
  expect(find("APPROVED_DIRECTORY")).toEqual([expect.stringContaining("does not exist")]);
  expect(find("CLAUDE_CODE_OAUTH_TOKEN")).toEqual([expect.stringContaining("got only ANTHROPIC_API_KEY")]);
  expect(find("SANDBOX")).toEqual([expect.stringContaining("production")]);
  expect(lines).toHaveLength(7);
  try {
    world.load({ ALLOWED_USERS: "" });
    expect.unreachable();
  } catch (error) {
    expect(exitCodeOf(error)).toBe(78);
  }
});

test.each([undefined, "", "  ", ",", " , "])(
  "H04: without a whitelist (%j) the daemon refuses to start",
  (users) => {
    expect(createWorld().faults({ ALLOWED_USERS: users })).toEqual([
      expect.anything(),
      expect.stringMatching(/^ {2}ALLOWED_USERS: expected .*without them nobody may use the bot/),
    ]);
  },
);

test("without a whitelist the daemon starts where tokens are taken, with no owner", () => {
  const { config, secrets } = createWorld().load({
    ALLOWED_USERS: "",
    ENABLE_TOKEN_AUTH: "true",
    AUTH_TOKEN_SECRET: TOKEN_SECRET,
  });
  expect(config.access).toMatchObject({
    allowedUsers: [],
    ownerUsers: [],
    takesTokens: true,
    needsToken: false,
  });
  expect(secrets.tokenSecret?.reveal()).toBe(TOKEN_SECRET);
  expect(secretValues(secrets)).toContain(TOKEN_SECRET);
});

test("a subscription with tokens that let more people in is warned of", () => {
  const { warnings } = createWorld().load({
    CLAUDE_AUTH: "subscription",
    CLAUDE_CODE_OAUTH_TOKEN: OAUTH_TOKEN,
    ANTHROPIC_API_KEY: undefined,
    ALLOWED_USERS: "11",
    ENABLE_TOKEN_AUTH: "true",
    AUTH_TOKEN_SECRET: TOKEN_SECRET,
  });
  expect(warnings).toEqual([
    expect.stringContaining("A subscription speaks for one person, and ENABLE_TOKEN_AUTH"),
  ]);
});

test("H08: where tokens are taken, their secret must be there and of 32 characters; what came is not shown", () => {
  const world = createWorld();
  for (const key of ["ENABLE_TOKEN_AUTH", "REQUIRE_TOKEN"]) {
    expect(world.faults({ [key]: "true" }).slice(1)).toEqual([
      `  AUTH_TOKEN_SECRET: expected a secret, as ${key} is true, got nothing`,
    ]);
    const [, fault, ...others] = world.faults({
      [key]: "true",
      AUTH_TOKEN_SECRET: TOKEN_SECRET.slice(0, 31),
    });
    expect(others).toEqual([]);
    expect(fault).toMatch(/^ {2}AUTH_TOKEN_SECRET: expected a random secret of at least 32 bytes/);
    expect(fault).not.toContain(TOKEN_SECRET.slice(0, 8));
  }
  expect(
    world.faults({ REQUIRE_TOKEN: "true", ALLOWED_USERS: "", AUTH_TOKEN_SECRET: TOKEN_SECRET })[1],
  ).toMatch(/^ {2}ALLOWED_USERS: /);
});

test("an owner must stand on the whitelist, also where that is empty", () => {
  const world = createWorld();
  const tokens = { ENABLE_TOKEN_AUTH: "true", AUTH_TOKEN_SECRET: TOKEN_SECRET };
  expect(world.faults({ ...tokens, ALLOWED_USERS: "", OWNER_USERS: "5" }).slice(1)).toEqual([
    "  OWNER_USERS: expected ids that stand in ALLOWED_USERS too, got 5, not admitted there",
  ]);
  expect(world.faults({ ALLOWED_CHATS: "100" })[1]).toMatch(/^ {2}ALLOWED_CHATS: expected numeric ids/);
  expect(world.faults({ ENABLE_TOKEN_AUTH: "yes" })[1]).toMatch(
    /^ {2}ENABLE_TOKEN_AUTH: expected true or false/,
  );
});

describe("H29: profiles and documents", () => {
  test("a profile's default holds only where nothing is set", () => {
    const world = createWorld();
    expect(world.load().config.log.level).toBe("info");
    expect(world.load({ ENVIRONMENT: "Development" }).config.log.level).toBe("debug");
    expect(world.load({ ENVIRONMENT: "development", LOG_LEVEL: "info" }).config.log.level).toBe("info");
    expect(world.load({ ENVIRONMENT: "development", LOG_LEVEL: "" }).config.log.level).toBe("debug");
    expect(world.load({ ENVIRONMENT: "production", LOG_LEVEL: "trace" }).config.log.level).toBe("trace");
  });

  test("a profile that the settings file names does not overwrite what the environment sets", () => {
    const world = createWorld();
    world.write("home/.sallyport/.env", "ENVIRONMENT=development\nLOG_FORMAT=pretty\n");
    const { config } = world.load({ LOG_LEVEL: "warn" });
    expect(config).toMatchObject({ environment: "development", log: { level: "warn", format: "pretty" } });
  });
});

describe("values", () => {
  test("every setting arrives in its own place and unit", () => {
    const world = createWorld();
    const cli = world.write("tools/claude", "#!/bin/sh\n", 0o755);
    const { config } = world.load({
      TELEGRAM_API_ROOT: "http://127.0.0.1:8081/base/",
      OWNER_USERS: "22",
      ALLOWED_CHATS: "-100123, -7,-7",
      ENABLE_TOKEN_AUTH: "TRUE",
      REQUIRE_TOKEN: "true",
      AUTH_TOKEN_SECRET: TOKEN_SECRET,
      AUTH_SESSION_HOURS: "24",
      RATE_LIMIT_REQUESTS: "1",
      RATE_LIMIT_WINDOW: "2",
      RATE_LIMIT_BURST: "3",
      CLAUDE_MAX_COST_PER_USER: "0.07",
      CLAUDE_COST_WINDOW: "MONTH",
      CLAUDE_MAX_COST_PER_REQUEST: "1.000001",
      MAX_PROMPT_CHARS: "5",
      CLAUDE_CLI_PATH: cli,
      CLAUDE_MODEL: "claude-sonnet-5[1m]",
      CLAUDE_FALLBACK_MODEL: "sonnet",
      CLAUDE_EFFORT: "High",
      CLAUDE_PERMISSION_MODE: "plan",
      CLAUDE_TOOLS: " Read , Bash,Read ",
      ANTHROPIC_BASE_URL: "http://[::1]:9/",
      CLAUDE_MAX_PROCESSES: "6",
      CLAUDE_IDLE_SECONDS: "7",
      CLAUDE_STALL_SECONDS: "8",
      APPROVAL_TIMEOUT_SECONDS: "9",
      STALE_AFTER_SECONDS: "10",
      LOG_FORMAT: "JSON",
      SALLYPORT_HOME: "~/own",
    });
    expect(config.telegram.apiRoot).toBe("http://127.0.0.1:8081/base");
    expect(config.access).toEqual({
      allowedUsers: [11, 22],
      ownerUsers: [22],
      allowedChats: [-100123, -7],
      takesTokens: true,
      needsToken: true,
      sessionMs: 24 * 3_600_000,
    });
    expect(config.limits).toEqual({
      requestsPerWindow: 1,
      windowMs: 2000,
      burst: 3,
      costPerUserMicroUsd: 70_000,
      isCostLimitExplicit: true,
      costWindow: "month",
      costPerRequestMicroUsd: 1_000_001,
      maxPromptChars: 5,
    });
    expect(config.claude).toEqual({
      cliPath: cli,
      model: "claude-sonnet-5[1m]",
      fallbackModel: "sonnet",
      effort: "high",
      permissionMode: "plan",
      tools: ["Read", "Bash"],
      auth: "api-key",
      baseUrl: "http://[::1]:9",
      maxProcesses: 6,
      idleMs: 7000,
      stallMs: 8000,
    });
    expect(config).toMatchObject({
      approvalTimeoutMs: 9000,
      staleAfterMs: 10_000,
      home: world.at("home/own"),
      log: { format: "json" },
    });
  });

  test.each([
    ["RATE_LIMIT_REQUESTS", "0"],
    ["RATE_LIMIT_REQUESTS", "-1"],
    ["RATE_LIMIT_REQUESTS", "+1"],
    ["RATE_LIMIT_REQUESTS", "1.5"],
    ["RATE_LIMIT_REQUESTS", "0x10"],
    ["RATE_LIMIT_REQUESTS", "1_000"],
    ["RATE_LIMIT_REQUESTS", "10001"],
    ["RATE_LIMIT_REQUESTS", "Infinity"],
    ["RATE_LIMIT_REQUESTS", "9".repeat(400)],
    ["CLAUDE_MAX_COST_PER_USER", "0"],
    ["CLAUDE_MAX_COST_PER_USER", "1,5"],
    ["CLAUDE_MAX_COST_PER_USER", "$5"],
    ["CLAUDE_MAX_COST_PER_USER", ".5"],
    ["CLAUDE_MAX_COST_PER_USER", "1.0000001"],
    ["CLAUDE_MAX_COST_PER_USER", "100000.000001"],
    ["ALLOWED_USERS", "11,-22"],
    ["ALLOWED_USERS", "0"],
    ["ALLOWED_USERS", "9007199254740993"],
    ["ALLOWED_USERS", "11 22"],
    ["OWNER_USERS", "33"],
    ["TELEGRAM_BOT_TOKEN", "123456:short"],
    ["TELEGRAM_API_ROOT", "http://api.telegram.org"],
    ["TELEGRAM_API_ROOT", "http://127.0.0.1.example.com"],
    ["TELEGRAM_API_ROOT", "http://localhost.example.com"],
    ["TELEGRAM_API_ROOT", "http://192.168.1.5:8081"],
    ["TELEGRAM_API_ROOT", "https://user:word@example.com"],
    ["TELEGRAM_API_ROOT", "https://example.com/?a=1"],
    ["TELEGRAM_API_ROOT", "ftp://example.com"],
    ["TELEGRAM_API_ROOT", "api.telegram.org"],
    ["ANTHROPIC_BASE_URL", "http://example.com"],
    ["CLAUDE_MODEL", "--dangerously-skip-permissions"],
    ["CLAUDE_MODEL", "opus sonnet"],
    ["CLAUDE_EFFORT", "enormous"],
    ["CLAUDE_PERMISSION_MODE", "bypassPermissions"],
    ["CLAUDE_TOOLS", "default"],
    ["CLAUDE_TOOLS", "Bash,--add-dir"],
    ["CLAUDE_CLI_PATH", "claude"],
    ["CLAUDE_CLI_PATH", "/nonexistent/claude"],
    ["CLAUDE_AUTH", "free"],
    ["SANDBOX", "1"],
    ["SANDBOX_ALLOWED_DOMAINS", "example.com,127.0.0.1"],
    ["SANDBOX_ALLOWED_DOMAINS", "*"],
    ["SECRET_FILES", "/etc/passwd"],
    ["SECRET_FILES", "two words"],
    ["SANDBOX_TOOLS", "automatic"],
    ["SANDBOX_TOOLS", "/opt/node,bin"],
    ["SANDBOX_LOCAL_PORTS", "5432,70000"],
    ["SANDBOX_LOCAL_PORTS", "0"],
    ["LOG_LEVEL", "silent"],
    ["ENVIRONMENT", "staging"],
    ["SALLYPORT_HOME", "relative/home"],
    ["SALLYPORT_HOME", "~"],
    ["SALLYPORT_HOME", "/dev/null"],
    ["APPROVED_DIRECTORY", "projects"],
  ])("%s=%s is refused by one line that names it", (key, value) => {
    expect(createWorld().faults({ [key]: value })).toEqual([
      expect.stringContaining("1 fault "),
      expect.stringMatching(new RegExp(`^  ${key}: expected .+, got .+`)),
    ]);
  });

  test("numbers are read by their decimal digits or not at all", () => {
    const world = createWorld();
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from("0123456789.+-eExX_ ,")) }), (text) => {
        const isPlain = /^\s*\d+\s*$/.test(text) && Number(text) >= 1 && Number(text) <= 1_000_000;
        const isUnset = text.trim() === "";
        const isTaken = world.faults({ MAX_PROMPT_CHARS: text }).length === 0;
        expect(isTaken).toBe(isPlain || isUnset);
        if (isPlain)
          expect(world.load({ MAX_PROMPT_CHARS: text }).config.limits.maxPromptChars).toBe(Number(text));
      }),
      { numRuns: 200 },
    );
  });

  test("amounts are exact to the millionth", () => {
    const world = createWorld();
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000_000_000 }), (microUsd) => {
        const digits = String(microUsd).padStart(7, "0");
        const amount = `${digits.slice(0, -6)}.${digits.slice(-6)}`;
        const { limits } = world.load({ CLAUDE_MAX_COST_PER_REQUEST: amount }).config;
        expect(limits.costPerRequestMicroUsd).toBe(microUsd);
      }),
      { numRuns: 100 },
    );
  });

  test("ids keep their order, blanks and repetitions go", () => {
    const { access } = createWorld().load({ ALLOWED_USERS: " 33,11 ,33,011, " }).config;
    expect(access).toMatchObject({ allowedUsers: [33, 11], ownerUsers: [33] });
  });
});

describe("who pays", () => {
  test("H30: the credential of the other kind is never taken, and its presence is told", () => {
    const world = createWorld();
    const env = { CLAUDE_AUTH: "subscription", CLAUDE_CODE_OAUTH_TOKEN: OAUTH_TOKEN, ALLOWED_USERS: "11" };
    const { secrets, warnings } = world.load(env);
    expect(secrets.claudeCredential.kind).toBe("subscription");
    expect(secrets.claudeCredential.value.reveal()).toBe(OAUTH_TOKEN);
    expect(warnings).toEqual(["ANTHROPIC_API_KEY is set and will not be used: CLAUDE_AUTH is subscription"]);
    expect(secretValues(secrets)).toEqual([BOT_TOKEN, OAUTH_TOKEN, API_KEY]);
  });

  test.each([
    [{ ANTHROPIC_API_KEY: OAUTH_TOKEN }, "ANTHROPIC_API_KEY"],
    [{ CLAUDE_AUTH: "subscription", CLAUDE_CODE_OAUTH_TOKEN: API_KEY }, "CLAUDE_CODE_OAUTH_TOKEN"],
  ])("H30: a credential of one kind under the other's name is refused and not shown", (env, key) => {
    const lines = createWorld().faults(env);
    expect(lines).toEqual([
      expect.anything(),
      expect.stringMatching(`^  ${key}: .*got something else \\(not shown\\)`),
    ]);
    expect(lines.join("\n")).not.toContain("sk-ant-");
  });

  test("a subscription shared by several people is warned about", () => {
    const env = { CLAUDE_AUTH: "subscription", CLAUDE_CODE_OAUTH_TOKEN: OAUTH_TOKEN, ANTHROPIC_API_KEY: "" };
    const world = createWorld();
    expect(world.load(env).warnings).toEqual([expect.stringContaining("one person")]);
    expect(world.load({ ...env, ALLOWED_USERS: "11" }).warnings).toEqual([]);
  });
});

test("SANDBOX=off is refused in production and warned about in development", () => {
  const world = createWorld();
  expect(world.faults({ SANDBOX: "off" })).toHaveLength(2);
  const { config, warnings } = world.load({ SANDBOX: "off", ENVIRONMENT: "development" });
  expect(config.sandbox).toBe("off");
  expect(warnings).toEqual([expect.stringContaining("SANDBOX is off")]);
});

test("a platform without a jail is refused", () => {
  expect(createWorld().faults({}, { platform: "win32" }).at(-1)).toMatch(
    /^ {2}platform: expected macOS or Linux/,
  );
});

test("no fault's text holds a secret, also where it stands under a key that is none", () => {
  const world = createWorld();
  const text = world
    .faults({
      ALLOWED_USERS: BOT_TOKEN,
      CLAUDE_MODEL: `x ${API_KEY}`,
      TELEGRAM_API_ROOT: `https://me:hidden-word@example.com/bot${BOT_TOKEN}`,
      LOG_LEVEL: OAUTH_TOKEN,
      CLAUDE_CODE_OAUTH_TOKEN: "a b",
    })
    .join("\n");
  for (const secret of [BOT_TOKEN, API_KEY, OAUTH_TOKEN, "hidden-word", "a b"])
    expect(text).not.toContain(secret);
});

test("control characters of a value do not reach the terminal that shows the fault", () => {
  const lines = createWorld().faults({ LOG_LEVEL: "a\nb\u001b[2J" });
  expect(lines).toHaveLength(2);
  expect(lines.at(-1)).toContain('"a\\nb\\u001b[2J"');
});

describe("what a fault shows of a value that is no secret's", () => {
  const NOT_SHOWN = "something that looks like a secret (not shown)";

  test.each(["hex", "base64", "base64url"] as const)("next to no random text is shown: %s", (encoding) => {
    const secrets = Array.from({ length: 5_000 }, () => randomBytes(32).toString(encoding));
    expect(secrets.filter((secret) => showValue(secret) !== NOT_SHOWN).length).toBeLessThan(5);
  });

  test("a secret is not shown under whatever key, blanks and others beside it", () => {
    const secret = "a2v1x9Qz/8RkT0uWmB4cY7hN+J3fL6sDgEoPqVi5KtM=";
    const env = { CLAUDE_EFFORT: secret, RATE_LIMIT_BURST: `${secret} `, ALLOWED_USERS: `7,${secret}` };
    const lines = createWorld().faults(env).slice(1);
    expect(lines).toEqual(Array.from({ length: 3 }, () => expect.stringContaining(NOT_SHOWN)));
  });

  test.each([
    "0b5e1f0c9a7d4c3e8f2a6b1d0c9e8f7a6b5c4d3e", // a digest of git's
    "3f2a9c01-7b6e-4d1f-9a3c-5e8b0d2f4c6a",
    "path/to/3q2Zk9sPfQ0c1vXhY7RtLmNa8JwUdBgE5oTiKpCx6Hs",
  ])("nor is %s", (value) => {
    expect(createWorld().faults({ CLAUDE_EFFORT: value }).at(-1)).toContain(NOT_SHOWN);
  });

  test.each([
    "Users/monika.muster/Documents/ClaudeProjects/customers-2026/Q3",
    "https://git-server-7.Intranet.example.com:8443/v2/AnthropicProxy?x=1",
    "~/Library/Application Support/JetBrains/IntelliJIdea2025.3/workspace",
    "2026-11-27T06:17:30.123Z/backup-of-the-whole-machine-2026-11-27T06-17-30Z",
    "APPROVED_DIRECTORY=the-folder-that-holds-the-projects",
    "claude-sonnet-4-5-20250929-with-a-long-tail",
    "100110021003100410051006",
    "1001,1002,1003;1004;1005;1006;1007;1008",
  ])("a person sees %s, which is wrong and no secret", (value) => {
    expect(createWorld().faults({ CLAUDE_EFFORT: value }).at(-1)).toContain(`got "${value}" from`);
  });

  test.each([
    ["5\u200b", '"5\\u{200b}"'],
    ["5\u202e", '"5\\u{202e}"'],
    ["\u{e0041}5", '"\\u{e0041}5"'],
    ["1\u00a0000", '"1\\u{a0}000"'],
    ["1\ufeff0", '"1\\u{feff}0"'],
    ["5\u0085\u2028x", '"5\\u{85}\\u{2028}x"'],
  ])("what is invisible in %j is written out", (value, shown) => {
    expect(createWorld().faults({ RATE_LIMIT_BURST: value }).at(-1)).toContain(`got ${shown} from`);
  });

  test("nor is anything invisible in a path, which is shown whatever it is made of", () => {
    const path = "/nix/store/8s7fh3x1k9d2p0q5v6w4c8z7b1n3m2l0-claude\u200b";
    const shown = '"/nix/store/8s7fh3x1k9d2p0q5v6w4c8z7b1n3m2l0-claude\\u{200b}"';
    const lines = createWorld().faults({ CLAUDE_CLI_PATH: path, APPROVED_DIRECTORY: path });
    expect(lines.slice(1)).toEqual([
      expect.stringContaining(`got ${shown}, which is none`),
      expect.stringContaining(`got ${shown}, which does not exist`),
    ]);
  });
});

test("secrets print as [redacted] in whatever way they are printed", () => {
  const { config, secrets } = createWorld().load();
  const shown = [
    JSON.stringify(secrets),
    inspect(secrets, { depth: 9, showHidden: true }),
    ["token: ", secrets.botToken].join(""),
    String(secrets.claudeCredential.value),
    JSON.stringify(config),
    inspect({ ...secrets.botToken }),
  ].join("\n");
  expect(shown).toContain("[redacted]");
  for (const secret of [BOT_TOKEN, API_KEY]) expect(shown).not.toContain(secret);
  expect(secrets.botToken.reveal()).toBe(BOT_TOKEN);
});

describe("the Claude CLI", () => {
  test("is found on PATH, in absolute folders only, and its link is kept", () => {
    const world = createWorld();
    const real = world.write("versions/claude-1", "", 0o755);
    world.write("bin/placeholder", "");
    symlinkSync(real, world.at("bin/claude"));
    const { config } = world.load({ PATH: `:relative:./x:${world.at("bin")}` }, { cwd: world.at("bin") });
    expect(config.claude.cliPath).toBe(world.at("bin/claude"));
  });

  test("H80: is found in the usual places when PATH has none of them", () => {
    const world = createWorld();
    const cli = world.write("home/.local/bin/claude", "", 0o755);
    expect(world.load({ PATH: world.at("elsewhere") }).config.claude.cliPath).toBe(cli);
  });

  test("a folder or a file that may not be run is passed over", () => {
    const world = createWorld();
    world.write("one/claude/file", "");
    world.write("two/claude", "", 0o644);
    const cli = world.write("three/claude", "", 0o755);
    const path = ["one", "two", "three"].map(world.at).join(":");
    expect(world.load({ PATH: path }).config.claude.cliPath).toBe(cli);
  });
});

test("H36: settings of other programs in the environment neither matter nor travel on", () => {
  const world = createWorld();
  const hostile = {
    NODE_OPTIONS: "--require /tmp/x.js",
    LD_PRELOAD: "/tmp/x.so",
    CLAUDE_UNKNOWN: "1",
    GIT_DIR: "/x",
  };
  expect(JSON.stringify(world.load(hostile).config)).toBe(JSON.stringify(world.load().config));
});

test("the process's own surroundings point at the checkout and are a copy", () => {
  const surroundings = readEnvironment();
  expect(surroundings.programDir).toBe(new URL("../..", import.meta.url).pathname.replace(/\/$/, ""));
  expect(surroundings.nodePath).toBe(process.execPath);
  expect(surroundings.env).not.toBe(process.env);
  expect(() => loadConfig({ ...surroundings, env: {}, argv: { envFile: "/nonexistent" } })).toThrow(
    "settings file",
  );
});

test("GIT_TOKEN_<HOST> is a secret for that host, from the environment, a settings file or a file of its own", () => {
  const world = createWorld();
  const file = world.write("token", "token-for-gitlab\n");
  const path = world.write("some.env", "GIT_TOKEN_GIT_MY_CORP_EXAMPLE=token-for-corp\n");
  const env = { GIT_TOKEN_GITHUB_COM: "token-for-github", GIT_TOKEN_GITLAB_COM_FILE: file };
  const { secrets, config } = world.load(env, { argv: { envFile: path } });
  const tokens = [...secrets.gitTokens].map(([host, token]) => [host, token.reveal()] as const);
  expect(Object.fromEntries(tokens)).toEqual({
    GITHUB_COM: "token-for-github",
    GITLAB_COM: "token-for-gitlab",
    GIT_MY_CORP_EXAMPLE: "token-for-corp",
  });
  expect(secretValues(secrets)).toEqual(expect.arrayContaining(["token-for-github", "token-for-corp"]));
  expect(JSON.stringify([config, [...secrets.gitTokens]])).not.toContain("token-for");
  const lines = world.faults({ GIT_TOKEN_GITHUB_COM: "two words that show" });
  expect(lines.slice(1)).toEqual([
    expect.stringMatching(/GIT_TOKEN_GITHUB_COM: expected a token.*not shown/),
  ]);
});

describe("a git token that is no host's", () => {
  const hidden = "ghp-hush-hush-hush";

  test.each([
    ["GIT_TOKEN_GITHUB", "; did you mean GIT_TOKEN_GITHUB_COM?"],
    ["GIT_TOKEN_GITHUB_FILE", "; did you mean GIT_TOKEN_GITHUB_COM_FILE?"],
    ["GIT_TOKEN_FILE", ""],
    ["GIT_TOKEN_LOCALHOST", ""],
    ["GIT_TOKEN_10_0_0_1", ""],
    ["GIT_TOKEN_GITHUB_COM_", "; did you mean GIT_TOKEN_GITHUB_COM?"],
    ["GIT_TOKEN_github_com", "; did you mean GIT_TOKEN_GITHUB_COM?"],
  ])("%s is a fault that says what is expected, in the environment as in the file", (name, hint) => {
    const world = createWorld();
    const fault = `  ${name}: expected the whole name of a git host behind GIT_TOKEN_, in capitals with every other sign as _, such as GIT_TOKEN_GITHUB_COM${hint}, got the name of no host`;
    expect(world.faults({ [name]: hidden }).slice(1)).toEqual([fault]);
    expect(world.faults({ [name]: " " })).toEqual([]);
    const envFile = world.write("some.env", `${name}=${hidden}\n`);
    expect(world.faults({}, { argv: { envFile } }).slice(1)).toEqual([fault]);
  });

  test("the tail of every host that a remote can name is taken", () => {
    const hosts = [
      "github.com",
      "git.my-corp.example",
      "a--b.co.uk",
      "x.y",
      `${"a".repeat(60)}.${"b".repeat(60)}.io`,
    ];
    const world = createWorld();
    for (const host of hosts) {
      const key = tokenSetting(host);
      expect(world.load({ [key]: "a-token-of-a-host" }).secrets.gitTokens.size).toBe(1);
      expect(world.faults({ [`${key}_FILE`]: "/nowhere/token" }).slice(1)).toEqual([
        expect.stringMatching(`^  ${key}_FILE: expected a file that can be read`),
      ]);
    }
  });

  test("one of another program is left alone where TRACK_CREDENTIALS names it", () => {
    const { secrets } = createWorld().load({ TRACK_CREDENTIALS: "GIT_TOKEN_WORK", GIT_TOKEN_WORK: hidden });
    expect(secrets.gitTokens.size).toBe(0);
    expect(secretValues(secrets)).toContain(hidden);
  });

  test("a name in another case is told in the environment, which is other programs' too, and GITHUB_TOKEN is not", () => {
    const env = { git_token_github_com: hidden, GITHUB_TOKEN: hidden, GH_TOKEN: hidden };
    expect(createWorld().load(env).warnings).toEqual([
      "git_token_github_com of the environment is no setting: did you mean GIT_TOKEN_GITHUB_COM?",
    ]);
  });
});
