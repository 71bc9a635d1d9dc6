import type { ModelReply } from "../../src/demo/messages-api/types.ts";

/** A model that begins to speak and then says no more; of what it says enough is shown behind any tool's line. */
export const hang: ModelReply = {
  kind: "hang",
  afterText: `Let me think. ${"One thing leads to another. ".repeat(8)}`,
};
