import { afterEach, beforeEach, expect, test } from "vitest";
import {
  callTool,
  createQueueScript,
  fail,
  type QueueStep,
  reply,
} from "../../src/demo/messages-api/scripts.ts";
import type { ModelRequest } from "../../src/demo/messages-api/types.ts";
import { createHarness, REAL } from "./harness.ts";
import { type Claude, createClaudeHome } from "./run-claude.ts";

let home: Awaited<ReturnType<typeof createClaudeHome>>;
let harness: Awaited<ReturnType<typeof createHarness>>;
let seen: ModelRequest[];

beforeEach(async () => {
  home = await createClaudeHome();
  seen = [];
});
afterEach(async () => {
  await home.dispose();
  await harness.dispose();
});

async function startWith(kind: "api-key" | "subscription", steps: readonly QueueStep[]): Promise<Claude> {
  const queue = createQueueScript(steps);
  harness = await createHarness({
    kind,
    script: (request) => {
      seen.push(request);
      return queue(request);
    },
  });
  return home.start({
    ANTHROPIC_UNIX_SOCKET: harness.proxy.socketPath,
    ANTHROPIC_BASE_URL: "http://localhost",
    [kind === "api-key" ? "ANTHROPIC_API_KEY" : "CLAUDE_CODE_OAUTH_TOKEN"]: harness.lease.token,
  });
}

async function allow(claude: Claude): Promise<void> {
  const ask = await claude.next(({ type }) => type === "control_request");
  const response = { behavior: "allow", updatedInput: ask.request.input };
  claude.send({
    type: "control_response",
    response: { subtype: "success", request_id: ask.request_id, response },
  });
}

test.each([["api-key"], ["subscription"]] as const)(
  "H06: by %s the API gets the credential, and `env` inside shows at most the placeholder",
  async (kind) => {
    const claude = await startWith(kind, [
      callTool("Bash", { command: "env | sort; touch done", description: "look" }),
      reply("done"),
    ]);
    claude.say("show me the environment");
    await allow(claude);
    expect(await claude.next(({ type }) => type === "result")).toMatchObject({
      result: "done",
      is_error: false,
    });

    const environment = seen[1]?.toolResults[0]?.text ?? "";
    expect(environment).toContain("ANTHROPIC_UNIX_SOCKET=");
    // The CLI itself keeps a subscription's token from Bash, but not a key.
    expect(environment.includes(harness.lease.token)).toBe(kind === "api-key");
    expect(environment).not.toContain(REAL);
    expect(seen).toHaveLength(2);
    for (const { headers } of seen) {
      const credential = [headers["x-api-key"], headers.authorization];
      expect(credential).toEqual(kind === "api-key" ? [REAL, undefined] : [undefined, `Bearer ${REAL}`]);
      if (kind === "subscription") expect(headers["anthropic-beta"]).toContain("oauth");
    }
    expect(JSON.stringify([claude.lines, harness.logged])).not.toContain(REAL);
  },
);

test("H10: what the meter counts is what the CLI says it cost, to the millionth of a dollar", async () => {
  const usage = {
    inputTokens: 1234,
    cacheReadTokens: 20_000,
    cacheWrite5mTokens: 300,
    cacheWrite1hTokens: 40,
  };
  const claude = await startWith("api-key", [
    { ...callTool("Bash", { command: "echo hi", description: "x" }, "Looking."), usage },
    { ...reply("done"), usage: { ...usage, outputTokens: 77 } },
  ]);
  const result = await claude.turn("go");
  const finals = await harness.finals(2);
  const metered = finals.reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0);
  expect(metered).toBeGreaterThanOrEqual(result.total_cost_usd * 1_000_000 - 0.001);
  expect(metered).toBeLessThan(result.total_cost_usd * 1_000_000 + 2);
});

test("a spent budget is one request, shown as it stands, and the next turn is fine", async () => {
  const claude = await startWith("api-key", [reply("never"), reply("paid again")]);
  let asked = 0;
  harness.lease.setPayer({
    ...harness.payer,
    mayStart: () => {
      asked += 1;
      return { kind: "refuse", message: "Sallyport: $5.00 are spent." };
    },
  });
  expect(await claude.turn("hello")).toMatchObject({
    is_error: true,
    api_error_status: 402,
    result: "API Error: 402 Sallyport: $5.00 are spent.",
  });
  expect(asked).toBe(1);
  expect(seen).toEqual([]);
  harness.lease.setPayer(harness.payer);
  expect(await claude.turn("again")).toMatchObject({ is_error: false, result: "never" });
});

test("between turns nobody pays: a request then ends at once with the reason", async () => {
  const claude = await startWith("subscription", [reply("x")]);
  harness.lease.setPayer(null);
  const result = await claude.turn("hello");
  expect(result).toMatchObject({ is_error: true, api_error_status: 402 });
  expect(result.result).toContain("no turn is running");
  expect(claude.lines.some(({ subtype }) => subtype === "api_retry")).toBe(false);
});

test("H30: a refused subscription ends the turn; no key takes its place", async () => {
  const refused = fail(403, "permission_error", "This organization is disabled.");
  const claude = await startWith("subscription", Array(8).fill(refused));
  expect(await claude.turn("hello")).toMatchObject({ is_error: true, api_error_status: 403 });
  expect(seen.length).toBeGreaterThan(0);
  expect(new Set(seen.map(({ headers }) => headers.authorization))).toEqual(new Set([`Bearer ${REAL}`]));
  expect(seen.every(({ headers }) => headers["x-api-key"] === undefined)).toBe(true);
  expect(harness.usages).toEqual([]);
});

test("H10: a turn that is interrupted, and one whose process is killed, have their true input charged", async () => {
  const hang: QueueStep = { kind: "hang", afterText: "x".repeat(40), usage: { inputTokens: 1000 } };
  const claude = await startWith("api-key", [hang, hang]);
  claude.say("talk");
  await claude.next(({ event }) => event?.delta?.type === "text_delta");
  claude.send({ type: "control_request", request_id: "i", request: { subtype: "interrupt" } });
  await claude.next(({ type }) => type === "result");
  expect(await harness.finals(1)).toMatchObject([{ isCut: true, inputTokens: 1000 }]);

  claude.say("talk again");
  await claude.next(({ event }) => event?.delta?.type === "text_delta");
  await claude.kill("SIGKILL");
  const [, killed] = await harness.finals(2);
  expect(killed).toMatchObject({ isCut: true, inputTokens: 1000 });
  expect(killed?.outputTokens).toBeGreaterThan(4);
});

test("a released lease stops a process that goes on by itself", async () => {
  const claude = await startWith("api-key", [reply("x")]);
  harness.lease.release();
  const result = await claude.turn("hello");
  expect(result).toMatchObject({ is_error: true, api_error_status: 401 });
  expect(seen).toEqual([]);
  expect(claude.lines.some(({ subtype }) => subtype === "api_retry")).toBe(false);
});
