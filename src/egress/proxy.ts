import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ClaudeCredential } from "../config/secret.ts";
import type { Now } from "../domain/clock.ts";
import { http } from "../domain/http.ts";
import type { Payer, WireRequest } from "../domain/usage.ts";
import type { Logger } from "../log/logger.ts";
import { forward } from "./forward.ts";
import { createGuardedPayers } from "./guarded-payer.ts";
import { presentedTokens } from "./headers.ts";
import type { Lease, Leases } from "./leases.ts";
import { createMessageMeter, createStreamMeter, type Meter } from "./meter.ts";
import { createPending } from "./pending.ts";
import type { PriceTable } from "./prices.ts";
import { createBodyReader } from "./read-body.ts";
import {
  badGateway,
  NO_LEASE,
  NOT_FOUND,
  type Refusal,
  refuse,
  TOO_LARGE,
  TOO_MANY,
  unpaid,
} from "./refusals.ts";
import { createThrottledLog } from "./throttled-log.ts";
import { listenOnSocket } from "./unix-socket.ts";
import { createUpstream } from "./upstream.ts";
import { createWireReader } from "./wire-reader.ts";

const ROUTES: ReadonlySet<string> = new Set(["/v1/messages", "/v1/messages/count_tokens"]);
const MAX_CONNECTIONS = 256;
const IDLE_CONNECTION_MS = 120_000;
/** As the API itself. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;
const MAX_HELD_BYTES = 4 * MAX_BODY_BYTES;
const UNMETERED: Meter = { observe: () => undefined, end: () => undefined };
const NO_TURN = unpaid("Sallyport: no turn is running, so nobody pays for this request.");

/** Stands between the jail and the Claude API: puts in the real credential, meters, and refuses what nobody pays for. */
export interface CredentialProxy {
  /** For `ANTHROPIC_UNIX_SOCKET`, as a path outside the jail. */
  readonly socketPath: string;
  /** Ends all requests, and removes the socket. */
  readonly close: () => Promise<void>;
}

interface CredentialProxyDeps {
  /** At most 103 bytes, in a folder that is this user's alone; made when missing. */
  readonly socketPath: string;
  /** `ANTHROPIC_BASE_URL`. */
  readonly upstream: string;
  readonly leases: Leases;
  readonly credential: ClaudeCredential;
  readonly prices: PriceTable;
  readonly log: Logger;
  readonly now: Now;
}

interface Admitted {
  readonly lease: Lease;
  readonly payer: Payer;
  /** Aborted when nobody pays for it any more. */
  readonly signal: AbortSignal;
  readonly leave: () => void;
  readonly isMetered: boolean;
  readonly wire: WireRequest;
  readonly body: Buffer;
  readonly isKnown: () => void;
}

type Judged =
  | {
      readonly kind: "read";
      readonly wire: WireRequest;
      readonly body: Buffer;
      /** To be called once all that it used is metered, or it is over. */
      readonly isKnown: () => void;
    }
  | { readonly kind: "refused"; readonly refusal: Refusal };

type Agreed = { readonly kind: "ok"; readonly isKnown: () => void } | Extract<Judged, { kind: "refused" }>;

/**
 * Starts the proxy: POST /v1/messages and /v1/messages/count_tokens for holders of a lease whose payer agrees, each with or
 * without `?beta=true`; HEAD / says only that it is there. Refusals are Anthropic's error JSON with `x-should-retry: false`.
 * There is one credential and one upstream: nothing ever changes over to another (H30). Rejects with `config_invalid`
 * or `already_running` (see `createUpstream` and `listenOnSocket`).
 */
