import * as fc from "fast-check";
import { expect, test } from "vitest";
import { eventsOf } from "../../src/claude/events.ts";
import { parseMessage } from "../../src/claude/parse-message.ts";
import { RECORDED } from "./recorded.ts";

test("every line that was recorded of the real CLI is understood or ignored, none is against the protocol", () => {
  for (const [name, line] of Object.entries(RECORDED)) {
    expect([name, parseMessage(line).kind]).not.toEqual([name, "invalid"]);
  }
});

test("any text is answered with a message, never with a throw", () => {
  fc.assert(fc.property(fc.string(), (text) => void parseMessage(text)));
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(parseMessage(text).kind).toMatch(/ignored|invalid/);
    }),
  );
});

test("a recorded line with any one field replaced is never a throw, and never an ask with another shape", () => {
  const anything = fc.anything({ withNullPrototype: false });
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(RECORDED)), fc.nat(40), anything, (line, index, value) => {
      const message = JSON.parse(line);
      const keys = Object.keys(message);
      message[keys[index % keys.length] ?? ""] = value;
      const parsed = parseMessage(JSON.stringify(message));
      if (parsed.kind === "ask") expect(typeof parsed.ask.input).toBe("object");
      eventsOf(parsed);
    }),
  );
});

test("recorded lines become what is acted on", () => {
  expect(parseMessage(RECORDED.canUseTool)).toEqual({
    kind: "ask",
    requestId: "eecbe9b8-2294-45c8-a9d8-db55dba7b4fd",
    ask: {
      toolUseId: "toolu_689f5c2fa1426904c1aae118",
      toolName: "Bash",
      input: { command: "touch made.txt && ls -la", description: "make a file" },
      isSubagent: false,
      isMcp: false,
      isWarnedOf: false,
    },
  });
  expect(parseMessage(RECORDED.textDelta)).toEqual({ kind: "text_delta", text: "first answer" });
  expect(parseMessage(RECORDED.messageStart)).toEqual({ kind: "message_start", model: "claude-opus-5-5" });
  expect(parseMessage(RECORDED.rateLimit)).toEqual({
    kind: "rate_limit",
    isRejected: true,
    resetsAt: 1_795_422_085_000,
  });
  expect(parseMessage(RECORDED.apiRetry)).toMatchObject({
    kind: "retry",
    attempt: 1,
    status: 429,
    error: "rate_limit",
  });
  expect(parseMessage(RECORDED.toolResult)).toEqual({
    kind: "tool_results",
    results: [{ toolUseId: "toolu_58d362400b1f37b72576e9e9", isError: true }],
  });
  expect(parseMessage(RECORDED.interrupted)).toMatchObject({
    kind: "result",
    subtype: "error_during_execution",
    isError: true,
    reason: "aborted_streaming",
    text: null,
  });
  expect(parseMessage(RECORDED.wakeUp)).toMatchObject({ kind: "result", uuids: [], isUnasked: true });
  expect(parseMessage(RECORDED.apiErrorAssistant)).toMatchObject({ isMain: true, apiError: "rate_limit" });
  expect(eventsOf(parseMessage(RECORDED.apiErrorAssistant))).toEqual([]);
});

test("a subagent's text is not shown, its tools are", () => {
  const said = JSON.parse(RECORDED.textAssistant);
  expect(eventsOf(parseMessage(JSON.stringify({ ...said, parent_tool_use_id: "toolu_1" })))).toEqual([]);
  const used = JSON.parse(RECORDED.toolAssistant);
  expect(eventsOf(parseMessage(JSON.stringify({ ...used, parent_tool_use_id: "toolu_1" })))).toMatchObject([
    { kind: "tool_started", name: "Bash", isSubagent: true },
  ]);
  const delta = JSON.parse(RECORDED.textDelta);
  expect(parseMessage(JSON.stringify({ ...delta, parent_tool_use_id: "toolu_1" }))).toEqual({
    kind: "ignored",
  });
});
