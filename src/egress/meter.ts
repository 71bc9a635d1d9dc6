import type { ApiUsage, WireRequest } from "../domain/usage.ts";
import { createEventLines } from "./event-lines.ts";
import type { BillableUsage, PriceTable } from "./prices.ts";
import {
  addMessageDelta,
  readDeltaSize,
  readMessage,
  readMessageStart,
  type UsageReport,
} from "./usage-report.ts";

const BYTES_PER_TOKEN = 4;
/** No model takes more. */
const MAX_GUESSED_INPUT_TOKENS = 1_000_000;
/** No model writes more. */
const MAX_OUTPUT_TOKENS = 128_000;
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** The usage of a request of which nothing is known. */
export const NOTHING_USED: BillableUsage = {
  inputTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  cacheReadTokens: 0,
  outputTokens: 0,
  webSearches: 0,
  isFast: false,
  isUsOnly: false,
};

/** Watches one answer go by. */
export interface Meter {
  /** A piece of the answer's body, before it is passed on. */
  readonly observe: (chunk: Buffer) => void;
  /** The answer is over; `whole` when the connection ended as HTTP says it should. Only the first call counts. */
  readonly end: (how: "whole" | "cut") => void;
}

interface MeterDeps {
  readonly requestId: string;
  readonly prices: PriceTable;
  readonly asked: WireRequest;
  /** Called at most once with `isFinal: false` and exactly once with `isFinal: true`. */
  readonly report: (usage: ApiUsage) => void;
  /** Called when neither the model that answered nor the one asked for is in the price table. */
  readonly onUnknownModel: (model: string) => void;
}

/**
 * Meters a streamed answer. Reports when `message_start` tells the input, and finally at `message_stop`, before that event
 * is passed on. An answer that ends before is `isCut`: its output is the larger of the last cumulative count and an
 * estimate from the deltas.
 */
export function createStreamMeter(deps: MeterDeps): Meter {
  let report: UsageReport | null = null;
  let hasEnded = false;
  let deltaBytes = 0;
  let thinkingTokens = 0; // of finished blocks
  let blockTokens = 0;

  const finish = (isCut: boolean) => {
    if (hasEnded) return;
    hasEnded = true;
    const guessed = Math.ceil(deltaBytes / BYTES_PER_TOKEN) + thinkingTokens + blockTokens;
    deps.report(toApiUsage(deps, report, { isFinal: true, isCut, minOutputTokens: isCut ? guessed : 0 }));
  };

  const onEvent = (payload: Buffer) => {
    if (hasEnded) return;
    if (payload.includes('"content_block_delta"')) {
      const { bytes, estimatedTokens } = readDeltaSize(parseJson(payload));
      deltaBytes += bytes;
      blockTokens = Math.max(blockTokens, estimatedTokens);
    } else if (payload.includes('"content_block_stop"')) {
      thinkingTokens += blockTokens;
      blockTokens = 0;
    } else if (payload.includes('"message_start"') && report === null) {
      report = readMessageStart(parseJson(payload));
      if (report !== null) deps.report(toApiUsage(deps, report, { isFinal: false, isCut: false }));
    } else if (payload.includes('"message_delta"') && report !== null) {
      report = addMessageDelta(report, parseJson(payload));
    } else if (payload.includes('"message_stop"') && report !== null) {
      finish(false);
    }
  };

  return { observe: createEventLines(onEvent), end: () => finish(true) };
}

/**
 * Meters an answer that is one JSON message: one report, at its end. A cut one is `isCut`, its input a guess, and its output as much
 * as was asked for at most, since it is written before anything of it is sent; or a guess, where it was to be streamed.
 */
export function createMessageMeter(deps: MeterDeps): Meter {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let hasEnded = false;
  return {
    observe: (chunk) => {
      bytes += chunk.length;
      if (bytes > MAX_MESSAGE_BYTES) chunks = [];
      else chunks.push(chunk);
    },
    end: (how) => {
      if (hasEnded) return;
      hasEnded = true;
      const report = how === "whole" ? readMessage(parseJson(Buffer.concat(chunks))) : null;
      const guessed = deps.asked.isStreamed ? Math.ceil(bytes / BYTES_PER_TOKEN) : mostOutput(deps.asked);
      const minOutputTokens = report === null ? guessed : 0;
      deps.report(toApiUsage(deps, report, { isFinal: true, isCut: report === null, minOutputTokens }));
    },
  };
}

function toApiUsage(
  deps: MeterDeps,
  report: UsageReport | null,
  end: { readonly isFinal: boolean; readonly isCut: boolean; readonly minOutputTokens?: number },
): ApiUsage {
  const { asked } = deps;
  const model = report?.model ?? asked.model;
  const known = report?.usage ?? { ...NOTHING_USED, inputTokens: guessInput(asked.textBytes) };
  const usage = { ...known, outputTokens: Math.max(1, known.outputTokens, end.minOutputTokens ?? 0) };
  // A gateway may answer under a name of its own: then the model that was asked for has the price.
  const priced = deps.prices.isKnown(model) ? model : asked.model;
  const { costMicroUsd, isKnown } = deps.prices.costOf(priced, usage);
  if (!isKnown) deps.onUnknownModel(model);
  return {
    requestId: deps.requestId,
    model,
    inputTokens: usage.inputTokens,
    cacheWrite5mTokens: usage.cacheWrite5mTokens,
    cacheWrite1hTokens: usage.cacheWrite1hTokens,
    cacheReadTokens: usage.cacheReadTokens,
    outputTokens: usage.outputTokens,
    costMicroUsd,
    ...(isKnown ? {} : { isUnpriced: true }),
    isFinal: end.isFinal,
    isCut: end.isCut,
  };
}

/** Input tokens of a prompt whose usage was never told, by the bytes of its text. */
export function guessInput(bodyBytes: number): number {
  return Math.min(MAX_GUESSED_INPUT_TOKENS, Math.ceil(bodyBytes / BYTES_PER_TOKEN));
}

/** The most that the answer can have. */
export function mostOutput({ maxOutputTokens }: Pick<WireRequest, "maxOutputTokens">): number {
  return Math.min(MAX_OUTPUT_TOKENS, Math.max(0, Math.ceil(maxOutputTokens ?? MAX_OUTPUT_TOKENS)));
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined; // the reader refuses it like any other shape, and the answer is estimated
  }
}
