import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { messageOf } from "../domain/errors.ts";
import type { Internet, NetPolicy } from "../domain/net.ts";
import type { Logger } from "../log/logger.ts";
import { askGitHost, type GitTokens, tokenFor, tokenSetting } from "./git-host.ts";
import { type GitRoute, parseGitRoute } from "./git-route.ts";
import { drained, lengthOf, pick, readHead, say, send } from "./git-wire.ts";
import type { GitGate } from "./net-gate.ts";
import { type PushHead, refusalReport } from "./pkt-line.ts";

/** What goes on to the git host: neither cookies nor credentials nor anything hop by hop. */
const REQUEST_HEADERS = [
  "accept",
  "accept-encoding",
  "content-type",
  "content-encoding",
  "git-protocol",
  "user-agent",
];
const RESPONSE_HEADERS = ["content-type", "content-encoding", "cache-control", "expires", "pragma"];

interface GitGateDeps {
  readonly internet: Internet;
  readonly tokens: GitTokens;
  readonly log: Logger;
}

/** One request of the jail's git on its way. */
interface Passage {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly route: GitRoute;
  readonly policy: NetPolicy;
  readonly signal: AbortSignal;
}

/**
 * git over the network for a jail that holds no token: the daemon adds it, for the repository that the policy allows, over
 * the four routes of git's own protocol. A push is read up to its list of refs, and waits while the policy asks a person;
 * what goes out then is what was read. No git runs here.
 */
export function createGitGate({ internet, tokens, log }: GitGateDeps): GitGate {
  async function serve(passage: Passage): Promise<void> {
    const { request, route, policy, signal } = passage;
    const verdict = await policy.mayFetch(route.remote, signal);
    if (signal.aborted) return void request.destroy();
    if (verdict.kind === "deny") return refuse(passage, verdict.reason);
    if (route.service === "git-receive-pack" && tokenFor(tokens, route.remote.host) === null) {
      noteRefusal(passage, "no_token");
      return refuse(
        passage,
        `there is no ${tokenSetting(route.remote.host)} in the daemon's settings to push with`,
      );
    }
    if (route.service === "git-upload-pack" || route.step === "discover") return forward(passage, null);
    return push(passage);
  }

  async function push(passage: Passage): Promise<void> {
    const { request, route, policy, signal } = passage;
    const read =
      request.headers["content-encoding"] === undefined ? await readHead(request) : "it is compressed";
    if (typeof read === "string") {
      noteRefusal(passage, "unreadable_push");
      return refuse(passage, `the push cannot be read: ${read}`);
    }
    const { head, bytes } = read;
    if (head.updates.length === 0) return forward(passage, { bytes, head });
    const verdict = await policy.mayPush(route.remote, head.updates, signal);
    if (signal.aborted) return void request.destroy();
    if (verdict.kind === "allow") return forward(passage, { bytes, head });
    await drained(request);
    reject(passage, head, verdict.reason);
  }

  async function forward(
    passage: Passage,
    begun: { readonly bytes: Buffer; readonly head: PushHead } | null,
  ): Promise<void> {
    const { request, response, route, policy, signal } = passage;
    const headers: OutgoingHttpHeaders = { ...pick(request.headers, REQUEST_HEADERS), ...lengthOf(request) };
    const { path } = route;
    const out = await askGitHost({ internet, tokens, signal }, route.remote, {
      method: request.method ?? "",
      path,
      headers,
    });
    if (typeof out === "string") return refuse(passage, out);
    out.on("error", (error) => {
      log.warn(
        { event: "git.failed", host: route.remote.host, reason: messageOf(error) },
        "a request to a git host failed",
      );
      if (response.headersSent) response.destroy();
      else refuse(passage, `${route.remote.host} could not be spoken to`);
    });
    out.on("response", (answer) => {
      const status = answer.statusCode ?? 502;
      if (begun !== null && begun.head.updates.length > 0 && status === 200)
        policy.onPushed(route.remote, begun.head.updates);
      receive(passage, answer);
    });
    send(request, out, begun?.bytes);
  }

  /** Nothing that the host says beside its answer gets into the jail; a redirect is not followed. */
  function receive(passage: Passage, answer: IncomingMessage): void {
    const { response, route } = passage;
    const status = answer.statusCode ?? 502;
    const { host } = route.remote;
    if (status === 401 || status === 403) {
      answer.resume();
      refuse(passage, `${host} does not accept the daemon's ${tokenSetting(host)} for this repository`);
      return;
    }
    if (status >= 300 && status < 400) {
      answer.resume();
      refuse(passage, `${host} sends this repository elsewhere: set the remote to where it is now`);
      return;
    }
    response.writeHead(status, pick(answer.headers, RESPONSE_HEADERS));
    answer.pipe(response);
    answer.on("error", () => response.destroy());
    answer.on("close", () => {
      if (!answer.complete) response.destroy();
    });
  }

  return (request, response, { lease, policy }) => {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    response.on("error", () => gone.abort());
    request.on("error", () => gone.abort());
    const signal = AbortSignal.any([lease.netSignal(), gone.signal]);
    const route = parseGitRoute(request.method ?? "", request.url ?? "");
    if (route === null) {
      policy.onRefused({ host: "git.gate", port: null, reason: "no_git_request" });
      say(request, response, "only git's own requests for one repository pass here");
      return;
    }
    const passage = { request, response, route, policy, signal };
    lease
      .barrier()
      .then(() => serve(passage))
      .catch((err: unknown) => {
        if (!signal.aborted) log.error({ event: "git.failed", err }, "a request of the jail's git failed");
        response.destroy();
      });
  };
}

/** A push that was read is refused ref by ref, so that git shows why; anything else by a status and the words. */
function reject(passage: Passage, head: PushHead, reason: string): void {
  const { response } = passage;
  if (!head.hasReport) {
    refuse(passage, reason);
    return;
  }
  response.writeHead(200, {
    "content-type": "application/x-git-receive-pack-result",
    "cache-control": "no-cache",
  });
  response.end(refusalReport(head, reason));
}

function noteRefusal({ policy, route }: Passage, reason: "no_token" | "unreadable_push"): void {
  policy.onRefused({ host: `${route.remote.host}/${route.remote.repository}`, port: null, reason });
}

function refuse({ request, response }: Passage, reason: string): void {
  say(request, response, reason);
}
