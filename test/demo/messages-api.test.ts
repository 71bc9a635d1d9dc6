import { assert, asyncProperty, integer, string } from "fast-check";
import { afterEach, expect, test } from "vitest";
import { callTool, createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import { createMessagesApi, type MessagesApi } from "../../src/demo/messages-api/server.ts";
import type { ModelRequest, ModelScript } from "../../src/demo/messages-api/types.ts";

let api: MessagesApi;
afterEach(() => api.close());

async function start(script: ModelScript): Promise<string> {
  api = createMessagesApi({ script, now: () => 1_700_000_000_000 });
  return api.listen();
}

function post(url: string, body: unknown, headers: Record<string, string> = { "x-api-key": "k" }) {
  return fetch(`${url}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

const hello = { model: "claude-x", max_tokens: 10, messages: [{ role: "user", content: "hi" }] };

type Json = ReturnType<typeof JSON.parse>;

async function jsonOf(response: Response): Promise<Json> {
  return JSON.parse(await response.text());
}

async function events(response: Response): Promise<Json[]> {
  const text = await response.text();
  return text
    .split("\n\n")
    .filter((part) => part !== "")
    .map((part) => {
      const [name, data] = part.split("\n");
      const parsed = JSON.parse(data?.replace("data: ", "") ?? "");
      expect(name).toBe(`event: ${parsed.type}`);
      return parsed;
    });
}

test("a streamed answer has the events of the API in their order and the usage at both ends", async () => {
  const url = await start(() => ({
    ...callTool("Bash", { command: "ls" }, "Looking."),
    usage: {
      inputTokens: 7,
      cacheWrite5mTokens: 2,
      cacheWrite1hTokens: 3,
      cacheReadTokens: 5,
      outputTokens: 11,
    },
  }));
  const response = await post(url, { ...hello, stream: true });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const all = await events(response);
  expect(all.map(({ type }) => type)).toEqual([
    "message_start",
    "ping",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
  ]);
  expect(all[0].message).toMatchObject({
    model: "claude-x",
    usage: {
      input_tokens: 7,
      cache_creation_input_tokens: 5,
      cache_read_input_tokens: 5,
      cache_creation: { ephemeral_5m_input_tokens: 2, ephemeral_1h_input_tokens: 3 },
      output_tokens: 1,
    },
  });
  expect(all[6].delta).toEqual({ type: "input_json_delta", partial_json: '{"command":"ls"}' });
  expect(all[8]).toMatchObject({ delta: { stop_reason: "tool_use" }, usage: { output_tokens: 11 } });
});

test("without `stream` the same answer is one JSON message, and tool-use ids differ between calls", async () => {
  const url = await start(() => callTool("Bash", { command: "ls" }));
  const ids = new Set<string>();
  for (let round = 0; round < 3; round += 1) {
    const message = await jsonOf(await post(url, hello));
    expect(message).toMatchObject({ type: "message", stop_reason: "tool_use", content: [{ name: "Bash" }] });
    expect(message.usage.input_tokens).toBeGreaterThan(0);
    expect(message.usage.output_tokens).toBeGreaterThan(0);
    ids.add(message.content[0].id);
  }
  expect(ids.size).toBe(3);
});

test("any text and any chunk size stream back to exactly the text", async () => {
  let text = "";
  let chunkSize = 1;
  const url = await start(() => reply(text, { chunkSize }));
  await assert(
    asyncProperty(string({ unit: "binary", maxLength: 80 }), integer({ min: 1, max: 30 }), async (t, n) => {
      text = t.toWellFormed();
      chunkSize = n;
      const all = await events(await post(url, { ...hello, stream: true }));
      const deltas = all.filter(({ type }) => type === "content_block_delta");
      expect(deltas.map(({ delta }) => delta.text).join("")).toBe(text);
    }),
    { numRuns: 20 },
  );
});

test("the script gets the person's words, tool results, tools and system text", async () => {
  const seen: ModelRequest[] = [];
  const url = await start((request) => {
    seen.push(request);
    return reply("ok");
  });
  await post(url, {
    ...hello,
    system: [
      { type: "text", text: "one" },
      { type: "text", text: "two" },
    ],
    tools: [{ name: "Bash", input_schema: {} }, { name: "Read" }],
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "<system-reminder>\nx" },
          { type: "text", text: "do it" },
        ],
      },
      { role: "assistant", content: [{ type: "tool_use", id: "t1", name: "Bash", input: {} }] },
      {
        role: "user",
        content: [
          {
            type: "tool_result",
            tool_use_id: "t1",
            content: [{ type: "text", text: "out" }],
            is_error: true,
          },
          { type: "tool_result", tool_use_id: "t2", content: "plain" },
          { type: "text", text: "<system-reminder>later</system-reminder>" },
        ],
      },
    ],
  });
  await post(url, hello);
  expect(seen[0]).toMatchObject({
    requestNumber: 1,
    system: "one\ntwo",
    tools: ["Bash", "Read"],
    lastUserText: "do it",
    isAuxiliary: false,
    toolResults: [
      { toolUseId: "t1", text: "out", isError: true },
      { toolUseId: "t2", text: "plain", isError: false },
    ],
  });
  expect(seen[1]).toMatchObject({ requestNumber: 2, lastUserText: "hi", isAuxiliary: true, toolResults: [] });
});

test("a queue gives its steps in order, spares them from auxiliary requests and says when it is empty", async () => {
  const queue = createQueueScript([reply("first"), ({ lastUserText }) => reply(`you said ${lastUserText}`)]);
  const url = await start(queue);
  const work = { ...hello, tools: [{ name: "Bash" }] };
  const textOf = async (body: unknown) => (await jsonOf(await post(url, body))).content?.[0]?.text;
  expect(await textOf(hello)).toBe("ok");
  expect(queue.left()).toBe(2);
  expect(await textOf(work)).toBe("first");
  expect(await textOf(work)).toBe("you said hi");
  const empty = await post(url, work);
  expect(empty.status).toBe(402);
  expect(JSON.stringify(await empty.json())).toContain("No step is left for request 4");
});

test("errors have Anthropic's shape, the given headers and status", async () => {
  const url = await start(() => ({
    kind: "error",
    status: 429,
    type: "rate_limit_error",
    message: "slow",
    headers: { "retry-after": "7" },
  }));
  const response = await post(url, { ...hello, stream: true });
  expect(response.status).toBe(429);
  expect(response.headers.get("retry-after")).toBe("7");
  expect(await response.json()).toEqual({
    type: "error",
    error: { type: "rate_limit_error", message: "slow" },
  });
});

test("a script that throws is a 500 with its words, and the server goes on", async () => {
  let shouldThrow = true;
  const url = await start(() => {
    if (shouldThrow) throw new Error("script broke");
    return reply("fine");
  });
  const response = await post(url, hello);
  expect([response.status, (await jsonOf(response)).error.message]).toEqual([500, "script broke"]);
  shouldThrow = false;
  expect((await post(url, hello)).status).toBe(200);
});

test("other routes, missing credentials and malformed bodies are refused as the API does", async () => {
  const url = await start(() => reply("never"));
  expect((await fetch(`${url}/v1/models`)).status).toBe(404);
  expect((await post(url, hello, {})).status).toBe(401);
  expect((await post(url, "{not json")).status).toBe(400);
  expect((await post(url, { model: "m", messages: [] })).status).toBe(400);
  expect((await fetch(url, { method: "HEAD" })).status).toBe(200);
  const counted = await fetch(`${url}/v1/messages/count_tokens`, {
    method: "POST",
    headers: { authorization: "Bearer k" },
    body: JSON.stringify(hello),
  });
  expect((await jsonOf(counted)).input_tokens).toBeGreaterThan(10);
});

test("requests are recorded with headers, body and time, and listeners hear of them before the answer", async () => {
  const heard: string[] = [];
  const url = await start(() => reply(`heard ${heard.length}`));
  const stop = api.onRequest(({ method, path }) => heard.push(`${method} ${path}`));
  const answer = await jsonOf(await post(url, hello));
  expect(answer.content[0].text).toBe("heard 1");
  stop();
  await post(url, hello);
  expect(heard).toEqual(["POST /v1/messages"]);
  expect(api.requests).toHaveLength(2);
  expect(api.requests[0]).toMatchObject({
    at: 1_700_000_000_000,
    body: hello,
    headers: { "x-api-key": "k" },
  });
  expect(await api.requests[0]?.finished).toBe("answered");
});

test("a cut answer arrives as far as it was sent and then breaks; a hanging one ends with the server", async () => {
  let kind: "cut" | "hang" = "cut";
  const url = await start(() => ({ kind, afterText: "so far" }));
  const cut = await post(url, { ...hello, stream: true });
  await expect(readAll(cut)).resolves.toMatchObject({ broke: true, text: expect.stringContaining("so far") });

  kind = "hang";
  const hanging = await post(url, { ...hello, stream: true });
  const read = readAll(hanging);
  await api.close();
  await expect(read).resolves.toMatchObject({ broke: true, text: expect.stringContaining("so far") });
  expect(await api.requests[1]?.finished).toBe("gone");
});

async function readAll(response: Response) {
  let text = "";
  try {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString("utf8");
    return { text, broke: false };
  } catch {
    return { text, broke: true };
  }
}
