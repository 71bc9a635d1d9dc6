import { randomBytes } from "node:crypto";
import type { TokenCounts } from "../../domain/usage.ts";
import type { ReplyBlock, StopReason } from "./types.ts";
import { usageJson } from "./usage.ts";

const DEFAULT_CHUNK_CHARACTERS = 24;
const SIGNATURE = "c2NyaXB0ZWQ=";

type Json = Readonly<Record<string, unknown>>;

/** One server-sent event, and how long to wait before it goes out. */
export interface StreamEvent {
  readonly data: Json & { readonly type: string };
  readonly delayMs: number;
}

/** A block with the id it goes out under. */
export type IdentifiedBlock = ReplyBlock & { readonly id: string };

/** The head of every answer: id, model and the input side of the usage. */
export interface MessageHead {
  readonly id: string;
  readonly model: string;
  readonly counts: TokenCounts;
  /** Further fields of `usage`. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** An id in the API's manner: `toolu_…`, `msg_…`, `req_…`; unique. */
export function newId(prefix: "toolu" | "msg" | "req"): string {
  return `${prefix}_${randomBytes(12).toString("hex")}`;
}

/** What the message ended with when the script does not say. */
export function stopReasonOf(blocks: readonly ReplyBlock[]): StopReason {
  return blocks.some(({ type }) => type === "tool_use") ? "tool_use" : "end_turn";
}

/** `message_start` and a `ping`, as every stream begins. */
export function startEvents({ id, model, counts, extra }: MessageHead): readonly StreamEvent[] {
  const message = {
    id,
    type: "message",
    role: "assistant",
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: usageJson({ ...counts, outputTokens: 1 }, extra),
  };
  return [event({ type: "message_start", message }), event({ type: "ping" })];
}

/** Start, deltas and stop of one block; with `isOpen` without the stop. */
export function blockEvents(
  block: IdentifiedBlock,
  index: number,
  { isOpen = false } = {},
): readonly StreamEvent[] {
  const start = event({ type: "content_block_start", index, content_block: emptyBlock(block) });
  const deltas = deltasOf(block).map((delta) =>
    event(
      { type: "content_block_delta", index, delta },
      block.type === "tool_use" ? 0 : (block.delayMs ?? 0),
    ),
  );
  return isOpen ? [start, ...deltas] : [start, ...deltas, event({ type: "content_block_stop", index })];
}

/** `message_delta` with the final usage, and `message_stop`. */
export function endEvents({ counts, extra }: MessageHead, stopReason: StopReason): readonly StreamEvent[] {
  return [
    event({
      type: "message_delta",
      delta: { stop_reason: stopReason, stop_sequence: null },
      usage: usageJson(counts, extra),
    }),
    event({ type: "message_stop" }),
  ];
}

/** The whole message as one JSON object, as an answer that is not streamed. */
export function messageJson(
  { id, model, counts, extra }: MessageHead,
  blocks: readonly IdentifiedBlock[],
  stopReason: StopReason,
): Json {
  return {
    id,
    type: "message",
    role: "assistant",
    model,
    content: blocks.map(wholeBlock),
    stop_reason: stopReason,
    stop_sequence: null,
    usage: usageJson(counts, extra),
  };
}

/** The wire form of an event. */
export function formatEvent({ data }: StreamEvent): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

function event(data: StreamEvent["data"], delayMs = 0): StreamEvent {
  return { data, delayMs };
}

function emptyBlock(block: IdentifiedBlock): Json {
  switch (block.type) {
    case "text":
      return { type: "text", text: "" };
    case "thinking":
      return { type: "thinking", thinking: "", signature: "" };
    case "tool_use":
      return { type: "tool_use", id: block.id, name: block.name, input: {} };
  }
}

function wholeBlock(block: IdentifiedBlock): Json {
  switch (block.type) {
    case "text":
      return { type: "text", text: block.text };
    case "thinking":
      return { type: "thinking", thinking: block.thinking, signature: SIGNATURE };
    case "tool_use":
      return { type: "tool_use", id: block.id, name: block.name, input: block.input };
  }
}

function deltasOf(block: IdentifiedBlock): readonly Json[] {
  switch (block.type) {
    case "text":
      return chunks(block.text, block.chunkSize).map((text) => ({ type: "text_delta", text }));
    case "thinking":
      return [
        ...chunks(block.thinking, block.chunkSize).map((thinking) => ({ type: "thinking_delta", thinking })),
        { type: "signature_delta", signature: SIGNATURE },
      ];
    case "tool_use":
      return chunks(JSON.stringify(block.input)).map((partial_json) => ({
        type: "input_json_delta",
        partial_json,
      }));
  }
}

function chunks(text: string, size = DEFAULT_CHUNK_CHARACTERS): readonly string[] {
  const characters = Array.from(text);
  return Array.from({ length: Math.ceil(characters.length / size) }, (_, index) =>
    characters.slice(index * size, (index + 1) * size).join(""),
  );
}
