import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Now } from "../../domain/clock.ts";
import { ApiFailure, responseOf } from "./failure.ts";
import type { ApiResponse } from "./objects.ts";
import type { Fault } from "./types.ts";

/** What a call is answered with: as the log keeps it, and as it goes out. */
export interface Answer {
  readonly response: ApiResponse;
  readonly body: string | Buffer;
  readonly contentType: string;
  readonly updateIds: readonly number[];
}

/** An answer in JSON. */
export function jsonAnswer(response: ApiResponse, body = JSON.stringify(response)): Answer {
  return { response, body, contentType: "application/json", updateIds: [] };
}

/** Sends an answer whole, with the status that its error code names, dated by `now`. */
export function send(out: ServerResponse, { response, body, contentType }: Answer, now: Now): void {
  const retryAfter = response.ok ? undefined : response.parameters?.retry_after;
  out.writeHead(response.ok ? 200 : response.error_code, {
    "content-type": contentType,
    "content-length": Buffer.byteLength(body),
    date: new Date(now()).toUTCString(),
    ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }),
  });
  out.end(body);
}

/** A call on its way to an answer. */
export interface Exchange {
  readonly out: ServerResponse;
  /** Carries the call out. Never rejects for a refusal: that is an answer too. */
  readonly process: () => Promise<Answer>;
  /** Aborted when the server closes: a delay then rejects at once. */
  readonly signal: AbortSignal;
  readonly now: Now;
}

/** What came of a call: null where nothing was made, or nothing reached the client. */
export interface Outcome {
  readonly made: Answer | null;
  readonly isAnswered: boolean;
}

/** Answers a call as it should be, or as the fault says. */
export async function answer(fault: Fault | null, { out, process, signal, now }: Exchange): Promise<Outcome> {
  switch (fault?.kind) {
    case "delay":
      await sleep(fault.delayMs, undefined, { signal });
      return sendMade(out, await process(), now);
    case undefined:
      return sendMade(out, await process(), now);
    case "error": {
      const { code, description, retryAfterSeconds = null } = fault;
      return sendMade(out, jsonAnswer(responseOf(new ApiFailure(code, description, retryAfterSeconds))), now);
    }
    case "drop_before":
      out.destroy();
      return { made: null, isAnswered: false };
    case "drop_after": {
      const made = await process();
      out.destroy();
      return { made, isAnswered: false };
    }
    case "hang":
      return { made: fault.isProcessed === true ? await process() : null, isAnswered: false };
    case "html":
      out.writeHead(fault.code ?? 502, { "content-type": "text/html" });
      out.end("<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>nginx</body>\r\n</html>\r\n");
      return { made: null, isAnswered: true };
    case "garbage":
      out.writeHead(200, { "content-type": "application/json" });
      out.end('\u0000\u0001{"ok":tru,,');
      return { made: null, isAnswered: true };
    case "truncated": {
      const made = await process();
      sendHalf(out, Buffer.from(made.body));
      return { made, isAnswered: true };
    }
  }
}

function sendMade(out: ServerResponse, made: Answer, now: Now): Outcome {
  send(out, made, now);
  return { made, isAnswered: true };
}

function sendHalf(out: ServerResponse, body: Buffer): void {
  out.writeHead(200, { "content-type": "application/json", "content-length": body.length });
  out.write(body.subarray(0, Math.floor(body.length / 2)), () => out.destroy());
}
