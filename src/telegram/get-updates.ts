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
    parameters: z.object({ retry_after: z.number().optional() }).optional(),
  }),
]);

/** One long poll. */
export interface Poll {
  readonly offset: number | undefined;
  readonly limit: number;
  readonly timeoutSeconds: number;
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
  ): Promise<CallEnd<readonly Update[]>> => {
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ offset, limit, timeout: timeoutSeconds, allowed_updates: ALLOWED_UPDATES }),
        signal,
      });
      return endOfAnswer(answerSchema.safeParse(await response.json()), response.status);
    } catch (error) {
      return networkEnd(error);
    }
  };
}

function endOfAnswer(
  answer: z.ZodSafeParseResult<z.infer<typeof answerSchema>>,
  status: number,
): CallEnd<readonly Update[]> {
  if (!answer.success) return { kind: "ambiguous", cause: `no Bot API answer (HTTP ${status})` };
  if (answer.data.ok) return { kind: "ok", value: answer.data.result };
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
