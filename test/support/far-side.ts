import type { WireRequest } from "../../src/domain/usage.ts";

/** An API request of the main loop. */
export const WIRE: WireRequest = {
  model: "claude-opus-5-5",
  hasTools: true,
  searchesWeb: false,
  maxOutputTokens: 32_000,
};
