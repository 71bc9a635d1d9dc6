import type { Stage } from "./stage.ts";

/** When the first call of the bot arrived that is about a person's message: a reaction to it, or a reply. */
export function watchSigns({ api }: Stage): ReadonlyMap<string, number> {
  const signs = new Map<string, number>();
  api.on("call", ({ method, payload, at }) => {
    const about =
      method === "setMessageReaction" ? payload.message_id : replyTarget(payload.reply_parameters);
    const key = `${String(payload.chat_id)}:${String(about)}`;
    if (about !== undefined) signs.set(key, Math.min(at, signs.get(key) ?? Number.POSITIVE_INFINITY));
  });
  return signs;
}

function replyTarget(parameters: unknown): unknown {
  const value = typeof parameters === "string" ? JSON.parse(parameters) : parameters;
  return typeof value === "object" && value !== null && "message_id" in value ? value.message_id : undefined;
}
