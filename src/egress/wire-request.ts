import { z } from "zod";
import type { WireRequest } from "../domain/usage.ts";

const block = z.looseObject({ type: z.string() });
const content = z.union([z.string(), z.array(block)]).nullish();
const messagesRequest = z.looseObject({
  model: z.string().min(1).max(200),
  max_tokens: z.number().nullish(),
  stream: z.boolean().nullish(),
  system: content,
  messages: z.array(z.looseObject({ content })),
  tools: z.array(z.looseObject({ type: z.string().nullish() })).nullish(),
  mcp_servers: z.array(z.unknown()).nullish(),
  container: z.unknown().optional(),
});
const media = z.looseObject({ type: z.literal("base64"), data: z.string() });
type Block = z.infer<typeof block>;

/** Tools that run where the request comes from. Every other type is run by the API's own machines. */
const CLIENT_TOOLS = /^(?:custom|bash_\d+|text_editor_\d+|memory_\d+|computer_\d+)$/;
const MAX_DEPTH = 4;

/** A request that was read: what is judged of it, and the bytes that say exactly that. */
export type ReadRequest =
  | { readonly kind: "read"; readonly wire: WireRequest; readonly body: Buffer }
  | { readonly kind: "refused"; readonly reason: string };

/**
 * Reads the body of POST /v1/messages or /v1/messages/count_tokens. What is sent on is written anew from what was read, so
 * that no second `model` or hidden field can mean something else to the API. Refused is whatever would make the API's own
 * machines reach for something - fetch an address or a stored file, call an MCP server, run code or tools - since that is a
 * way out of the jail that no filter of ours sees.
 */
export function readWireRequest(bytes: Buffer): ReadRequest {
  const json = parseJson(bytes);
  const parsed = messagesRequest.safeParse(json);
  if (!parsed.success) return refused("this is no request of the Messages API.");
  const { model, max_tokens, stream, system, messages, tools, mcp_servers, container } = parsed.data;
  if ((mcp_servers ?? []).length > 0)
    return refused("MCP servers of the API are not reachable from the jail.");
  if (container != null) return refused("the API's own containers are not reachable from the jail.");
  const types = (tools ?? []).map(({ type }) => type ?? "custom");
  const odd = types.find((type) => !CLIENT_TOOLS.test(type));
  if (odd !== undefined) return refused(`the API's own tool ${odd} is not reachable from the jail.`);
  const blocks = [system, ...messages.map((message) => message.content)].flatMap((one) => blocksOf(one));
  if (blocks.some((one) => isFetched(one, 0)))
    return refused("content that the API would have to fetch is not passed on: send it along.");
  const wire = {
    model,
    hasTools: types.length > 0,
    maxOutputTokens: max_tokens ?? null,
    isStreamed: stream === true,
  };
  const body = Buffer.from(JSON.stringify(json));
  const textBytes = body.length - blocks.reduce((sum, one) => sum + mediaBytes(one, 0), 0);
  return { kind: "read", wire: { ...wire, textBytes }, body };
}

/** True for a block, or one within it, whose content is an address or a file stored at the API. */
function isFetched(one: Block, depth: number): boolean {
  if (depth > MAX_DEPTH) return true; // deeper than the API takes
  const { source, content: inner } = one;
  const parsed = block.safeParse(source);
  if (parsed.success && (parsed.data.type === "url" || parsed.data.type === "file")) return true;
  if (one.type === "container_upload") return true;
  return [parsed.data?.content, inner]
    .flatMap((nested) => blocksOf(content.safeParse(nested).data))
    .some((nested) => isFetched(nested, depth + 1));
}

/** Length of the pictures and documents, in base64, in a block and within it. */
function mediaBytes(one: Block, depth: number): number {
  if (depth > MAX_DEPTH) return 0;
  const { source, content: inner } = one;
  const parsed = media.safeParse(source);
  const nested = blocksOf(content.safeParse(inner).data);
  return (parsed.data?.data.length ?? 0) + nested.reduce((sum, each) => sum + mediaBytes(each, depth + 1), 0);
}

function blocksOf(value: z.infer<typeof content>): readonly Block[] {
  return Array.isArray(value) ? value : [];
}

function refused(reason: string): ReadRequest {
  return { kind: "refused", reason: `Sallyport: ${reason}` };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined; // refused like any other shape
  }
}
