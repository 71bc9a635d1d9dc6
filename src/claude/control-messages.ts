import { z } from "zod";
import type { ToolAnswer } from "../domain/claude-event.ts";
import type { AskedCall } from "./gate.ts";
import { type HookAnswer, type HookRegistration, hookOutput, parseHookCall } from "./hook.ts";
import type { ToolCall } from "./judge.ts";

/** What the CLI and this program ask each other, apart from the conversation. */
export type ControlMessage =
  | { readonly kind: "ask"; readonly requestId: string; readonly ask: AskedCall }
  /** Our hook is called. The call is null when it cannot be read. */
  | { readonly kind: "hook"; readonly requestId: string; readonly call: ToolCall | null }
  /** A request that is not served here; it gets an error for an answer, which the CLI takes for a refusal. */
  | { readonly kind: "unserved"; readonly requestId: string; readonly subtype: string }
  | { readonly kind: "reply"; readonly requestId: string; readonly reply: ControlReply }
  /** The CLI no longer wants the answer. */
  | { readonly kind: "withdrawn"; readonly requestId: string }
  | { readonly kind: "invalid"; readonly detail: string };

/** The CLI's answer to a request of ours. */
export type ControlReply =
  | { readonly kind: "success"; readonly body: unknown }
  | { readonly kind: "error"; readonly message: string };

/** Requests of ours, by the CLI's names. */
export type ControlRequest =
  | { readonly subtype: "initialize"; readonly hooks: HookRegistration }
  | { readonly subtype: "list_permission_rules" }
  | { readonly subtype: "mcp_status" }
  | { readonly subtype: "set_permission_mode"; readonly mode: string }
  | { readonly subtype: "interrupt"; readonly cancel_queued: true };

const request = z.looseObject({
  request_id: z.string().min(1),
  request: z.looseObject({ subtype: z.string() }),
});
const canUseTool = z.looseObject({
  tool_name: z.string().min(1),
  tool_use_id: z.string().min(1),
  input: z.record(z.string(), z.unknown()),
  agent_id: z.string().nullish(),
  mcp_server: z.unknown().optional(),
  decision_reason_type: z.string().nullish().catch(null),
});
const reply = z.looseObject({
  response: z.discriminatedUnion("subtype", [
    z.looseObject({
      subtype: z.literal("success"),
      request_id: z.string(),
      response: z.unknown().optional(),
    }),
    z.looseObject({ subtype: z.literal("error"), request_id: z.string(), error: z.string() }),
  ]),
});
const withdrawal = z.looseObject({ request_id: z.string() });

/** Reads a control message; null when `type` is none. */
export function parseControl(type: string, value: unknown): ControlMessage | null {
  switch (type) {
    case "control_request":
      return parseRequest(value);
    case "control_response": {
      const response = reply.safeParse(value).data?.response;
      if (!response)
        return { kind: "invalid", detail: "Expected a control_response with subtype and request_id" };
      const answer: ControlReply =
        response.subtype === "success"
          ? { kind: "success", body: response.response }
          : { kind: "error", message: response.error };
      return { kind: "reply", requestId: response.request_id, reply: answer };
    }
    case "control_cancel_request": {
      const { data } = withdrawal.safeParse(value);
      if (!data) return { kind: "invalid", detail: "Expected a control_cancel_request with request_id" };
      return { kind: "withdrawn", requestId: data.request_id };
    }
    default:
      return null;
  }
}

function parseRequest(value: unknown): ControlMessage {
  const { data } = request.safeParse(value);
  if (!data) return { kind: "invalid", detail: "Expected a control_request with request_id and subtype" };
  const { request_id: requestId, request: body } = data;
  if (body.subtype === "hook_callback") return { kind: "hook", requestId, call: parseHookCall(body) };
  const call = body.subtype === "can_use_tool" ? canUseTool.safeParse(body).data : undefined;
  if (!call) return { kind: "unserved", requestId, subtype: body.subtype };
  const ask: AskedCall = {
    toolUseId: call.tool_use_id,
    toolName: call.tool_name,
    input: call.input,
    isSubagent: call.agent_id != null,
    isMcp: call.mcp_server != null || call.tool_name.startsWith("mcp__"),
    isWarnedOf: call.decision_reason_type === "safetyCheck",
  };
  return { kind: "ask", requestId, ask };
}

/**
 * The line that carries a prompt. A text that begins with the name of a command (`/clear`, `/model x`) would be answered by the
 * CLI itself and never reach the model, slash commands disabled or not: a space before it makes it plain text.
 */
export function promptLine(text: string, uuid: string): object {
  const message = { role: "user", content: text.startsWith("/") ? ` ${text}` : text };
  return { type: "user", message, parent_tool_use_id: null, session_id: "", uuid };
}

/** The line that asks the CLI something. */
export function requestLine(requestId: string, body: ControlRequest): object {
  return { type: "control_request", request_id: requestId, request: body };
}

/** The line that answers `can_use_tool`. Permission suggestions are never sent back: nothing is allowed beyond this call. */
export function answerLine(requestId: string, answer: ToolAnswer): object {
  const response =
    answer.kind === "allow"
      ? { behavior: "allow", updatedInput: answer.input }
      : { behavior: "deny", message: answer.message };
  return { type: "control_response", response: { subtype: "success", request_id: requestId, response } };
}

/** The line that answers a call of our hook. */
export function hookLine(requestId: string, answer: HookAnswer): object {
  const response = { subtype: "success", request_id: requestId, response: hookOutput(answer) };
  return { type: "control_response", response };
}

/** The line that turns a request down. */
export function refusalLine(requestId: string, error: string): object {
  return { type: "control_response", response: { subtype: "error", request_id: requestId, error } };
}
