import { z } from "zod";
import { parseControl } from "./control-messages.ts";
import type { AssistantBlock, CliMessage } from "./messages.ts";

const IGNORED: CliMessage = { kind: "ignored" };

const parent = { parent_tool_use_id: z.string().nullish() };
const init = z.looseObject({
  session_id: z.string(),
  model: z.string(),
  tools: z.array(z.string()),
  mcp_servers: z.array(z.unknown()),
  permissionMode: z.string(),
});
const retry = z.looseObject({
  attempt: z.number(),
  max_retries: z.number(),
  retry_delay_ms: z.number(),
  error_status: z.number().nullish(),
  error: z.string(),
});
const messageStart = z.looseObject({ message: z.looseObject({ model: z.string() }) });
const textDelta = z.looseObject({
  delta: z.looseObject({ type: z.literal("text_delta"), text: z.string() }),
});
const streamEvent = z.looseObject({ ...parent, event: z.looseObject({ type: z.string() }) });
const textBlock = z.looseObject({ type: z.literal("text"), text: z.string() });
const toolUseBlock = z.looseObject({
  type: z.literal("tool_use"),
  id: z.string(),
  name: z.string(),
  input: z.record(z.string(), z.unknown()),
});
const assistant = z.looseObject({
  ...parent,
  message: z.looseObject({ model: z.string(), content: z.array(z.unknown()) }),
  error: z.string().nullish(),
  is_api_error_message: z.boolean().nullish(),
});
const user = z.looseObject({ message: z.looseObject({ content: z.array(z.unknown()) }) });
const toolResult = z.looseObject({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  is_error: z.boolean().nullish(),
});
const rateLimit = z.looseObject({
  rate_limit_info: z.looseObject({ status: z.string(), resetsAt: z.number().nullish() }),
});
const result = z.looseObject({
  session_id: z.string(),
  subtype: z.string(),
  is_error: z.boolean(),
  result: z.string().nullish(),
  errors: z.array(z.string()).nullish().catch(null),
  api_error_status: z.number().nullish().catch(null),
  terminal_reason: z.string().nullish().catch(null),
  model_usage_since_last_result: z
    .record(z.string(), z.looseObject({ costUSD: z.number().nonnegative() }))
    .nullish()
    .catch(null),
  user_message_uuids: z.array(z.string()).nullish().catch(null),
  origin: z.unknown().optional(),
});

/**
 * Reads one line of the CLI's output (stream-json). Loose where the CLI only reports: unknown types, and known ones in a
 * shape that is not understood, are ignored. Strict where it asks or ends something: control envelopes and results.
 */
export function parseMessage(line: string): CliMessage {
  const value = parseJson(line);
  const envelope = z
    .looseObject({ type: z.string(), subtype: z.string().optional().catch(undefined) })
    .safeParse(value);
  if (!envelope.success)
    return {
      kind: "invalid",
      detail: `Expected a JSON message of the CLI, got ${line.length} characters of something else`,
    };
  switch (envelope.data.type) {
    case "system":
      return parseSystem(envelope.data.subtype, value);
    case "stream_event":
      return parseStreamEvent(value);
    case "assistant":
      return parseAssistant(value);
    case "user":
      return parseUser(value);
    case "result":
      return parseResult(value);
    case "rate_limit_event": {
      const info = rateLimit.safeParse(value).data?.rate_limit_info;
      if (!info) return IGNORED;
      const resetsAt = info.resetsAt == null ? null : info.resetsAt * 1000;
      return { kind: "rate_limit", isRejected: info.status === "rejected", resetsAt };
    }
    default:
      return parseControl(envelope.data.type, value) ?? IGNORED;
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // told apart by the caller: no message is undefined
  }
}

function parseSystem(subtype: string | undefined, value: unknown): CliMessage {
  if (subtype === "init") {
    const { data } = init.safeParse(value);
    if (!data) return { kind: "invalid", detail: "Expected system/init with session, model, tools and mode" };
    return {
      kind: "init",
      sessionId: data.session_id,
      model: data.model,
      tools: data.tools,
      mcpServers: data.mcp_servers.length,
      permissionMode: data.permissionMode,
    };
  }
  if (subtype === "api_retry") {
    const { data } = retry.safeParse(value);
    if (!data) return IGNORED;
    return {
      kind: "retry",
      attempt: data.attempt,
      maxAttempts: data.max_retries,
      delayMs: data.retry_delay_ms,
      status: data.error_status ?? null,
      error: data.error,
    };
  }
  const isRequesting =
    subtype === "status" && z.looseObject({ status: z.literal("requesting") }).safeParse(value).success;
  return isRequesting ? { kind: "requesting" } : IGNORED;
}

function parseStreamEvent(value: unknown): CliMessage {
  const { data } = streamEvent.safeParse(value);
  if (!data || data.parent_tool_use_id) return IGNORED; // a subagent's text is not shown
  if (data.event.type === "message_start") {
    const start = messageStart.safeParse(data.event).data;
    return start ? { kind: "message_start", model: start.message.model } : IGNORED;
  }
  if (data.event.type !== "content_block_delta") return IGNORED;
  const delta = textDelta.safeParse(data.event).data;
  return delta ? { kind: "text_delta", text: delta.delta.text } : IGNORED;
}

function parseAssistant(value: unknown): CliMessage {
  const { data } = assistant.safeParse(value);
  if (!data) return IGNORED;
  return {
    kind: "assistant",
    isMain: !data.parent_tool_use_id,
    model: data.message.model,
    blocks: data.message.content.flatMap(blockOf),
    apiError: data.is_api_error_message || data.error ? (data.error ?? "unknown") : null,
  };
}

function blockOf(block: unknown): readonly AssistantBlock[] {
  const text = textBlock.safeParse(block).data;
  if (text) return [{ kind: "text", text: text.text }];
  const tool = toolUseBlock.safeParse(block).data;
  return tool ? [{ kind: "tool_use", id: tool.id, name: tool.name, input: tool.input }] : [];
}

function parseUser(value: unknown): CliMessage {
  const content = user.safeParse(value).data?.message.content ?? [];
  const results = content.flatMap((block) => {
    const { data } = toolResult.safeParse(block);
    return data ? [{ toolUseId: data.tool_use_id, isError: data.is_error === true }] : [];
  });
  return results.length > 0 ? { kind: "tool_results", results } : IGNORED;
}

function parseResult(value: unknown): CliMessage {
  const { data } = result.safeParse(value);
  if (!data) return { kind: "invalid", detail: "Expected a result with session, subtype and is_error" };
  const usage = data.model_usage_since_last_result;
  return {
    kind: "result",
    sessionId: data.session_id,
    subtype: data.subtype,
    isError: data.is_error,
    text: data.result ?? null,
    errors: data.errors ?? [],
    apiStatus: data.api_error_status ?? null,
    reason: data.terminal_reason ?? null,
    costUsd: usage ? Object.values(usage).reduce((sum, { costUSD }) => sum + costUSD, 0) : null,
    uuids: data.user_message_uuids ?? [],
    isUnasked: data.origin != null,
  };
}
