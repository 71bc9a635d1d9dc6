import type { ClientRequest, OutgoingHttpHeaders } from "node:http";
import { rootCertificates, connect as tlsConnect } from "node:tls";
import type { Secret } from "../config/secret.ts";
import { http } from "../domain/http.ts";
import type { GitRemote, Internet } from "../domain/net.ts";
import { dial } from "./dial.ts";

const HTTPS = 443;

/** Tokens for git hosts, by the tail of their setting's name: `GITHUB_COM` for github.com. */
export type GitTokens = ReadonlyMap<string, Secret>;

/** The name of the setting that holds the token for a host. */
export function tokenSetting(host: string): string {
  return `GIT_TOKEN_${tokenKey(host)}`;
}

/** The token for a host, or null. */
export function tokenFor(tokens: GitTokens, host: string): Secret | null {
  return tokens.get(tokenKey(host)) ?? null;
}

function tokenKey(host: string): string {
  return host.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_");
}

/**
 * Opens a request to a git host over TLS, its certificate verified, with the token as a password where there is one. The
 * caller sends the body. Gives the reason in words when the host cannot be reached.
 */
export async function askGitHost(
  {
    internet,
    tokens,
    signal,
  }: { readonly internet: Internet; readonly tokens: GitTokens; readonly signal: AbortSignal },
  { host }: Pick<GitRemote, "host">,
  {
    method,
    path,
    headers,
  }: { readonly method: string; readonly path: string; readonly headers: OutgoingHttpHeaders },
): Promise<ClientRequest | string> {
  const dialled = await dial(internet, { host, port: HTTPS }, signal);
  if (dialled.kind === "failed") return dialled.reason;
  const { extraCa } = internet;
  const socket = tlsConnect({
    socket: dialled.socket,
    servername: host,
    rejectUnauthorized: true,
    ...(extraCa === undefined ? {} : { ca: [...rootCertificates, extraCa] }),
  });
  const token = tokenFor(tokens, host)?.reveal();
  const basic = Buffer.from(`x-access-token:${token ?? ""}`).toString("base64");
  return http.request({
    createConnection: () => socket,
    signal,
    method,
    path,
    headers: { ...headers, host, ...(token === undefined ? {} : { authorization: `Basic ${basic}` }) },
  });
}
