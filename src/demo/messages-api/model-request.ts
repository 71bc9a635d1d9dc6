import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import type { ModelMessage, ModelRequest, ToolResult } from "./types.ts";

const block = z.looseObject({ type: z.string() });
const content = z.union([
  z.string().transform((text) => [{ type: "text", text }]),
  z.array(z.union([z.string().transform((text) => ({ type: "text", text })), block])),
]);
const messagesBody = z.object({
  model: z.string(),
  stream: z.boolean().optional(),
  system: content.optional(),
  messages: z.array(z.object({ role: z.string(), content })).min(1),
  tools: z.array(z.looseObject({ name: z.string() })).optional(),
});
const textBlock = z.object({ type: z.literal("text"), text: z.string() });
const toolResultBlock = z.object({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  content: content.optional(),
  is_error: z.boolean().optional(),
});

/** Reads the body of a Messages API request; null when a part that the API demands is missing or has the wrong shape. */
export function parseModelRequest(
  body: unknown,
  meta: {
    readonly requestNumber: number;
    readonly headers: IncomingHttpHeaders;
    readonly bodyBytes: number;
  },
): ModelRequest | null {
  const parsed = messagesBody.safeParse(body);
  if (!parsed.success) return null;
  const { model, stream, system, messages, tools } = parsed.data;
  const names = (tools ?? []).map(({ name }) => name);
  return {
    ...meta,
    model,
    isStream: stream ?? false,
    system: textsOf(system ?? []).join("\n"),
    messages,
    lastUserText: lastUserTextOf(messages),
    toolResults: toolResultsOf(messages.findLast(({ role }) => role === "user")),
    tools: names,
    isAuxiliary: names.length === 0,
  };
}

function lastUserTextOf(messages: readonly ModelMessage[]): string {
  const texts = messages
    .filter(({ role }) => role === "user")
    .flatMap(({ content }) => textsOf(content))
    .filter((text) => !text.trimStart().startsWith("<system-reminder>"));
  return texts.at(-1) ?? "";
}

function toolResultsOf(message: ModelMessage | undefined): readonly ToolResult[] {
  return (message?.content ?? []).flatMap((candidate) => {
    const parsed = toolResultBlock.safeParse(candidate);
    if (!parsed.success) return [];
    const { tool_use_id, content, is_error } = parsed.data;
    return [{ toolUseId: tool_use_id, text: textsOf(content ?? []).join("\n"), isError: is_error ?? false }];
  });
}

function textsOf(blocks: readonly Readonly<Record<string, unknown>>[]): readonly string[] {
  return blocks.flatMap((candidate) => {
    const parsed = textBlock.safeParse(candidate);
    return parsed.success ? [parsed.data.text] : [];
  });
}
