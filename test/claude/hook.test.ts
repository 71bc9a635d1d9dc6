import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { Judge } from "../../src/claude/judge.ts";
import type { ClaudeTurn } from "../../src/claude/types.ts";
import { callTool, createQueueScript, type QueueStep, reply } from "../../src/demo/messages-api/scripts.ts";
import { MCP_SERVER, MCP_TOOL } from "../attacks/mcp-server.ts";
import { createHouse, type House } from "./house.ts";
import { type Line, part, type Wire } from "./wire.ts";

let house: House;
afterEach(() => house.dispose());

const allow: ClaudeTurn["decide"] = async ({ input }) => ({ kind: "allow", input });
const noOpinion: Judge = () => ({ kind: "leave" });

/** A turn with those calls for a person who allows all, with neither rules nor jail: what is held, the hook holds. */
async function run(calls: readonly QueueStep[], wire: Wire, atHook: Judge = noOpinion) {
  house = await createHouse({
    script: createQueueScript([...calls, reply("done")]),
    sandbox: "off",
    policy: { rules: [], atAsk: noOpinion, atHook },
    wire,
  });
  await writeFile(join(house.project, "notes.txt"), "CANARY\n");
  const { end, asks } = await house.run(house.session(), "go", { decide: allow });
  expect(end.outcome).toEqual({ kind: "completed", text: "done" });
  return {
    asked: asks.map(({ toolName }) => toolName),
    isTouched: existsSync(join(house.project, "made.txt")),
    isRead: JSON.stringify(house.api.requests.map(({ body }) => body)).includes("CANARY"),
  };
}

/** One call that the CLI asks about, one that it allows by itself. */
const CALLS = [
  callTool("Bash", { command: "touch made.txt" }),
  callTool("Bash", { command: "cat notes.txt" }),
];

test("with the hook's answers as they are a person is asked, and what he allows runs: the control", async () => {
  expect(await run(CALLS, {})).toEqual({ asked: ["Bash"], isTouched: true, isRead: true });
});

const decision = (over: object) => ({
  hookSpecificOutput: { hookEventName: "PreToolUse", permissionDecision: "allow", ...over },
});
const lost = () => null;
const FAILURES: readonly (readonly [string, (requestId: unknown) => Line | null])[] = [
  ["never answered", lost],
  ["answered with an error", (request_id) => ({ subtype: "error", request_id, error: "no" })],
  ["answered with a text", (request_id) => success(request_id, "allow")],
  ["answered with a list", (request_id) => success(request_id, [decision({})])],
  ["answered without a response", (request_id) => ({ subtype: "success", request_id })],
  [
    "answered with a decision that is none",
    (request_id) => success(request_id, decision({ permissionDecision: "perhaps" })),
  ],
  ["answered for another event", (request_id) => success(request_id, decision({ hookEventName: "Stop" }))],
];

test.each(FAILURES)("H02: a hook that is %s blocks the call, and nobody is asked", async (_how, answer) => {
  const isHooks = hookRequests();
  const wire: Wire = {
    fromCli: isHooks.note,
    toCli: (line) => {
      const requestId = isHooks.answeredBy(line);
      if (requestId === null) return answer === lost ? quick(line) : line;
      const response = answer(requestId);
      return response === null ? null : { type: "control_response", response };
    },
  };
  expect(await run(CALLS, wire)).toEqual({ asked: [], isTouched: false, isRead: false });
  expect(isHooks.seen()).toBe(2);
});

/** The daemon takes no CLI with an MCP server: on this wire it does not see the one that there is. */
function withServer(seen: Line[]): Wire {
  return {
    args: [`--mcp-config=${JSON.stringify({ mcpServers: { evil: MCP_SERVER } })}`],
    fromCli: (line) => {
      if (part(line, "request").subtype === "hook_callback") seen.push(part(part(line, "request"), "input"));
      if (line.subtype === "init") return { ...line, tools: [], mcp_servers: [] };
      const response = part(line, "response");
      if (!("mcpServers" in part(response, "response"))) return line;
      return { ...line, response: { ...response, response: { mcpServers: [] } } };
    },
  };
}

test.each<readonly [string, Judge, readonly string[], boolean]>([
  ["a hook without an opinion leaves it to a person", noOpinion, [MCP_TOOL], true],
  ["a hook that denies ends it", () => ({ kind: "deny", cause: "network" }), [], false],
])("H02: the hook sees the call of an MCP server's tool: %s", async (_what, judge, asked, isTouched) => {
  const seen: Line[] = [];
  const judged: boolean[] = [];
  const atHook: Judge = (call, project) => {
    judged.push(call.isMcp);
    return judge(call, project);
  };
  const call = callTool(MCP_TOOL, { path: "made.txt", text: "x" });
  expect(await run([call], withServer(seen), atHook)).toMatchObject({ asked, isTouched });
  expect(judged).toEqual([true]);
  expect(seen).toMatchObject([{ tool_name: MCP_TOOL, mcp_server: expect.anything() }]);
});

/** Finds the daemon's answers to calls of the hook. */
function hookRequests() {
  const ids = new Set<unknown>();
  return {
    seen: () => ids.size,
    note: (line: Line) => {
      if (part(line, "request").subtype === "hook_callback") ids.add(line.request_id);
      return line;
    },
    answeredBy: (line: Line) => {
      const { request_id } = part(line, "response");
      return ids.has(request_id) ? request_id : null;
    },
  };
}

/** The hook, with a second in place of its timeout. */
function quick(line: Line): Line {
  const request = part(line, "request");
  if (request.subtype !== "initialize") return line;
  const hooks = JSON.parse(JSON.stringify(request.hooks).replaceAll(/"timeout":\d+/g, '"timeout":1'));
  return { ...line, request: { ...request, hooks } };
}

function success(request_id: unknown, response: unknown): Line {
  return { subtype: "success", request_id, response };
}
