import type { NetPolicy, NetVerdict } from "../../src/domain/net.ts";
import type { WireRequest } from "../../src/domain/usage.ts";

/** An API request of the main loop. */
export const WIRE: WireRequest = {
  model: "claude-opus-5-5",
  hasTools: true,
  maxOutputTokens: 32_000,
  textBytes: 100,
  isStreamed: true,
};

const refuse = async (): Promise<NetVerdict> => ({
  kind: "deny",
  reason: "not in this test",
  cause: "denied",
});

/** Nothing may be reached. */
export const NO_NET: NetPolicy = {
  mayConnect: refuse,
  mayFetch: refuse,
  mayPush: refuse,
  onTunnel: () => undefined,
  onRefused: () => undefined,
  onPushed: () => undefined,
};
