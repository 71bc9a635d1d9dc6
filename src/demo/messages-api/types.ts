import type { IncomingHttpHeaders } from "node:http";
import type { TokenCounts } from "../../domain/usage.ts";

/** One block of the scripted answer. `chunkSize` counts characters (code points) a delta; `delayMs` is waited before each delta. */
export type ReplyBlock =
  | { readonly type: "text"; readonly text: string; readonly chunkSize?: number; readonly delayMs?: number }
  | {
      readonly type: "thinking";
      readonly thinking: string;
      readonly chunkSize?: number;
      readonly delayMs?: number;
    }
  | { readonly type: "tool_use"; readonly name: string; readonly input: Readonly<Record<string, unknown>> };

/** How the model ended its message; the default follows from the blocks. */
export type StopReason = "end_turn" | "tool_use" | "max_tokens" | "refusal";

/** A message in full. Token counts that are not given are derived from text lengths; `model` is the one that was asked for. */
export interface BlocksReply {
  readonly kind: "blocks";
  readonly blocks: readonly ReplyBlock[];
  readonly usage?: Partial<TokenCounts>;
  /** More fields for the `usage` object, e.g. `server_tool_use` or `speed`. */
  readonly extraUsage?: Readonly<Record<string, unknown>>;
  readonly stopReason?: StopReason;
  readonly model?: string;
}

/** What the script wants the API to do with one request. */
export type ModelReply =
  | BlocksReply
  /** An HTTP error in Anthropic's shape, before any of the answer. */
  | {
      readonly kind: "error";
      readonly status: number;
      readonly type: string;
      readonly message: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The blocks, then the beginning of one more text block, then the socket is destroyed. Not streaming: destroyed unanswered. */
  | {
      readonly kind: "cut";
      readonly afterBlocks?: readonly ReplyBlock[];
      readonly afterText?: string;
      readonly usage?: Partial<TokenCounts>;
      /** Resolves when the client has read the beginning; without it the client is given a moment. */
      readonly readBy?: () => Promise<unknown>;
    }
  /** The same beginning, then silence until the client goes. Not streaming: silence at once. */
  | {
      readonly kind: "hang";
      readonly afterBlocks?: readonly ReplyBlock[];
      readonly afterText?: string;
      readonly usage?: Partial<TokenCounts>;
    }
  /** The same beginning, then an `error` event inside the stream. Not streaming: the HTTP error of that type. */
  | {
      readonly kind: "sse_error";
      readonly type: string;
      readonly message: string;
      readonly afterText?: string;
      readonly usage?: Partial<TokenCounts>;
    };

/** A tool's result as the model gets it; text blocks are joined, other blocks left out. */
export interface ToolResult {
  readonly toolUseId: string;
  readonly text: string;
  readonly isError: boolean;
}

/** One message of the conversation, its content as the API gets it. */
export interface ModelMessage {
  readonly role: string;
  readonly content: readonly Readonly<Record<string, unknown>>[];
}

/** A POST to /v1/messages in the form that scripts want. */
export interface ModelRequest {
  /** 1 for the first POST /v1/messages of this server, counting every one. */
  readonly requestNumber: number;
  readonly model: string;
  readonly isStream: boolean;
  /** All system text, blocks joined by newlines. */
  readonly system: string;
  readonly messages: readonly ModelMessage[];
  /** What the person wrote last: the newest user text that is not a `<system-reminder>`; empty when there is none. */
  readonly lastUserText: string;
  /** The results in the newest user message; empty when it carries none. */
  readonly toolResults: readonly ToolResult[];
  /** Names of the tools that were offered. */
  readonly tools: readonly string[];
  /** True for a request of the CLI's own that offers no tools (titles, summaries, checks). */
  readonly isAuxiliary: boolean;
  readonly headers: IncomingHttpHeaders;
  /** Bytes of the request's body. */
  readonly bodyBytes: number;
}

/** The scripted model. A promise holds the answer back until it settles. */
export type ModelScript = (request: ModelRequest) => ModelReply | Promise<ModelReply>;

/** A request as it arrived, whatever it was. */
export interface RecordedRequest {
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON; undefined when there was no body or it was no JSON. */
  readonly body: unknown;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Settles when the exchange is over: `answered` in full, or `gone` when the connection ended before. */
  readonly finished: Promise<"answered" | "gone">;
}
