import type { BlocksReply, ModelReply, ModelRequest, ModelScript, ReplyBlock } from "./types.ts";

/** An answer of one text. `chunkSize` in characters, `delayMs` before each chunk. */
export function reply(
  text: string,
  pace: { readonly chunkSize?: number; readonly delayMs?: number } = {},
): BlocksReply {
  return { kind: "blocks", blocks: [{ type: "text", text, ...pace }] };
}

/** An answer that calls one tool, after a word of text where one is given. */
export function callTool(name: string, input: Readonly<Record<string, unknown>>, text?: string): BlocksReply {
  const said: readonly ReplyBlock[] = text === undefined ? [] : [{ type: "text", text }];
  return { kind: "blocks", blocks: [...said, { type: "tool_use", name, input }] };
}

/** An HTTP error in Anthropic's shape. */
export function fail(status: number, type: string, message = type): ModelReply {
  return { kind: "error", status, type, message };
}

/** One step of a queue: a reply, or a function that makes it from the request. */
export type QueueStep = ModelReply | ModelScript;

/**
 * Answers requests with the steps, in order. Requests of the CLI's own (`isAuxiliary`) get a short text and take no step.
 * When no step is left, the API answers 402, which the CLI does not retry, with what came: a test that asks too often says why.
 */
export function createQueueScript(
  steps: readonly QueueStep[],
): ModelScript & { readonly left: () => number } {
  const waiting = [...steps];
  const script = (request: ModelRequest) => {
    if (request.isAuxiliary) return reply("ok");
    const step = waiting.shift();
    if (step === undefined) return unscripted(request);
    return typeof step === "function" ? step(request) : step;
  };
  return Object.assign(script, { left: () => waiting.length });
}

function unscripted({ requestNumber, lastUserText }: ModelRequest): ModelReply {
  const message = `No step is left for request ${requestNumber}, whose last text is: ${lastUserText.slice(0, 200)}`;
  return fail(402, "billing_error", message);
}
