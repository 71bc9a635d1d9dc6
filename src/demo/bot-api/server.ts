import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Now } from "../../domain/clock.ts";
import { jsonAnswer, send } from "./answering.ts";
import { type Arrival, asFailure, type Target } from "./calls.ts";
import { ApiFailure, responseOf } from "./failure.ts";

/** The HTTP side of the Bot API. */
export interface ApiServer {
  /** Gives the API root, `http://127.0.0.1:<port>`. Port 0 takes a free one. May be called again after `close`. */
  readonly listen: (port: number) => Promise<string>;
  /** Cuts all connections and goes on listening. */
  readonly cut: () => void;
  /** Cuts all connections and stops listening. What was told to the server stays. */
  readonly close: () => Promise<void>;
}

export interface ApiServerDeps {
  /** Dates the answers. */
  readonly now: Now;
  readonly isTokenValid: (token: string) => boolean;
  readonly handle: (arrival: Arrival) => Promise<void>;
}

/** Longer than any client keeps an idle connection, as Telegram's own front does. */
const KEEP_ALIVE_MS = 75_000;

/** Listens on the loopback address for `/bot<token>/<method>` and `/file/bot<token>/<path>`. */
export function createApiServer({ now, isTokenValid, handle }: ApiServerDeps): ApiServer {
  let running: { readonly server: Server; readonly closing: AbortController } | null = null;

  const route = async (request: IncomingMessage, out: ServerResponse): Promise<void> => {
    const target = parseTarget(request.url ?? "");
    if (target === null) throw new ApiFailure(404, "Not Found");
    if (!isTokenValid(target.token)) throw new ApiFailure(401, "Unauthorized");
    await handle({ request, out, target, signal: running?.closing.signal ?? AbortSignal.abort() });
  };

  const listener = (request: IncomingMessage, out: ServerResponse): void => {
    route(request, out).catch((error: unknown) => {
      request.resume();
      if (out.headersSent) out.destroy();
      else send(out, jsonAnswer(responseOf(asFailure(error))), now);
    });
  };

  return {
    listen: async (port) => {
      if (running !== null) throw new Error("The Bot API server listens already; close it first");
      const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, listener);
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, "127.0.0.1", resolve);
      });
      running = { server, closing: new AbortController() };
      const address = server.address();
      return `http://127.0.0.1:${typeof address === "object" ? address?.port : port}`;
    },
    cut: () => running?.server.closeAllConnections(),
    close: async () => {
      if (running === null) return;
      const { server, closing } = running;
      running = null;
      closing.abort();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function parseTarget(url: string): Target | null {
  const parsed = URL.parse(url, "http://localhost");
  const match = /^\/(file\/)?bot([^/]+)\/(.+)$/.exec(parsed?.pathname ?? "");
  if (parsed === null || match === null) return null;
  const [, file, token = "", name = ""] = match;
  return { kind: file === undefined ? "method" : "file", token, name, query: parsed.searchParams };
}
