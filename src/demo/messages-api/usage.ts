import type { TokenCounts } from "../../domain/usage.ts";
import type { ReplyBlock } from "./types.ts";

const CHARACTERS_PER_TOKEN = 4;

/** Token counts for an answer: what the script gives, the rest at four characters (bytes, for the request) a token. */
export function countTokens(
  bodyBytes: number,
  blocks: readonly ReplyBlock[],
  given: Partial<TokenCounts> = {},
): TokenCounts {
  const characters = blocks.reduce((sum, block) => sum + lengthOf(block), 0);
  return {
    inputTokens: tokens(bodyBytes),
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    cacheReadTokens: 0,
    outputTokens: tokens(characters),
    ...given,
  };
}

/** The API's `usage` object, with `extra` fields. */
export function usageJson(
  counts: TokenCounts,
  extra: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  return {
    input_tokens: counts.inputTokens,
    cache_creation_input_tokens: counts.cacheWrite5mTokens + counts.cacheWrite1hTokens,
    cache_read_input_tokens: counts.cacheReadTokens,
    cache_creation: {
      ephemeral_5m_input_tokens: counts.cacheWrite5mTokens,
      ephemeral_1h_input_tokens: counts.cacheWrite1hTokens,
    },
    output_tokens: counts.outputTokens,
    service_tier: "standard",
    ...extra,
  };
}

function tokens(length: number): number {
  return Math.max(1, Math.ceil(length / CHARACTERS_PER_TOKEN));
}

function lengthOf(block: ReplyBlock): number {
  switch (block.type) {
    case "text":
      return block.text.length;
    case "thinking":
      return block.thinking.length;
    case "tool_use":
      return block.name.length + JSON.stringify(block.input).length;
  }
}
