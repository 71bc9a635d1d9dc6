import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Now } from "../domain/clock.ts";
import { http } from "../domain/http.ts";
import type { Internet } from "../domain/net.ts";
import type { Logger } from "../log/logger.ts";
import type { Lease, Leases } from "./leases.ts";
import { createThrottledLog } from "./throttled-log.ts";
import { listenOnSocket } from "./unix-socket.ts";

const MAX_CONNECTIONS = 256;

/** The jail's way to the network: an HTTP proxy that lets through what the running turn's policy allows. */
export interface NetGate {
  /** To be bound into the jail. */
  readonly socketPath: string;
  /** Ends all connections and removes the socket. */
  readonly close: () => Promise<void>;
}

interface NetGateDeps {
  /** As for the credential proxy. */
  readonly socketPath: string;
  readonly leases: Leases;
  readonly internet: Internet;
  readonly log: Logger;
  readonly now: Now;
}

/**
 * Starts the filter. A client shows its lease's token as the password of `Proxy-Authorization: Basic`, which is what
 * `HTTP_PROXY=http://jail:<token>@127.0.0.1:<port>` makes programs do. Nothing is reachable yet. Rejects as `listenOnSocket`.
 */
export async function createNetGate({ socketPath, leases, log, now }: NetGateDeps): Promise<NetGate> {
  const warn = createThrottledLog(log, now);

  function leaseOf(request: IncomingMessage): Lease | null {
    const basic = /^Basic (.+)$/i.exec(request.headers["proxy-authorization"] ?? "")?.[1] ?? "";
    const [, token = ""] = /^[^:]*:(.*)$/s.exec(Buffer.from(basic, "base64").toString("utf8")) ?? [];
    return leases.find([token]);
  }

  const server = http.createServer({ requestTimeout: 0, headersTimeout: 30_000 });
  server.maxConnections = MAX_CONNECTIONS;
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    warn({ event: "net.refused", leaseId: leaseOf(request)?.id }, "refused a request of the jail");
    response
      .writeHead(403, { "content-type": "text/plain" })
      .end("Sallyport: only https is reachable here.\n");
  });
  server.on("connect", (request: IncomingMessage, socket: Duplex) => {
    socket.on("error", () => undefined); // the client is gone: nothing is owed to it
    warn({ event: "net.refused", leaseId: leaseOf(request)?.id }, "refused a connection of the jail");
    socket.end("HTTP/1.1 403 Sallyport: no host is reachable here\r\n\r\n");
  });
  await listenOnSocket(server, socketPath);

  return {
    socketPath,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
