import { afterEach, beforeEach, expect, test } from "vitest";
import {
  callTool,
  createQueueScript,
  fail,
  type QueueStep,
  reply,
} from "../../src/demo/messages-api/scripts.ts";
import { createMessagesApi, type MessagesApi } from "../../src/demo/messages-api/server.ts";
import type { ModelRequest } from "../../src/demo/messages-api/types.ts";
import { type Claude, createClaudeHome, type Line } from "../egress/run-claude.ts";

let home: Awaited<ReturnType<typeof createClaudeHome>>;
let api: MessagesApi;
let seen: ModelRequest[];

beforeEach(async () => {
  home = await createClaudeHome();
  seen = [];
});
afterEach(async () => {
  await home.dispose();
  await api.close();
});

async function startWith(steps: readonly QueueStep[]): Promise<Claude> {
  const queue = createQueueScript(steps);
  api = createMessagesApi({
    script: (request) => {
      seen.push(request);
      return queue(request);
    },
  });
  return home.start({ ANTHROPIC_BASE_URL: await api.listen(), ANTHROPIC_API_KEY: "x" });
}

const isResult = ({ type }: Line) => type === "result";
const isDelta = ({ event }: Line) => event?.delta?.type === "text_delta";

test("the CLI streams a text answer, sees its usage and asks again in one conversation", async () => {
  const claude = await startWith([
    {
      ...reply("Grüße 👋🏽 aus dem Skript", { chunkSize: 3 }),
      usage: { inputTokens: 1000, outputTokens: 50 },
    },
    reply("second"),
  ]);
  const first = await claude.turn("hello there");
  expect(first).toMatchObject({ subtype: "success", is_error: false, result: "Grüße 👋🏽 aus dem Skript" });
  expect(first.usage).toMatchObject({ input_tokens: 1000, output_tokens: 50 });
  expect(first.total_cost_usd).toBeGreaterThan(0);
  const deltas = claude.lines.filter(isDelta).map(({ event }) => event.delta.text);
  expect(deltas.length).toBeGreaterThan(5);
  expect(deltas.join("")).toBe("Grüße 👋🏽 aus dem Skript");

  expect(await claude.turn("and now?")).toMatchObject({ result: "second" });
  expect(seen.map(({ lastUserText }) => lastUserText)).toEqual(["hello there", "and now?"]);
  expect(seen[1]?.messages.filter(({ role }) => role === "assistant")).toHaveLength(1);
  expect(seen[0]).toMatchObject({ isStream: true, isAuxiliary: false, requestNumber: 1 });
  expect(seen[0]?.tools).toContain("Bash");
  expect(seen[0]?.system).toContain("Claude");
});

test("the CLI runs a scripted tool call and sends its result back", async () => {
  const claude = await startWith([
    callTool("Bash", { command: "touch made.txt && ls made.txt", description: "make" }, "Let me look."),
    (request) => reply(`The tool said: ${request.toolResults[0]?.text}`),
  ]);
  claude.say("run it");
  const ask = await claude.next(({ type }) => type === "control_request");
  expect(ask.request).toMatchObject({
    tool_name: "Bash",
    input: { command: "touch made.txt && ls made.txt" },
  });
  const response = { behavior: "allow", updatedInput: ask.request.input };
  claude.send({
    type: "control_response",
    response: { subtype: "success", request_id: ask.request_id, response },
  });
  expect(await claude.next(isResult)).toMatchObject({ result: "The tool said: made.txt", num_turns: 2 });
  expect(seen[1]?.lastUserText).toBe("run it");
  expect(seen[1]?.toolResults).toMatchObject([{ isError: false, text: "made.txt" }]);
});

test("a thinking block goes through the CLI and back to the API with its signature", async () => {
  const claude = await startWith([
    {
      kind: "blocks",
      blocks: [
        { type: "thinking", thinking: "Hm, let me think." },
        { type: "text", text: "done" },
      ],
    },
    reply("more"),
  ]);
  expect(await claude.turn("think")).toMatchObject({ result: "done" });
  await claude.turn("go on");
  const assistant = seen[1]?.messages.find(({ role }) => role === "assistant");
  expect(assistant?.content[0]).toMatchObject({ type: "thinking", thinking: "Hm, let me think." });
});

test("an API error reaches the CLI with its status, and is asked once where the CLI does not retry", async () => {
  const claude = await startWith([fail(402, "billing_error", "Nothing left.")]);
  expect(await claude.turn("hello")).toMatchObject({
    is_error: true,
    api_error_status: 402,
    result: "API Error: 402 Nothing left.",
  });
  expect(seen).toHaveLength(1);
});

test("an overloaded API is retried by the CLI and may recover", async () => {
  const claude = await startWith([fail(529, "overloaded_error"), reply("back again")]);
  expect(await claude.turn("hello")).toMatchObject({ is_error: false, result: "back again" });
  expect(claude.lines.some(({ subtype }) => subtype === "api_retry")).toBe(true);
});

test("a cut stream makes the CLI ask again; with a whole block before the cut it asks to go on from there", async () => {
  const read = (text: string) => () => claude.next(({ event }) => event?.delta?.text === text);
  const claude: Claude = await startWith([
    { kind: "cut", afterText: "half an ans", readBy: read("half an ans") },
    reply("whole"),
    {
      kind: "cut",
      afterBlocks: [{ type: "text", text: "First part." }],
      afterText: "sec",
      readBy: read("sec"),
    },
    reply("second part"),
  ]);
  expect(await claude.turn("one")).toMatchObject({ is_error: false, result: "whole" });
  expect(await claude.turn("two")).toMatchObject({ is_error: false });
  expect(seen[1]?.lastUserText).toBe("one");
  expect(seen[3]?.lastUserText).toContain("cut off mid-stream");
  expect(JSON.stringify(seen[3]?.messages)).toContain("First part.");
  const deltas = claude.lines.filter(isDelta).map(({ event }) => event.delta.text);
  expect(deltas).toEqual(["half an ans", "whole", "First part.", "sec", "second part"]);
});

test("an error event inside a stream makes the CLI ask again without streaming", async () => {
  const claude = await startWith([
    { kind: "sse_error", type: "overloaded_error", message: "busy", afterText: "half" },
    reply("whole again"),
  ]);
  expect(await claude.turn("two")).toMatchObject({ is_error: false, result: "whole again" });
  expect(seen.map(({ isStream }) => isStream)).toEqual([true, false]);
});

test("a hanging answer ends when the CLI is interrupted, and the server knows that the client went", async () => {
  const claude = await startWith([{ kind: "hang", afterText: "I was about to" }, reply("still here")]);
  claude.say("talk");
  await claude.next(isDelta);
  claude.send({ type: "control_request", request_id: "stop", request: { subtype: "interrupt" } });
  expect(await claude.next(isResult)).toMatchObject({ terminal_reason: "aborted_streaming" });
  const messages = api.requests.filter(({ method }) => method === "POST");
  expect(await messages[0]?.finished).toBe("gone");
  expect(await claude.turn("again")).toMatchObject({ result: "still here" });
});
