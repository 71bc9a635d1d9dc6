import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";

/**
 * What goes to the API of a request's headers: what says which API and features are meant, and who the client is. Not the
 * credential headers, not hop-by-hop ones, and not `anthropic-workspace-id` and its like, which could choose who is charged.
 */
const REQUEST_HEADERS =
  /^(?:accept|content-type|content-length|user-agent|x-app|x-client-request-id|anthropic-(?:version|beta|dangerous-direct-browser-access)|x-stainless-[a-z0-9-]+|x-claude-code-[a-z0-9-]+)$/;

/** What comes back: what the CLI reads. Neither cookies nor anything else that a gateway may add, or reflect. */
const RESPONSE_HEADERS =
  /^(?:content-type|content-length|cache-control|request-id|retry-after|retry-after-ms|x-should-retry|anthropic-ratelimit-[a-z0-9-]+)$/;

/** The headers of a request as they go to the API, without a credential and without the host. Compression is not asked for: it could not be metered. */
export function requestHeaders(received: IncomingHttpHeaders): OutgoingHttpHeaders {
  return { ...pick(received, REQUEST_HEADERS), "accept-encoding": "identity" };
}

/** The headers of the API's answer as they go to the client. */
export function responseHeaders(received: IncomingHttpHeaders): OutgoingHttpHeaders {
  return pick(received, RESPONSE_HEADERS);
}

/** What a client shows as its credential: the bearer token or the key, as they came; empty when neither did. */
export function presentedTokens(received: IncomingHttpHeaders): readonly string[] {
  const bearer = /^Bearer (.+)$/i.exec(received.authorization ?? "")?.[1];
  return [bearer, received["x-api-key"]].filter((token) => typeof token === "string");
}

function pick(headers: IncomingHttpHeaders, allowed: RegExp): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => allowed.test(name)));
}
