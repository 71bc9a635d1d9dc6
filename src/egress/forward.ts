import type { IncomingMessage, ServerResponse } from "node:http";
import { messageOf } from "../domain/errors.ts";
import { requestHeaders, responseHeaders } from "./headers.ts";
import type { Meter } from "./meter.ts";
import { badGateway, type Refusal, refuse } from "./refusals.ts";
import type { Upstream } from "./upstream.ts";

const MAX_ERROR_BYTES = 1024 * 1024;
const CONNECT_TIMEOUT_MS = 20_000;

/** One admitted request on its way. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The whole body. */
  readonly body: Buffer;
  readonly upstream: Upstream;
  /** Ends the exchange on both sides. */
  readonly signal: AbortSignal;
  /** The meter for an answer that the API gives with this content type. */
  readonly createMeter: (contentType: string) => Meter;
  /** Told once, when the exchange failed for a reason that is neither the client's nor the API's own error answer. */
  readonly onFault: (reason: string) => void;
  /** Told once, when the exchange is over in whatever way. */
  readonly onOver: () => void;
}

/**
 * Carries a request to the API and the answer back, unbuffered and with backpressure. When one side goes, so does the
 * other. Answers of 3xx and compressed ones become 502: a redirect is not followed and what cannot be metered is not passed.
 * Error answers are passed with the credential scrubbed, in case the far side repeats what it was sent.
 */
export function forward(exchange: Exchange): void {
  const { request, response, body, upstream, signal } = exchange;
  const headers = { ...requestHeaders(request.headers), "content-length": body.length };
  const out = upstream.post(request.url ?? "", headers);
  let meter: Meter | null = null;
  let isConnected = false;
  let isSent = false;
  let isAnswered = false;
  let isOver = false;

  const settle = () => {
    if (isOver) return false;
    isOver = true;
    signal.removeEventListener("abort", abandon);
    clearTimeout(connectTimer);
    exchange.onOver();
    return true;
  };
  /** Neither side is wanted any more. What was sent in full may be charged, so it is metered even when no answer had begun. */
  const abandon = () => {
    if (!settle()) return;
    (meter ?? (isConnected && isSent ? exchange.createMeter("") : null))?.end("cut");
    out.destroy();
    response.destroy();
  };
  const giveUp = (refusal: Refusal, reason: string) => {
    if (!settle()) return;
    exchange.onFault(reason);
    out.destroy();
    refuse(request, response, refusal);
  };
  const connectTimer = setTimeout(
    () => giveUp(badGateway("the Claude API did not accept a connection in time."), "connect timeout"),
    CONNECT_TIMEOUT_MS,
  );

  signal.addEventListener("abort", abandon, { once: true });
  response.once("close", () => {
    if (!response.writableFinished) abandon();
  });
  response.on("error", abandon);
  request.on("error", abandon);
  out.once("finish", () => {
    isSent = true;
  });
  out.end(body);
  out.once("socket", (socket) => {
    const connected = () => {
      isConnected = true;
      clearTimeout(connectTimer);
    };
    if (socket.connecting) socket.once("encrypted" in socket ? "secureConnect" : "connect", connected);
    else connected();
    socket.setKeepAlive(true, 30_000);
  });
  out.on("error", (error) => {
    if (isAnswered) return; // the answer's own end tells
    giveUp(badGateway("the Claude API could not be reached."), messageOf(error));
  });
  out.once("response", (answer) => {
    if (isOver) return;
    isAnswered = true;
    receive(answer);
  });

  function receive(answer: IncomingMessage) {
    const status = answer.statusCode ?? 0;
    const encoding = answer.headers["content-encoding"] ?? "identity";
    answer.on("error", () => undefined); // `close` follows, where it is dealt with
    if (status < 200 || (status >= 300 && status < 400)) {
      return giveUp(
        badGateway(`the Claude API answered ${status}, which is not passed on.`),
        `status ${status}`,
      );
    }
    if (status >= 400) return passError(answer, status);
    if (encoding !== "identity") {
      exchange.createMeter("").end("cut"); // it was paid for all the same
      const refusal = badGateway("the Claude API sent a compressed answer, unasked.");
      return giveUp({ ...refusal, isRetryable: false }, `encoding ${encoding}`);
    }
    passAnswer(answer, status);
  }

  function passAnswer(answer: IncomingMessage, status: number) {
    const counting = exchange.createMeter(answer.headers["content-type"] ?? "");
    meter = counting;
    response.writeHead(status, responseHeaders(answer.headers));
    response.flushHeaders();
    answer.on("data", (chunk: Buffer) => {
      counting.observe(chunk);
      if (!response.write(chunk)) answer.pause();
    });
    response.on("drain", () => answer.resume());
    answer.once("end", () => {
      if (!settle()) return;
      counting.end("whole");
      response.end();
      leaveOut();
    });
    answer.once("close", () => {
      if (!settle()) return;
      counting.end("cut");
      response.socket?.destroySoon(); // what was received still goes out, then the break
    });
  }

  function passError(answer: IncomingMessage, status: number) {
    const chunks: Buffer[] = [];
    let bytes = 0;
    answer.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_ERROR_BYTES) chunks.push(chunk);
    });
    answer.once("close", () => {
      if (!settle()) return;
      const isText = answer.headers["content-encoding"] === undefined;
      const words = Buffer.from(isText ? upstream.scrub(Buffer.concat(chunks).toString("utf8")) : "");
      response.writeHead(status, { ...responseHeaders(answer.headers), "content-length": words.length });
      response.end(words);
      leaveOut();
    });
  }

  /** The API has answered before it read the whole body: on that connection the next request would be taken for the rest. */
  function leaveOut() {
    if (!isSent) out.destroy();
  }
}
