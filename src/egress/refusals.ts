import type { IncomingMessage, ServerResponse } from "node:http";

/** A refusal in the shape of Anthropic's errors. The CLI shows `message` to the person and asks again only where marked so. */
export interface Refusal {
  readonly status: number;
  readonly type: string;
  readonly message: string;
  readonly isRetryable: boolean;
}

const MAX_DRAINED_BYTES = 64 * 1024 * 1024;

export const NOT_FOUND: Refusal = {
  status: 404,
  type: "not_found_error",
  message: "Sallyport: only the Messages API is reachable here.",
  isRetryable: false,
};

export const NO_LEASE: Refusal = {
  status: 401,
  type: "authentication_error",
  message: "Sallyport: this token is not, or no longer, valid.",
  isRetryable: false,
};

export const TOO_LARGE: Refusal = {
  status: 413,
  type: "request_too_large",
  message: "Sallyport: the request is larger than 32 MB.",
  isRetryable: false,
};

export const TOO_MANY: Refusal = {
  status: 429,
  type: "rate_limit_error",
  message: "Sallyport: too many requests at once.",
  isRetryable: true,
};

/** 402 with `billing_error`: the one answer that the CLI neither repeats nor explains in words of its own. */
export function unpaid(message: string): Refusal {
  return { status: 402, type: "billing_error", message, isRetryable: false };
}

/** The API could not be reached or did not answer as it should. */
export function badGateway(message: string): Refusal {
  return { status: 502, type: "api_error", message: `Sallyport: ${message}`, isRetryable: true };
}

/** Answers a request with a refusal, and drains its body. Does nothing when an answer has begun. */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { status, type, message, isRetryable }: Refusal,
): void {
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(JSON.stringify({ type: "error", error: { type, message } }));
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": body.length,
    ...(isRetryable ? {} : { "x-should-retry": "false" }),
  });
  response.end(request.method === "HEAD" ? undefined : body);
  drain(request);
}

/** Reads on what is left of a body that nobody wants, up to 64 MB, so that its sender lives to read the answer. */
function drain(request: IncomingMessage): void {
  let drained = 0;
  request.removeAllListeners("data");
  request.on("data", (chunk: Buffer) => {
    drained += chunk.length;
    if (drained > MAX_DRAINED_BYTES) request.destroy();
  });
  request.resume();
}
