import type { JailLossEvent } from "../domain/claude-event.ts";
import { escapeInvisible } from "../security/visible.ts";

/** Above a call that is to be approved, where a known secret is not shown. */
export const OWN_SECRET =
  "⚠️ A secret of this bot's own stands in this call. It is not shown: [redacted] stands in its place. Claude cannot know it unless somebody told it.";

/** A jail was killed: why, whether the turn goes on in another, and how a file is shown all the same. */
export function jailLostText({ kind, cause, path }: JailLossEvent): string {
  const name = escapeInvisible(path);
  const what = kind === "jail_renewed" ? "New sandbox" : "Sandbox ended";
  switch (cause) {
    case "secret":
      return `${what}: ${name} appeared and may hold secrets. It is hidden now, and what was read of it was thrown away. An owner can show it: /expose ${name}`;
    case "protection":
      return `${what}: ${name}, which is protected, was exchanged on this machine.`;
    case "unwatched":
      return `${what}: ${name} could not be watched for secrets. It may not be listed, or changes faster than it can be looked at.`;
  }
}
