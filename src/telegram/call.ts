import { GrammyError, HttpError } from "grammy";
import { isErrno, messageOf } from "../domain/errors.ts";
import { redactShapes } from "../log/redact.ts";

/**
 * How a call to the Bot API ended. `unsent` had no effect: it never left, or the server itself called it a failure (5xx),
 * which it may say after the act, but hardly ever does; trying for ever then beats losing an answer in a storm of 502. After
 * `ambiguous` nobody can tell (the Bot API has no idempotency key). `description` is Telegram's own wording; neither it nor `cause` (the network client names the whole address) holds the token or the payload.
 */
export type CallEnd<T> =
  | { readonly kind: "ok"; readonly value: T }
  | {
      readonly kind: "refused";
      readonly code: number;
      readonly description: string;
      readonly retryAfterMs: number | null;
    }
  | { readonly kind: "unsent" | "ambiguous"; readonly cause: string };

/** Errors that come before a byte of the request has left. */
const UNSENT = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "ENETDOWN"] as const;

/** Awaits a call made through grammY and says how it ended. Rethrows what is neither Telegram's nor the network's. */
export async function endOf<T>(call: Promise<T>): Promise<CallEnd<T>> {
  try {
    return { kind: "ok", value: await call };
  } catch (error) {
    if (error instanceof GrammyError) return refusal(error);
    if (error instanceof HttpError) return networkEnd(error.error);
    throw error;
  }
}

/** How a failed attempt to reach Telegram ended. */
export function networkEnd(error: unknown): CallEnd<never> {
  const code = UNSENT.find(
    (one) => isErrno(error, one) || (error instanceof Error && isErrno(error.cause, one)),
  );
  if (code) return { kind: "unsent", cause: code };
  const cause = redactShapes(
    messageOf(error instanceof Error && error.cause instanceof Error ? error.cause : error),
  );
  return { kind: isErrorPage(error) ? "unsent" : "ambiguous", cause };
}

function refusal(error: GrammyError): CallEnd<never> {
  const { retry_after: retryAfter } = error.parameters;
  if (error.error_code >= 500) return { kind: "unsent", cause: `${error.error_code}: ${error.description}` };
  return {
    kind: "refused",
    code: error.error_code,
    description: error.description,
    retryAfterMs: retryAfter === undefined ? null : retryAfter * 1000,
  };
}

/** An answer that is no JSON is a proxy's error page (node-fetch: FetchError of type `invalid-json`). */
function isErrorPage(error: unknown): boolean {
  return error instanceof Error && "type" in error && error.type === "invalid-json";
}
