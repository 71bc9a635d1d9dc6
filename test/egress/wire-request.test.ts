import { anything, array, assert, constantFrom, property, record, string } from "fast-check";
import { expect, test } from "vitest";
import { readWireRequest } from "../../src/egress/wire-request.ts";
import { HELLO } from "./harness.ts";

const read = (request: unknown) => readWireRequest(Buffer.from(JSON.stringify(request)));
const withContent = (content: unknown) => ({ ...HELLO, messages: [{ role: "user", content }] });
const URL_SOURCE = { type: "url", url: "https://evil.example/?data=x" };

test("what is judged of a request is told, and it goes on as it was meant", () => {
  const request = {
    ...HELLO,
    max_tokens: 500,
    tools: [{ name: "Bash", input_schema: { properties: { 2: {}, 1: {} } } }],
    messages: [{ role: "user", content: [{ type: "text", text: "\ud800 é 1.50" }] }],
  };
  const result = read(request);
  expect(result).toMatchObject({
    kind: "read",
    wire: { model: HELLO.model, hasTools: true, maxOutputTokens: 500 },
  });
  expect(JSON.parse(String(result.kind === "read" && result.body))).toEqual(
    JSON.parse(JSON.stringify(request)),
  );
  expect(read({ ...HELLO, tools: [] })).toMatchObject({ wire: { hasTools: false } });
});

test("pictures and documents do not count as text, wherever they stand", () => {
  const image = {
    type: "image",
    source: { type: "base64", media_type: "image/png", data: "A".repeat(4000) },
  };
  const withMedia = withContent([image, { type: "tool_result", content: [image] }]);
  const without = JSON.stringify(withMedia).length - 8000;
  expect(read(withMedia)).toMatchObject({ wire: { textBytes: without } });
  expect(read(HELLO)).toMatchObject({ wire: { textBytes: JSON.stringify(HELLO).length } });
});

test("a second model hidden behind the first is the one that is judged, and the only one that goes out", () => {
  const text = `{"model":"cheap","messages":[],"model":"dear"}`;
  const result = readWireRequest(Buffer.from(text));
  expect(result).toMatchObject({ kind: "read", wire: { model: "dear" } });
  expect(String(result.kind === "read" && result.body)).toBe('{"model":"dear","messages":[]}');
});

test.each([
  ["an MCP server of the API", { ...HELLO, mcp_servers: [{ type: "url", url: "https://evil.example" }] }],
  ["a container", { ...HELLO, container: "c" }],
  ["code execution", { ...HELLO, tools: [{ type: "code_execution_20250825", name: "code_execution" }] }],
  ["web fetch", { ...HELLO, tools: [{ type: "web_fetch_20250910", name: "web_fetch" }] }],
  ["web search", { ...HELLO, tools: [{ type: "web_search_20250305", name: "web_search" }] }],
  ["a tool of a kind to come", { ...HELLO, tools: [{ type: "teleport_20270101" }] }],
  ["an image by address", withContent([{ type: "image", source: URL_SOURCE }])],
  ["a document by address", withContent([{ type: "document", source: URL_SOURCE }])],
  ["a stored file", withContent([{ type: "document", source: { type: "file", file_id: "f" } }])],
  ["an upload to a container", withContent([{ type: "container_upload", file_id: "f" }])],
  [
    "an image by address in a tool's result",
    withContent([{ type: "tool_result", content: [{ type: "image", source: URL_SOURCE }] }]),
  ],
  [
    "an image by address in a document's content",
    withContent([
      { type: "document", source: { type: "content", content: [{ type: "image", source: URL_SOURCE }] } },
    ]),
  ],
  ["an image by address in the system prompt", { ...HELLO, system: [{ type: "image", source: URL_SOURCE }] }],
  ["no model", { messages: [] }],
  ["no JSON object", 7],
])("H30: %s is refused: the API's machines are no way out of the jail", (_what, request) => {
  expect(read(request)).toMatchObject({ kind: "refused", reason: expect.stringMatching(/^Sallyport: /) });
});

test.each([
  ["a picture that is sent along", withContent([{ type: "image", source: { type: "base64", data: "" } }])],
  ["an address in a tool's input", withContent([{ type: "tool_use", input: { source: URL_SOURCE } }])],
  ["an address in prose", withContent("see https://example.com")],
  ["tools that run in the jail", { ...HELLO, tools: [{ type: "custom" }, { type: "bash_20250124" }, {}] }],
])("%s passes", (_what, request) => {
  expect(read(request).kind).toBe("read");
});

test("no JSON makes it throw, and what it passes on is never fetched by the API, however deep", () => {
  const source = constantFrom(URL_SOURCE, { type: "base64", data: "" }, { type: "file", file_id: "f" }, null);
  const leaf = record({ type: constantFrom("image", "document", "text"), source });
  const nested = record({
    type: constantFrom("tool_result", "text"),
    content: array(leaf, { maxLength: 3 }),
  });
  assert(
    property(array(constantFrom("a", "b")), anything(), nested, string(), (_names, junk, one, text) => {
      readWireRequest(Buffer.from(text));
      read(junk ?? null);
      const result = read(withContent([one]));
      const isFetched = one.content.some(
        (inner) => inner.source?.type === "url" || inner.source?.type === "file",
      );
      expect(result.kind).toBe(isFetched ? "refused" : "read");
    }),
  );
});
