import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Now } from "../domain/clock.ts";
import { parseHostName } from "../domain/host-rule.ts";
import { http } from "../domain/http.ts";
import type { Internet, NetPolicy, NetTarget } from "../domain/net.ts";
import type { Logger } from "../log/logger.ts";
import { dial } from "./dial.ts";
import type { Lease, Leases } from "./leases.ts";
import { createThrottledLog } from "./throttled-log.ts";
import { carry } from "./tunnel.ts";
import { listenOnSocket } from "./unix-socket.ts";

const MAX_CONNECTIONS = 512;
const MAX_TUNNELS_PER_LEASE = 64;
const MAX_REASON = 200;
/** Some programs, git among them, show what they were given only when they are asked to. */
const CHALLENGE = 'Basic realm="sallyport"';
/** The name under which the jail's git finds the daemon's git gate. */
const GIT_GATE = "git.gate";

/** The jail's way to the network: an HTTP proxy that lets through what the running turn's policy allows. */
export interface NetGate {
  /** To be bound into the jail. */
  readonly socketPath: string;
  /** The same on a port of the host's loopback, for jails that share it; null unless asked for. */
  readonly port: number | null;
  /** Ends all connections and removes the socket. */
  readonly close: () => Promise<void>;
}

/** A request of the jail's git, from a lease whose turn runs. It answers by itself. */
export type GitGate = (
  request: IncomingMessage,
  response: ServerResponse,
  from: { readonly lease: Lease; readonly policy: NetPolicy },
) => void;

interface NetGateDeps {
  /** As for the credential proxy. */
  readonly socketPath: string;
  /** True listens on a port of 127.0.0.1 too, where other programs of this machine may knock: they have no token. */
  readonly hasPort?: boolean;
  readonly leases: Leases;
  readonly internet: Internet;
  /** Serves plain requests to the host `git.gate`; without it there are none. */
  readonly gitGate?: GitGate;
  readonly log: Logger;
  readonly now: Now;
}

/**
 * Starts the filter. A client shows its lease's token as the password of `Proxy-Authorization: Basic`, which is what
 * `HTTP_PROXY=http://jail:<token>@127.0.0.1:<port>` makes programs do. Only CONNECT, to hosts by name: what goes through is
 * not seen here. The connection waits while a person is asked. Rejects as `listenOnSocket`.
 */
