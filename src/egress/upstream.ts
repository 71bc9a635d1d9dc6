import type { ClientRequest, OutgoingHttpHeaders } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { ClaudeCredential } from "../config/secret.ts";
import { AppError } from "../domain/errors.ts";
import { http } from "../domain/http.ts";
import { createSecretFinder } from "../log/redact.ts";

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
const HEADER_SAFE = /^[\x21-\x7e]+$/;
/** Idle connections are dropped before the far side does it, which would fail the next request. */
const IDLE_CONNECTION_MS = 20_000;

/** The API as the proxy reaches it. */
export interface Upstream {
  /** Opens a POST to `path` (with query) under the base address, with the real credential. The caller sends the body. */
  readonly post: (path: string, headers: OutgoingHttpHeaders) => ClientRequest;
  /** The text with the credential taken out, in whatever form it stands there. */
  readonly scrub: (text: string) => string;
  readonly close: () => void;
}

/**
 * The API at `baseUrl` (its path is kept as a prefix), paid by `credential`. Certificates are always verified, whatever the
 * environment says. Throws `config_invalid` for an address that is neither https nor http to this machine, or that carries
 * credentials, query or fragment, and for a credential that no header can hold. Follows no redirect.
 */
export function createUpstream(baseUrl: string, credential: ClaudeCredential): Upstream {
  const url = parseBaseUrl(baseUrl);
  const secret = credential.value.reveal();
  if (!HEADER_SAFE.test(secret)) {
    throw new AppError(
      "config_invalid",
      `Expected the ${credential.kind} credential in printable ASCII without spaces; got something else`,
    );
  }
  const finder = createSecretFinder([secret]);
  const credentialHeader: OutgoingHttpHeaders =
    credential.kind === "api-key" ? { "x-api-key": secret } : { authorization: `Bearer ${secret}` };
  const isTls = url.protocol === "https:";
  const options = { keepAlive: true, timeout: IDLE_CONNECTION_MS };
  const agent = isTls ? new HttpsAgent({ ...options, rejectUnauthorized: true }) : new http.Agent(options);
  const prefix = url.pathname.replace(/\/+$/, "");

  return {
    post: (path, headers) => {
      const send = isTls ? httpsRequest : http.request;
      const target = new URL(`${prefix}${path}`, url);
      return send(target, { method: "POST", agent, headers: { ...headers, ...credentialHeader } });
    },
    scrub: (text) => finder.redact(text, "none"),
    close: () => agent.destroy(),
  };
}

function parseBaseUrl(baseUrl: string): URL {
  const url = URL.parse(baseUrl);
  const isAllowed =
    url !== null &&
    (url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.test(url.hostname))) &&
    `${url.username}${url.password}${url.search}${url.hash}` === "";
  if (isAllowed) return url;
  throw new AppError(
    "config_invalid",
    "Expected ANTHROPIC_BASE_URL to be an https address without credentials, query or fragment (http only to 127.0.0.1, ::1 or localhost)",
  );
}
