import { request as requestTls } from "node:https";
import { json } from "node:stream/consumers";
import type { Update } from "grammy/types";
import { z } from "zod";
import { http } from "../domain/http.ts";
import { type CallEnd, networkEnd } from "./call.ts";
import { createSockets } from "./sockets.ts";

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

/** An answer as it came. */
interface Answer {
  readonly status: number;
  readonly date: string | undefined;
  readonly body: unknown;
}

/**
 * Makes `getUpdates` (Bot API) by the runtime's own HTTP client, which, unlike grammY's, notices an answer that is cut in the
 * middle, and is smaller and sooner there than fetch. One poll at a time, over a connection of its own; a poll that is given
 * up takes it along. Ends as `ambiguous` when the server answers with something that is no Bot API answer.
 */
export function createGetUpdates(apiRoot: string, token: string) {
  const url = new URL(`${apiRoot}/bot${token}/getUpdates`);
  const request = url.protocol === "http:" ? http.request : requestTls;
  const { agent } = createSockets(apiRoot);

  function post(body: string, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
      const call = request(url, { method: "POST", agent, headers, signal }, (response) => {
        const { statusCode: status = 0, headers: answered } = response;
        json(response).then((parsed) => resolve({ status, date: answered.date, body: parsed }), reject);
      });
      call.on("error", reject);
      call.end(body);
    });
  }

  return async (
    { offset, limit, timeoutSeconds }: Poll,
    signal: AbortSignal,
  ): Promise<CallEnd<PollAnswer>> => {
    try {
      const asked = { offset, limit, timeout: timeoutSeconds, allowed_updates: ALLOWED_UPDATES };
      return endOfAnswer(await post(JSON.stringify(asked), signal));
    } catch (error) {
      return networkEnd(error);
    }
  };
}

function endOfAnswer({ status, date, body }: Answer): CallEnd<PollAnswer> {
  const answer = answerSchema.safeParse(body);
  if (!answer.success) return { kind: "ambiguous", cause: `no Bot API answer (HTTP ${status})` };
  if (answer.data.ok) {
    const serverTime = Date.parse(date ?? "");
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
