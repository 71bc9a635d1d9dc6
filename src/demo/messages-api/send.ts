import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import {
  blockEvents,
  endEvents,
  formatEvent,
  type IdentifiedBlock,
  type MessageHead,
  messageJson,
  newId,
  type StreamEvent,
  startEvents,
  stopReasonOf,
} from "./events.ts";
import type { BlocksReply, ModelReply, ModelRequest, ReplyBlock } from "./types.ts";
import { countTokens } from "./usage.ts";

const STATUS_OF: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  overloaded_error: 529,
};

const READ_BEFORE_CUT_MS = 50;

interface Exchange {
  readonly request: ModelRequest;
  readonly response: ServerResponse;
  /** Aborted when the connection is gone or the server closes. */
  readonly signal: AbortSignal;
}

/** Sends what the script decided. Resolves when all is sent, or when the client has gone, whichever is first. */
export async function sendReply(exchange: Exchange, reply: ModelReply): Promise<void> {
  switch (reply.kind) {
    case "error":
      return sendError(exchange.response, reply);
    case "blocks": {
      const { head, blocks } = prepare(exchange.request, reply.blocks, reply);
      const stopReason = reply.stopReason ?? stopReasonOf(blocks);
      if (!exchange.request.isStream) {
        return sendJson(exchange.response, 200, messageJson(head, blocks, stopReason));
      }
      const events = [
        ...startEvents(head),
        ...blocks.flatMap((block, index) => blockEvents(block, index)),
        ...endEvents(head, stopReason),
      ];
      await stream(exchange, events);
      exchange.response.end();
      return;
    }
    case "cut":
      if (exchange.request.isStream) {
        await stream(exchange, beginning(exchange.request, reply));
        // A client that learns of the break together with the data may drop the data: let it read first.
        await (reply.readBy
          ? Promise.race([reply.readBy(), gone(exchange.signal)])
          : delay(READ_BEFORE_CUT_MS, undefined, { signal: exchange.signal }));
      }
      exchange.response.destroy();
      return;
    case "hang":
      if (exchange.request.isStream) await stream(exchange, beginning(exchange.request, reply));
      await gone(exchange.signal);
      return;
    case "sse_error": {
      const { type, message } = reply;
      const error = { type: "error", error: { type, message } };
      if (!exchange.request.isStream) return sendJson(exchange.response, STATUS_OF[type] ?? 500, error);
      await stream(exchange, [...beginning(exchange.request, reply), { data: error, delayMs: 0 }]);
      exchange.response.end();
    }
  }
}

/** An error in Anthropic's JSON. */
export function sendError(
  response: ServerResponse,
  error: {
    readonly status: number;
    readonly type: string;
    readonly message: string;
    readonly headers?: Readonly<Record<string, string>>;
  },
): void {
  const { status, type, message, headers } = error;
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
  sendJson(response, status, { type: "error", error: { type, message } });
}

/** A JSON answer with a `request-id`. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": bytes.length,
    "request-id": newId("req"),
  });
  response.end(bytes);
}

function prepare(
  request: ModelRequest,
  blocks: readonly ReplyBlock[],
  given: Pick<BlocksReply, "usage" | "extraUsage" | "model">,
): { readonly head: MessageHead; readonly blocks: readonly IdentifiedBlock[] } {
  const counts = countTokens(request.bodyBytes, blocks, given.usage);
  return {
    head: { id: newId("msg"), model: given.model ?? request.model, counts, extra: given.extraUsage ?? {} },
    blocks: blocks.map((block) => ({ ...block, id: newId("toolu") })),
  };
}

function beginning(
  request: ModelRequest,
  reply: Extract<ModelReply, { kind: "cut" | "hang" | "sse_error" }>,
): readonly StreamEvent[] {
  const whole = reply.kind === "sse_error" ? [] : (reply.afterBlocks ?? []);
  const open: readonly ReplyBlock[] =
    reply.afterText === undefined ? [] : [{ type: "text", text: reply.afterText }];
  const { head, blocks } = prepare(request, [...whole, ...open], reply);
  return [
    ...startEvents(head),
    ...blocks.flatMap((block, index) => blockEvents(block, index, { isOpen: index >= whole.length })),
  ];
}

async function stream({ response, signal }: Exchange, events: readonly StreamEvent[]): Promise<void> {
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "request-id": newId("req"),
  });
  response.flushHeaders();
  for (const event of events) {
    if (event.delayMs > 0) await delay(event.delayMs, undefined, { signal });
    signal.throwIfAborted();
    await written(response, formatEvent(event), signal);
  }
}

/** Resolves when the text has left the process, so that a socket destroyed next does not take it along. */
function written(response: ServerResponse, text: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new Error("The client has gone"));
    signal.addEventListener("abort", stop, { once: true });
    response.write(text, (error) => {
      signal.removeEventListener("abort", stop);
      if (error) reject(error);
      else resolve();
    });
  });
}

async function gone(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}
