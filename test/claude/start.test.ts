import { afterEach, expect, test } from "vitest";
import { denyRules } from "../../src/claude/deny-rules.ts";
import { createFarSide, init, result, type Scenario, setScenario } from "./far-side.ts";
import type { House } from "./house.ts";

let house: House;
afterEach(() => house.dispose());

async function startWith(scenario: Scenario, startTimeoutMs = 5000) {
  house = await createFarSide(scenario, { startTimeoutMs });
  const running = house.start(house.session(), "never to be seen");
  const { end } = await running.done;
  return { outcome: end.outcome, isPrompted: running.isPrompted() };
}

const refused: readonly (readonly [string, Scenario, RegExp])[] = [
  ["an older CLI", { version: "2.1.329" }, /Expected Claude CLI 2\.1\.330 or a later 2\.x, got 2\.1\.329/],
  ["a CLI of another major version", { version: "3.0.0" }, /got 3\.0\.0/],
  ["a version that is none", { version: "newest" }, /got newest/],
  [
    "H30: a subscription where an API key is to pay",
    { account: { tokenSource: "CLAUDE_CODE_OAUTH_TOKEN", apiProvider: "firstParty" } },
    /paid for by CLAUDE_AUTH=api-key, got token CLAUDE_CODE_OAUTH_TOKEN, key none/,
  ],
  [
    "H30: a second credential beside the right one",
    {
      account: {
        tokenSource: "CLAUDE_CODE_OAUTH_TOKEN",
        apiKeySource: "ANTHROPIC_API_KEY",
        apiProvider: "firstParty",
      },
    },
    /got token CLAUDE_CODE_OAUTH_TOKEN, key ANTHROPIC_API_KEY/,
  ],
  [
    "H30: a key from elsewhere",
    { account: { tokenSource: "none", apiKeySource: "apiKeyHelper", apiProvider: "firstParty" } },
    /key apiKeyHelper/,
  ],
  [
    "H30: another provider",
    { account: { tokenSource: "none", apiKeySource: "ANTHROPIC_API_KEY", apiProvider: "bedrock" } },
    /provider bedrock/,
  ],
  [
    "H02: a CLI that did not take our hook",
    { hooks: { hooks_applied: false } },
    /expected the CLI to take the hook/i,
  ],
  [
    "H02: a CLI that says nothing of our hook",
    { initialize: [silentOfHooks()] },
    /expected the CLI to take the hook/i,
  ],
  [
    "H02: a CLI that lets a call pass when our hook fails",
    { hooks: { hook_on_failure_supported: false } },
    /expected the CLI to take the hook/i,
  ],
  ["another permission mode", { permissionMode: "acceptEdits" }, /permission mode default, got acceptEdits/],
  [
    "a reply without an account",
    { initialize: [reply({ claude_code_version: "2.1.330" })] },
    /report its version/,
  ],
  [
    "dropped deny rules",
    { rules: [reply({ state: { rules: [], workspaceDirectories: [] } })] },
    /it dropped \d+: Read/,
  ],
  ["rules that cannot be read", { rules: [reply({})] }, /list its permission rules/],
  ["an MCP server", { mcp: [reply({ mcpServers: [{ name: "evil" }] })] }, /no MCP server, got 1/],
  ["a request that is refused", { mcp: [refusal("no such thing")] }, /mcp_status was refused: no such thing/],
];

test.each(refused)("%s is not prompted and leaves no process", async (_what, scenario, detail) => {
  const { outcome, isPrompted } = await startWith(scenario);
  expect(outcome).toMatchObject({ kind: "failed", code: "startup", detail: expect.stringMatching(detail) });
  expect(isPrompted).toBe(false);
  expect(house.runner.warm()).toBe(0);
  expect(house.proxy.openLeases()).toBe(0);
});

test("an allow rule from anywhere is refused, though every deny rule is there", async () => {
  house = await createFarSide({});
  const rules = [
    ...denyRules().map((rule) => ({ behavior: "deny", source: "flagSettings", rule })),
    { behavior: "allow", source: "localSettings", rule: "Bash" },
  ];
  await setScenario(house, { rules: [reply({ state: { rules, workspaceDirectories: [] } })] });
  const { end } = await house.run(house.session(), "x");
  expect(end.outcome).toMatchObject({
    code: "startup",
    detail: expect.stringContaining("allow Bash from localSettings"),
  });
});

