import { z } from "zod";
import type { BillableUsage } from "./prices.ts";

const count = z.number().int().nonnegative().nullish();

/** The `usage` object of a message, of `message_start` and of `message_delta` (where the counts are cumulative). */
const usage = z.looseObject({
  input_tokens: count,
  output_tokens: count,
  cache_read_input_tokens: count,
  cache_creation_input_tokens: count,
  cache_creation: z.looseObject({ ephemeral_1h_input_tokens: count }).nullish(),
  server_tool_use: z.looseObject({ web_search_requests: count }).nullish(),
  speed: z.string().nullish(),
  inference_geo: z.string().nullish(),
});

const message = z.looseObject({ model: z.string(), usage });
const messageStart = z.looseObject({ type: z.literal("message_start"), message });
const messageDelta = z.looseObject({ type: z.literal("message_delta"), usage });
const blockDelta = z.looseObject({
  type: z.literal("content_block_delta"),
  delta: z.looseObject({ type: z.string(), estimated_tokens: count }),
});

/** Usage of an answer as far as it was reported. */
export interface UsageReport {
  readonly model: string;
  readonly usage: BillableUsage;
}

/** How much a content delta adds: its bytes, or the API's own running estimate for a thinking block that is not shown. */
export interface DeltaSize {
  readonly bytes: number;
  readonly estimatedTokens: number;
}

/** Reads a whole message, as an answer that is not streamed; null when it is none or has no readable usage. */
export function readMessage(json: unknown): UsageReport | null {
  return toReport(message.safeParse(json).data);
}

/** Reads a `message_start` event; null when it is none. */
export function readMessageStart(json: unknown): UsageReport | null {
  return toReport(messageStart.safeParse(json).data?.message);
}

/** Takes the counts of a `message_delta` into a report: each count is the larger of the two. */
export function addMessageDelta(report: UsageReport, json: unknown): UsageReport {
  const next = messageDelta.safeParse(json).data;
  if (next === undefined) return report;
  const [before, after] = [report.usage, toUsage(next.usage)];
  const cacheWrite1hTokens = Math.max(before.cacheWrite1hTokens, after.cacheWrite1hTokens);
  const cacheWrites = Math.max(writesOf(before), writesOf(after));
  return {
    model: report.model,
    usage: {
      inputTokens: Math.max(before.inputTokens, after.inputTokens),
      cacheWrite1hTokens,
      cacheWrite5mTokens: Math.max(0, cacheWrites - cacheWrite1hTokens),
      cacheReadTokens: Math.max(before.cacheReadTokens, after.cacheReadTokens),
      outputTokens: Math.max(before.outputTokens, after.outputTokens),
      webSearches: Math.max(before.webSearches, after.webSearches),
      isFast: before.isFast || after.isFast,
      isUsOnly: before.isUsOnly || after.isUsOnly,
    },
  };
}

/** Reads the size of a `content_block_delta`; nothing for other events. */
export function readDeltaSize(json: unknown): DeltaSize {
  const parsed = blockDelta.safeParse(json).data;
  if (parsed === undefined) return { bytes: 0, estimatedTokens: 0 };
  const { type: _type, signature: _signature, estimated_tokens, ...content } = parsed.delta;
  const texts = Object.values(content).filter((value) => typeof value === "string");
  return {
    bytes: texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
    estimatedTokens: estimated_tokens ?? 0,
  };
}

function toReport(parsed: z.infer<typeof message> | undefined): UsageReport | null {
  return parsed === undefined ? null : { model: parsed.model, usage: toUsage(parsed.usage) };
}

function toUsage(raw: z.infer<typeof usage>): BillableUsage {
  const cacheWrites = raw.cache_creation_input_tokens ?? 0;
  const cacheWrite1hTokens = Math.min(cacheWrites, raw.cache_creation?.ephemeral_1h_input_tokens ?? 0);
  return {
    inputTokens: raw.input_tokens ?? 0,
    cacheWrite5mTokens: cacheWrites - cacheWrite1hTokens,
    cacheWrite1hTokens,
    cacheReadTokens: raw.cache_read_input_tokens ?? 0,
    outputTokens: raw.output_tokens ?? 0,
    webSearches: raw.server_tool_use?.web_search_requests ?? 0,
    isFast: raw.speed === "fast",
    isUsOnly: raw.inference_geo === "us",
  };
}

function writesOf({ cacheWrite5mTokens, cacheWrite1hTokens }: BillableUsage): number {
  return cacheWrite5mTokens + cacheWrite1hTokens;
}