export async function createNetGate(deps: NetGateDeps): Promise<NetGate> {
  const { socketPath, hasPort = false, leases, internet, gitGate, log, now } = deps;
  const warn = createThrottledLog(log, now);
  const open = new Set<Duplex>();
  const tunnels = new WeakMap<Lease, number>();

  function leaseOf(request: IncomingMessage): Lease | null {
    const basic = /^Basic (.+)$/i.exec(request.headers["proxy-authorization"] ?? "")?.[1] ?? "";
    const [, token = ""] = /^[^:]*:(.*)$/s.exec(Buffer.from(basic, "base64").toString("utf8")) ?? [];
    return leases.find([token]);
  }

  function refuse(socket: Duplex, [status, reason]: readonly [number, string], lease: Lease | null): void {
    warn({ event: "net.refused", status, reason, leaseId: lease?.id }, "refused a connection of the jail");
    const challenge = status === 407 ? `Proxy-Authenticate: ${CHALLENGE}\r\n` : "";
    socket.end(
      `HTTP/1.1 ${status} ${phraseOf(reason)}\r\n${challenge}Content-Length: 0\r\nConnection: close\r\n\r\n`,
    );
  }

  async function connect(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    const lease = leaseOf(request);
    if (lease === null) return refuse(client, [407, "This token is not, or no longer, valid"], lease);
    const target = parseTarget(request.url ?? "");
    if (target === null) {
      lease.net()?.onRefused({ ...placeOf(request.url ?? ""), reason: "no_public_name" });
      return refuse(client, [403, "Only hosts of the internet, by name"], lease);
    }
    const running = tunnels.get(lease) ?? 0;
    if (running >= MAX_TUNNELS_PER_LEASE) {
      lease.net()?.onRefused({ ...target, reason: "too_many" });
      return refuse(client, [429, "Too many connections"], lease);
    }
    tunnels.set(lease, running + 1);
    try {
      await tunnel(target, { lease, client, head });
    } finally {
      tunnels.set(lease, (tunnels.get(lease) ?? 1) - 1);
    }
  }

  async function tunnel(
    target: NetTarget,
    { lease, client, head }: { readonly lease: Lease; readonly client: Duplex; readonly head: Buffer },
  ): Promise<void> {
    await lease.barrier();
    const policy = lease.net();
    if (policy === null || lease.signal.aborted) return refuse(client, [403, "No turn is running"], lease);
    const ended = lease.netSignal();
    const wait = watchForLeaving(client);
    const signal = AbortSignal.any([ended, wait.signal]);
    const verdict = await policy.mayConnect(target, signal);
    if (signal.aborted) return void client.destroy();
    if (verdict.kind === "deny") return refuse(client, [403, verdict.reason], lease);
    const dialled = await dial(internet, target, signal);
    wait.stop();
    if (dialled.kind === "failed") {
      if (dialled.isPrivate) policy.onRefused({ ...target, reason: "private_address" });
      return refuse(client, [502, dialled.reason], lease);
    }
    if (signal.aborted) {
      dialled.socket.destroy();
      return void client.destroy();
    }
    const startedAt = performance.now();
    if (head.length > 0) dialled.socket.write(head);
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    const carried = await carry(client, dialled.socket, ended);
    policy.onTunnel({ ...target, ...carried, durationMs: Math.round(performance.now() - startedAt) });
  }

  function plain(request: IncomingMessage, response: ServerResponse): void {
    const lease = leaseOf(request);
    const policy = lease?.net() ?? null;
    if (lease !== null && policy !== null && gitGate !== undefined && hostOf(request) === GIT_GATE) {
      gitGate(request, response, { lease, policy });
      return;
    }
    request.resume();
    if (lease === null) {
      response.writeHead(407, { "proxy-authenticate": CHALLENGE, connection: "close" }).end();
      return;
    }
    policy?.onRefused({ ...placeOf(URL.parse(request.url ?? "")?.host ?? ""), reason: "not_https" });
    warn({ event: "net.refused", status: 403, leaseId: lease.id }, "refused a plain request of the jail");
    response.statusMessage = "Only https is reachable from here";
    response.writeHead(403, { "content-type": "text/plain", connection: "close" });
    response.end("Sallyport: only https is reachable from here.\n");
  }

  function createServer(): Server {
    const server = http.createServer({ requestTimeout: 0, headersTimeout: 30_000, maxHeaderSize: 16_384 });
    server.maxConnections = MAX_CONNECTIONS;
    server.on("request", plain);
    server.on("connect", (request: IncomingMessage, client: Duplex, head: Buffer) => {
      open.add(client);
      client.on("error", () => undefined); // the client is gone: nothing is owed to it
      client.once("close", () => open.delete(client));
      connect(request, client, head).catch((err: unknown) => {
        log.error({ event: "net.failed", err }, "a connection of the jail failed");
        client.destroy();
      });
    });
    return server;
  }

  const bySocket = createServer();
  const byPort = hasPort ? createServer() : null;
  const servers = [bySocket, ...(byPort === null ? [] : [byPort])];
  await listenOnSocket(bySocket, socketPath);

  return {
    socketPath,
    port: byPort === null ? null : await listenOnPort(byPort),
    close: async () => {
      const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
      for (const server of servers) server.closeAllConnections();
      for (const client of open) client.destroy();
      await Promise.all(closed);
    },
  };
}

/** A free port of 127.0.0.1. */
async function listenOnPort(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Expected a port to listen on");
  return address.port;
}

/**
 * Aborts when the client closes or ends its side while it waits. A stream that nobody reads does not tell; so it is read as
 * long as it is empty, which takes nothing that was sent from what is carried later.
 */
function watchForLeaving(client: Duplex): { readonly signal: AbortSignal; readonly stop: () => void } {
  const gone = new AbortController();
  const leave = () => gone.abort();
  const look = () => void (client.readableLength === 0 && client.read());
  client.once("close", leave).once("end", leave).on("readable", look);
  return { signal: gone.signal, stop: () => void client.off("end", leave).off("readable", look) };
}

/** The `host:port` of a CONNECT; null for an address, a local name, or no port. */
function parseTarget(authority: string): NetTarget | null {
  const [, name = "", digits = ""] = /^([^:]+):(\d{1,5})$/.exec(authority) ?? [];
  const host = parseHostName(name);
  const port = Number(digits);
  return host === null || port < 1 || port > 65_535 ? null : { host, port };
}

/** Of what was asked for, what can stand on record: the place alone, and only what looks like one. */
function placeOf(authority: string): { readonly host: string; readonly port: number | null } {
  const [, host, digits] =
    /^([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{1,45}\])(?::(\d{1,5}))?$/.exec(authority) ?? [];
  return { host: host ?? "unreadable", port: digits === undefined ? null : Number(digits) };
}

function hostOf(request: IncomingMessage): string | null {
  const url = URL.parse(request.url ?? "");
  return url?.protocol === "http:" ? url.hostname : null;
}

/** What can stand behind a status: printable ASCII on one line. */
function phraseOf(reason: string): string {
  return `Sallyport: ${reason}`.replaceAll(/[^ -~]/g, "?").slice(0, MAX_REASON);
}
