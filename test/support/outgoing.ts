import { createSecretFinder } from "../../src/log/redact.ts";
import { createOutgoing, type Outgoing } from "../../src/telegram/outgoing.ts";

/** What goes out of a daemon whose secrets are these. */
export function outgoingOf(...secretValues: readonly string[]): Outgoing {
  return createOutgoing(createSecretFinder(secretValues));
}
