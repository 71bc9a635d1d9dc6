import type { ApiResponse } from "./objects.ts";

/** A refusal in the Bot API's own words. Methods throw it, the server answers it. */
export class ApiFailure extends Error {
  override readonly name = "ApiFailure";
  readonly code: number;
  /** Whole seconds to wait, for code 429. */
  readonly retryAfterSeconds: number | null;

  constructor(code: number, description: string, retryAfterSeconds: number | null = null) {
    super(description);
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** 400: the request can not be carried out as it stands. */
export function badRequest(description: string): ApiFailure {
  return new ApiFailure(400, `Bad Request: ${description}`);
}

/** 403: the bot may not do that in this chat. */
export function forbidden(description: string): ApiFailure {
  return new ApiFailure(403, `Forbidden: ${description}`);
}

/** 409: another poll or a webhook is in the way. */
export function conflict(description: string): ApiFailure {
  return new ApiFailure(409, `Conflict: ${description}`);
}

/** 429, with the seconds in both places where clients look for them. */
export function tooManyRequests(seconds: number): ApiFailure {
  return new ApiFailure(429, `Too Many Requests: retry after ${seconds}`, seconds);
}

/** The answer that tells of the failure. */
export function responseOf({ code, message, retryAfterSeconds }: ApiFailure): ApiResponse {
  const told = { ok: false, error_code: code, description: message } as const;
  return retryAfterSeconds === null ? told : { ...told, parameters: { retry_after: retryAfterSeconds } };
}