export async function createCredentialProxy(deps: CredentialProxyDeps): Promise<CredentialProxy> {
  const upstream = createUpstream(deps.upstream, deps.credential);
  const { leases } = deps;
  const payers = createGuardedPayers(deps.log);
  const warn = createThrottledLog(deps.log, deps.now);
  const pending = createPending(deps.prices);
  const wires = createWireReader();
  const bodies = createBodyReader({ maxBytes: MAX_BODY_BYTES, maxTotalBytes: MAX_HELD_BYTES });

  async function handle(request: IncomingMessage, response: ServerResponse) {
    if (request.method === "HEAD" && request.url === "/") return void response.writeHead(200).end();
    const decline = (refusal: Refusal, leaseId?: string) => {
      warn({ event: "egress.refused", status: refusal.status, leaseId }, "refused an API request");
      refuse(request, response, refusal);
    };
    const path = (request.url ?? "").replace(/\?beta=true$/, "");
    if (request.method !== "POST" || !ROUTES.has(path)) return decline(NOT_FOUND);
    const lease = leases.find(presentedTokens(request.headers));
    if (lease === null) return decline(NO_LEASE);
    const payer = lease.payer();
    const signal = lease.payerSignal();
    if (payer === null) return decline(NO_TURN, lease.id);
    if (Number(request.headers["content-length"] ?? 0) > MAX_BODY_BYTES) return decline(TOO_LARGE, lease.id);
    const leave = lease.enter();
    if (leave === null) return decline(TOO_MANY, lease.id);
    const isMetered = path === "/v1/messages";
    const read = await readRequest(request, { payer, signal, lease, isMetered, response });
    if (read.kind === "read" && !response.destroyed && !signal.aborted)
      return carry(request, response, { ...read, lease, payer, signal, leave, isMetered });
    leave();
    if (read.kind === "read") read.isKnown();
    decline(read.kind === "refused" ? read.refusal : NO_TURN, lease.id);
  }

  /** The whole request, when the API may see it and its payer agrees. Nothing of it has been sent by then. */
  async function readRequest(
    request: IncomingMessage,
    {
      response,
      ...paid
    }: Pick<Admitted, "payer" | "signal" | "lease" | "isMetered"> & { readonly response: ServerResponse },
  ): Promise<Judged> {
    const { lease } = paid;
    const bytes = await bodies.read(request, response);
    await lease.barrier(); // after the last byte: until then the jail may have put anything into it
    if (bytes === "gone" || lease.signal.aborted) return { kind: "refused", refusal: NO_LEASE };
    if (bytes === "too_large") return { kind: "refused", refusal: TOO_LARGE };
    if (bytes === "busy") return { kind: "refused", refusal: TOO_MANY };
    const read = await wires.read(bytes);
    if (lease.signal.aborted) return { kind: "refused", refusal: NO_LEASE };
    if (read.kind === "refused") return { kind: "refused", refusal: unpaid(read.reason) };
    const agreed = await agree(read.wire, paid);
    return agreed.kind === "ok" ? { ...read, isKnown: agreed.isKnown } : agreed;
  }

  /** Waits while what runs beside it may use up what is left: one alone is always judged by what was spent. */
  async function agree(
    wire: WireRequest,
    { payer, signal, lease, isMetered }: Pick<Admitted, "payer" | "signal" | "lease" | "isMetered">,
  ): Promise<Agreed> {
    for (;;) {
      if (signal.aborted) return { kind: "refused", refusal: NO_TURN };
      const verdict = payers.judge(payer, wire, pending.beside(lease, wire));
      if (verdict.kind === "refuse") return { kind: "refused", refusal: unpaid(verdict.message) };
      // At once: whatever is judged from here on is judged with this one under way.
      if (verdict.kind === "ok")
        return { kind: "ok", isKnown: isMetered ? pending.add(lease, wire) : () => undefined };
      await pending.changed(lease);
    }
  }

  function carry(
    request: IncomingMessage,
    response: ServerResponse,
    { lease, payer, signal, leave, isMetered, wire, body, isKnown }: Admitted,
  ) {
    const cut = new AbortController();
    const abandon = () => cut.abort();
    const requestId = randomUUID();
    const meterDeps = {
      requestId,
      prices: deps.prices,
      asked: wire,
      report: (usage: Parameters<Payer["onUsage"]>[0]) => {
        payers.report(payer, usage);
        if (!usage.isFinal) return;
        isKnown();
        signal.removeEventListener("abort", abandon); // its last bytes may still go out
      },
      onUnknownModel: (model: string) =>
        warn({ event: "egress.unknown_model", model, pricesAsOf: deps.prices.asOf }, "model without a price"),
    };
    signal.addEventListener("abort", abandon, { once: true });
    lease.signal.addEventListener("abort", abandon, { once: true });
    forward({
      request,
      response,
      body,
      upstream,
      signal: cut.signal,
      createMeter: (contentType) => {
        if (!isMetered) return UNMETERED;
        const isStream = contentType.startsWith("text/event-stream");
        return isStream ? createStreamMeter(meterDeps) : createMessageMeter(meterDeps);
      },
      onFault: (reason) =>
        warn(
          { event: "egress.failed", reason: upstream.scrub(reason), leaseId: lease.id, requestId },
          "an API request failed",
        ),
      onOver: () => {
        signal.removeEventListener("abort", abandon);
        lease.signal.removeEventListener("abort", abandon);
        isKnown();
        leave();
      },
    });
  }

  const server = http.createServer({
    requestTimeout: 0,
    headersTimeout: 30_000,
    keepAliveTimeout: IDLE_CONNECTION_MS,
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on("request", (request, response) => {
    handle(request, response).catch((err: unknown) => {
      deps.log.error({ event: "egress.failed", err }, "an API request failed");
      refuse(request, response, badGateway("the request could not be passed on."));
    });
  });
  await listenOnSocket(server, deps.socketPath);

  return {
    socketPath: deps.socketPath,
    close: async () => {
      leases.releaseAll();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await wires.close();
      upstream.close();
    },
  };
}
