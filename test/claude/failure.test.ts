import { expect, test } from "vitest";
import {
  codeOfRetry,
  failed,
  failureOfStart,
  outcomeOfResult,
  type TurnFacts,
} from "../../src/claude/failure.ts";
import type { ResultMessage } from "../../src/claude/messages.ts";
import { parseMessage } from "../../src/claude/parse-message.ts";
import { RECORDED } from "./recorded.ts";

const NOTHING: TurnFacts = { apiError: null, refusal: null, resetsAt: null };

function resultOf(line: string, over: Partial<ResultMessage> = {}): ResultMessage {
  const message = parseMessage(line);
  if (message.kind !== "result") throw new Error(`Expected a result, got ${message.kind}`);
  return { ...message, ...over };
}

test("recorded results end as what they were", () => {
  expect(outcomeOfResult(resultOf(RECORDED.success), NOTHING)).toEqual({
    kind: "completed",
    text: "first answer",
  });
  expect(outcomeOfResult(resultOf(RECORDED.overloaded), NOTHING)).toMatchObject({ code: "overloaded" });
  expect(outcomeOfResult(resultOf(RECORDED.maxTurns), NOTHING)).toMatchObject({
    code: "max_turns",
    detail: null,
  });
  expect(outcomeOfResult(resultOf(RECORDED.interrupted), NOTHING)).toMatchObject({ code: "unknown" });
});

test("the CLI's internal errors are shown to nobody", () => {
  expect(outcomeOfResult(resultOf(RECORDED.interrupted), NOTHING)).toMatchObject({ detail: null });
});

test.each([
  ["blocking_limit", "too_long"],
  ["prompt_too_long", "too_long"],
  ["rapid_refill_breaker", "too_long"],
  ["image_error", "image"],
  ["budget_exhausted", "budget"],
])("H51: a result that ended by %s is a failure even where it says success", (reason, code) => {
  expect(outcomeOfResult(resultOf(RECORDED.success, { reason }), NOTHING)).toMatchObject({
    kind: "failed",
    code,
  });
});

test.each([
  [401, "authentication_failed", "auth"],
  [403, "authentication_failed", "auth"],
  [400, "billing_error", "billing"],
  [402, "unknown", "billing"],
  [404, "model_not_found", "model_not_found"],
  [429, "rate_limit", "rate_limit"],
  [500, "server_error", "server"],
  [503, "server_error", "server"],
  [529, "server_error", "overloaded"],
  [null, "server_error", "server"],
  [null, "oauth_org_not_allowed", "auth"],
  [418, "invalid_request", "unknown"],
])("API status %s with %s is told as %s", (apiStatus, apiError, code) => {
  const result = resultOf(RECORDED.overloaded, { apiStatus });
  expect(outcomeOfResult(result, { ...NOTHING, apiError })).toMatchObject({ kind: "failed", code });
});

test("402 is a spent budget only when our own payer refused", () => {
  const result = resultOf(RECORDED.overloaded, { apiStatus: 402 });
  expect(outcomeOfResult(result, NOTHING)).toMatchObject({ code: "billing" });
  expect(
    outcomeOfResult(result, { ...NOTHING, refusal: { kind: "budget", message: "All spent." } }),
  ).toMatchObject({
    code: "budget",
    detail: "All spent.",
  });
  const other = resultOf(RECORDED.overloaded, { apiStatus: 529 });
  expect(
    outcomeOfResult(other, { ...NOTHING, refusal: { kind: "budget", message: "All spent." } }),
  ).toMatchObject({ code: "overloaded" });
});

test("the end of a limit is told with the limit alone", () => {
  const facts = { ...NOTHING, resetsAt: 5 };
  expect(outcomeOfResult(resultOf(RECORDED.overloaded, { apiStatus: 429 }), facts)).toMatchObject({
    resetsAt: 5,
  });
  expect(outcomeOfResult(resultOf(RECORDED.overloaded), facts)).toMatchObject({ resetsAt: null });
});

test("retries are told by status, else by the CLI's word", () => {
  expect(codeOfRetry("rate_limit", 429)).toBe("rate_limit");
  expect(codeOfRetry("overloaded", 529)).toBe("overloaded");
  expect(codeOfRetry("authentication_failed", 401)).toBe("auth");
  expect(codeOfRetry("server_error", 500)).toBe("server");
  expect(codeOfRetry("unknown", null)).toBe("server");
});

test("a lost session is told from the CLI's result or from its stderr", () => {
  const lost = { kind: "failed", code: "session_lost" };
  const ended = { code: 1, signal: null };
  expect(failureOfStart({ result: resultOf(RECORDED.sessionLost), stderr: "", ...ended })).toMatchObject(
    lost,
  );
  expect(
    failureOfStart({ result: null, stderr: "No conversation found with session ID: x", ...ended }),
  ).toMatchObject(lost);
});

test("a detail is one line of at most 300 characters without control characters or halves of one", () => {
  const { detail } = failed("unknown", ` a\u0000\u001b[31m\n\r\u2028b ${"👍".repeat(300)}`);
  expect(detail).toMatch(/^a \[31m b 👍/);
  expect(detail?.length).toBeLessThanOrEqual(300);
  expect(detail?.isWellFormed()).toBe(true);
});
