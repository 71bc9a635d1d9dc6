import type { NetPolicy, NetVerdict } from "../domain/net.ts";

/** What the programs of a turn's jail may reach. */
export function createNetPolicy(): NetPolicy {
  const refuse = async (): Promise<NetVerdict> => ({ kind: "deny", reason: "No host may be reached." });
  return { mayConnect: refuse, mayFetch: refuse, mayPush: refuse, onTunnel: () => undefined };
}
