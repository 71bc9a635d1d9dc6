import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type Now, systemNow } from "../../domain/clock.ts";
import { AppError, messageOf } from "../../domain/errors.ts";
import { parseModelRequest } from "./model-request.ts";
import { sendError, sendJson, sendReply } from "./send.ts";
import type { ModelScript, RecordedRequest } from "./types.ts";
import { countTokens } from "./usage.ts";

const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** A stand-in for Anthropic's Messages API, spoken to by the real CLI. */
export interface MessagesApi {
  /** Listens on 127.0.0.1 and gives the URL to put into `ANTHROPIC_BASE_URL`. Port 0 takes a free one. */
  readonly listen: (port?: number) => Promise<string>;
  /** Ends every connection, hanging answers included. */
  readonly close: () => Promise<void>;
  /** Everything that arrived, oldest first; grows. */
  readonly requests: readonly RecordedRequest[];
  /** Calls `listener` for each request when its body is read, before the script is asked. Returns the way to stop. */
  readonly onRequest: (listener: (request: RecordedRequest) => void) => () => void;
}

interface MessagesApiDeps {
  readonly script: ModelScript;
  readonly now?: Now;
}

/**
 * A scripted Messages API: POST /v1/messages (streamed and not), POST /v1/messages/count_tokens and HEAD on any path, as
 * the CLI uses them. A script that throws is answered 500 with its message. Holds the requests in memory: for demo and tests.
 */
export function createMessagesApi({ script, now = systemNow }: MessagesApiDeps): MessagesApi {
  const requests: RecordedRequest[] = [];
  const listeners = new Set<(request: RecordedRequest) => void>();
  let messageCount = 0;

  const server = createServer((request, response) => {
    const closed = new AbortController();
    response.once("close", () => closed.abort());
    response.on("error", () => closed.abort()); // the client went: `close` follows
    answer(request, response, closed.signal).catch((error: unknown) => {
      if (closed.signal.aborted) return; // nobody is left to tell
      if (response.headersSent) response.destroy();
      else sendError(response, { status: 500, type: "api_error", message: messageOf(error) });
    });
  });
  server.requestTimeout = 0;

  async function answer(request: IncomingMessage, response: ServerResponse, signal: AbortSignal) {
    const bytes = await readBody(request);
    const body = parseJson(bytes);
    const recorded = record(request, response, body);
    requests.push(recorded);
    for (const listener of listeners) listener(recorded);

    const path = recorded.path.split("?")[0];
    if (recorded.method === "HEAD") return void response.writeHead(200).end();
    if (recorded.method !== "POST" || (path !== "/v1/messages" && path !== "/v1/messages/count_tokens")) {
      return sendError(response, { status: 404, type: "not_found_error", message: "Not found" });
    }
    if (!request.headers.authorization && !request.headers["x-api-key"]) {
      const message = "x-api-key header is required";
      return sendError(response, { status: 401, type: "authentication_error", message });
    }
    if (bytes.length > MAX_BODY_BYTES) {
      const message = "Request exceeds the maximum size";
      return sendError(response, { status: 413, type: "request_too_large", message });
    }
    if (path === "/v1/messages/count_tokens") {
      return sendJson(response, 200, { input_tokens: countTokens(bytes.length, []).inputTokens });
    }
    messageCount += 1;
    const meta = { requestNumber: messageCount, headers: request.headers, bodyBytes: bytes.length };
    const parsed = parseModelRequest(body, meta);
    if (parsed === null) {
      const message = "model and messages are required";
      return sendError(response, { status: 400, type: "invalid_request_error", message });
    }
    await sendReply({ request: parsed, response, signal }, await script(parsed));
  }

  function record(request: IncomingMessage, response: ServerResponse, body: unknown): RecordedRequest {
    const finished = new Promise<"answered" | "gone">((resolve) => {
      if (response.closed || response.destroyed) resolve("gone");
      response.once("finish", () => resolve("answered"));
      response.once("close", () => resolve("gone"));
    });
    return {
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers,
      body,
      at: now(),
      finished,
    };
  }

  return {
    requests,
    listen: (port = 0) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, "127.0.0.1", () => {
          const address = server.address();
          if (address !== null && typeof address === "object") resolve(`http://127.0.0.1:${address.port}`);
          else reject(new AppError("config_invalid", "Expected a TCP address for the Messages API"));
        });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    onRequest: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined; // recorded as it is: the route decides what a missing body means
  }
}