test("a CLI that ends at its start is told with the last line it wrote, in one line", async () => {
  const { outcome } = await startWith({
    start: [{ stderr: "first\nerror: unknown \u001b[31moption\t'--x'\n" }, { exit: 1 }],
  });
  expect(outcome).toEqual({
    kind: "failed",
    code: "startup",
    detail: "error: unknown [31moption '--x'",
    resetsAt: null,
  });
});

test("a CLI that ends without a word is told by its exit code", async () => {
  const { outcome } = await startWith({ start: [{ exit: 3 }] });
  expect(outcome).toMatchObject({ code: "startup", detail: "The CLI ended at its start (exit code 3)" });
});

test("a session that is open elsewhere is told as such", async () => {
  const { outcome } = await startWith({
    start: [{ stderr: "Error: Session ID 1-2-3 is already in use.\n" }, { exit: 1 }],
  });
  expect(outcome).toMatchObject({ kind: "failed", code: "session_busy" });
});

test("a session that the CLI does not find is told as lost, without waiting for its end", async () => {
  const { outcome } = await startWith({
    start: [
      result({
        subtype: "error_during_execution",
        is_error: true,
        errors: ["No conversation found with session ID: 1"],
        user_message_uuids: null,
      }),
    ],
  });
  expect(outcome).toEqual({ kind: "failed", code: "session_lost", detail: null, resetsAt: null });
});

test("a CLI that never answers is killed at the deadline", async () => {
  const { outcome } = await startWith({ initialize: [] }, 400);
  expect(outcome).toMatchObject({
    code: "startup",
    detail: expect.stringContaining("within 400 ms"),
  });
  expect(house.runner.warm()).toBe(0);
});

test("output that is no protocol ends the start as a protocol failure", async () => {
  const { outcome } = await startWith({ initialize: [{ raw: "Welcome!\n" }] });
  expect(outcome).toMatchObject({ kind: "failed", code: "protocol" });
});

test("a program that is not there fails the start with the jail's words", async () => {
  house = await createFarSide({}, { settings: { program: "/nonexistent/claude" } });
  const { end } = await house.run(house.session(), "x");
  expect(end.outcome).toMatchObject({
    code: "startup",
    detail: expect.stringContaining("/nonexistent/claude"),
  });
  expect(house.proxy.openLeases()).toBe(0);
});

test("a stop while the process starts ends the turn as stopped, unprompted", async () => {
  house = await createFarSide({ initialize: [] });
  const running = house.start(house.session(), "x");
  setTimeout(running.stop, 150);
  expect((await running.done).end.outcome).toEqual({ kind: "stopped" });
  expect(running.isPrompted()).toBe(false);
  expect(house.runner.warm()).toBe(0);
});

test("a stop before anything happened starts no process", async () => {
  house = await createFarSide({});
  const running = house.start(house.session(), "x", { signal: AbortSignal.abort() });
  expect((await running.done).end.outcome).toEqual({ kind: "stopped" });
  expect(house.logged).toEqual(
    expect.not.arrayContaining([expect.objectContaining({ event: "claude.exited" })]),
  );
});

test("a newer CLI is let through and logged", async () => {
  house = await createFarSide({ version: "2.4.0", prompts: [[init, result()]] });
  const { end } = await house.run(house.session(), "x");
  expect(end.outcome).toEqual({ kind: "completed", text: "done" });
  expect(house.logged).toContainEqual(
    expect.objectContaining({ event: "claude.untested_version", version: "2.4.0" }),
  );
});

function reply(response: Record<string, unknown>) {
  const body = { subtype: "success", request_id: "$request", response };
  return { out: { type: "control_response", response: body } };
}

function silentOfHooks() {
  return reply({
    claude_code_version: "2.1.330",
    current_permission_mode: "default",
    account: { tokenSource: "none", apiKeySource: "ANTHROPIC_API_KEY", apiProvider: "firstParty" },
  });
}

function refusal(error: string) {
  return { out: { type: "control_response", response: { subtype: "error", request_id: "$request", error } } };
}
