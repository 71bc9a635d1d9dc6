import { expect, test } from "vitest";
import { claudeArgs } from "../../src/claude/argv.ts";
import { denyRules } from "../../src/claude/deny-rules.ts";
import { claudeEnv } from "../../src/claude/env.ts";
import { JAIL_FACTS } from "../../src/claude/jail-facts.ts";
import type { ClaudeSettings } from "../../src/claude/types.ts";

const settings: ClaudeSettings = {
  program: "/opt/claude",
  auth: "api-key",
  model: null,
  fallbackModel: null,
  effort: null,
  permissionMode: "ask",
  tools: ["Bash", "Read"],
  maxProcesses: 1,
  idleMs: 1,
  stallMs: 1,
  stopGraceMs: 1,
};
const session = { sessionId: "11111111-1111-4111-8111-111111111111", isResume: false, rules: denyRules() };
const inside = {
  program: ["/opt/claude"],
  project: "/work/app",
  configDir: "/home/bot/.claude",
  apiSocket: "/run/api.sock",
  proxyPort: null,
  cacheDir: null,
  home: "/home/bot",
  tmp: "/tmp",
  path: "/usr/bin:/bin",
};

test("the arguments of a new session, all of them", () => {
  expect(claudeArgs(settings, session)).toEqual([
    "-p",
    "--output-format=stream-json",
    "--input-format=stream-json",
    "--verbose",
    "--include-partial-messages",
    "--permission-prompt-tool=stdio",
    "--permission-mode=default",
    "--setting-sources=",
    "--strict-mcp-config",
    "--disable-slash-commands",
    "--tools=Bash,Read",
    `--settings=${JSON.stringify({ permissions: { deny: denyRules() } })}`,
    `--append-system-prompt=${JAIL_FACTS}`,
    "--session-id=11111111-1111-4111-8111-111111111111",
  ]);
});

test("a resumed session, plan mode, model and effort", () => {
  const args = claudeArgs(
    { ...settings, permissionMode: "plan", model: "opus", effort: "low" },
    { ...session, isResume: true },
  );
  expect(args).toContain("--permission-mode=plan");
  expect(args.slice(-3)).toEqual([`--resume=${session.sessionId}`, "--model=opus", "--effort=low"]);
  expect(args.join()).not.toContain("--session-id");
});

test("H02: nothing is allowed beforehand: no allow rule, no bypass, no flag that swallows what follows", () => {
  const args = claudeArgs({ ...settings, model: "opus", effort: "max" }, session);
  expect(args.join("\n")).not.toMatch(/allow|bypass|dangerously|acceptEdits|add-dir|mcp-config=/i);
  for (const argument of args.filter((one) => one !== "-p")) expect(argument).toMatch(/^--[a-z-]+(=|$)/);
});

test("H36: the environment is these variables and no other; who pays decides which holds the placeholder", () => {
  const common = {
    PATH: "/usr/bin:/bin",
    HOME: "/home/bot",
    TMPDIR: "/tmp",
    CLAUDE_CODE_TMPDIR: "/tmp",
    CLAUDE_CONFIG_DIR: "/home/bot/.claude",
    LANG: "C.UTF-8",
    TERM: "dumb",
    ANTHROPIC_UNIX_SOCKET: "/run/api.sock",
    ANTHROPIC_BASE_URL: "http://localhost",
    DISABLE_TELEMETRY: "1",
    DISABLE_AUTOUPDATER: "1",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    CLAUDE_CODE_DISABLE_FILE_MENTIONS: "1",
    CLAUDE_CODE_DISABLE_AUTO_MEMORY: "1",
    CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: "1",
    CLAUDE_CODE_MAX_RETRIES: "4",
  };
  expect(claudeEnv({ inside, auth: "api-key", token: "t" })).toEqual({ ...common, ANTHROPIC_API_KEY: "t" });
  expect(claudeEnv({ inside, auth: "subscription", token: "t" })).toEqual({
    ...common,
    CLAUDE_CODE_OAUTH_TOKEN: "t",
  });
});
