import type { Update } from "grammy/types";
import { z } from "zod";
import { type CallEnd, networkEnd } from "./call.ts";

/** The update types that the daemon asks for: exactly what it handles. */
export const ALLOWED_UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"] as const;

const answerSchema = z.union([
  z.object({ ok: z.literal(true), result: z.array(z.custom<Update>(isUpdate)) }),
  z.object({
    ok: z.literal(false),
    error_code: z.number(),
    description: z.string(),
    parameters: z.object({ retry_after: z.number().nonnegative().optional() }).optional(),
  }),
]);

/** One long poll. */
export interface Poll {
  readonly offset: number | undefined;
  readonly limit: number;
  readonly timeoutSeconds: number;
}

/** What a poll brought. */
export interface PollAnswer {
  readonly updates: readonly Update[];
  /** When the server answered, by its own clock (HTTP `Date`, whole seconds), in ms since the epoch; null when it does not say. */
  readonly serverTime: number | null;
}

/**
 * Makes `getUpdates` (Bot API) over the runtime's own fetch, which, unlike grammY's, notices an answer that is cut in the
 * middle. Ends as `ambiguous` when the server answers with something that is no Bot API answer.
 */
export function createGetUpdates(apiRoot: string, token: string) {
  const url = `${apiRoot}/bot${token}/getUpdates`;

  return async (
    { offset, limit, timeoutSeconds }: Poll,
    signal: AbortSignal,
  ): Promise<CallEnd<PollAnswer>> => {
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ offset, limit, timeout: timeoutSeconds, allowed_updates: ALLOWED_UPDATES }),
        signal,
      });
      return endOfAnswer(answerSchema.safeParse(await response.json()), response);
    } catch (error) {
      return networkEnd(error);
    }
  };
}

function endOfAnswer(
  answer: z.ZodSafeParseResult<z.infer<typeof answerSchema>>,
  { status, headers }: Response,
): CallEnd<PollAnswer> {
  if (!answer.success) return { kind: "ambiguous", cause: `no Bot API answer (HTTP ${status})` };
  if (answer.data.ok) {
    const serverTime = Date.parse(headers.get("date") ?? "");
    return {
      kind: "ok",
      value: { updates: answer.data.result, serverTime: Number.isNaN(serverTime) ? null : serverTime },
    };
  }
  const { error_code: code, description, parameters } = answer.data;
  if (code >= 500) return { kind: "ambiguous", cause: `${code}: ${description}` };
  const retryAfter = parameters?.retry_after;
  return {
    kind: "refused",
    code,
    description,
    retryAfterMs: retryAfter === undefined ? null : retryAfter * 1000,
  };
}

function isUpdate(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    "update_id" in value &&
    Number.isSafeInteger(value.update_id)
  );
}
