import type {
  ClientRequest,
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeaders,
  ServerResponse,
} from "node:http";
import { type PushHead, parsePushHead } from "./pkt-line.ts";

/** A push whose refusal waits for the rest of its body is not waited for beyond this. */
const MAX_DRAINED_BYTES = 2 * 1024 * 1024 * 1024;

/** Refuses a request in words that git shows. What is left of it is read away. */
export function say(request: IncomingMessage, response: ServerResponse, reason: string): void {
  if (response.headersSent || response.destroyed) return;
  request.resume();
  response.statusMessage = `Sallyport: ${reason}`.replaceAll(/[^ -~]/g, "?").slice(0, 200);
  response.writeHead(403, { "content-type": "text/plain; charset=utf-8" });
  response.end(`Sallyport: ${reason}\n`);
}

/** Reads a push up to the end of its head; the words say what is wrong with it. What was read of the rest comes along. */
export async function readHead(
  request: IncomingMessage,
): Promise<{ readonly head: PushHead; readonly bytes: Buffer } | string> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes = Buffer.concat([bytes, Buffer.from(chunk)]);
    const parsed = parsePushHead(bytes);
    if (parsed.kind === "invalid") return parsed.reason;
    if (parsed.kind === "head") return { head: parsed.head, bytes };
  }
  return "it ends too early";
}

/** Sends on what was read already, and the rest as it comes. */
export function send(request: IncomingMessage, out: ClientRequest, begun: Buffer | undefined): void {
  if (begun !== undefined) out.write(begun);
  request.pipe(out);
}

/** Reads away what is left of a push, up to a bound. */
export async function drained(request: IncomingMessage): Promise<void> {
  let bytes = 0;
  for await (const chunk of request) {
    bytes += Buffer.byteLength(chunk);
    if (bytes > MAX_DRAINED_BYTES) return;
  }
}

/** The length that the client stated, if it did. */
export function lengthOf(request: IncomingMessage): OutgoingHttpHeaders {
  const length = request.headers["content-length"];
  return length === undefined ? {} : { "content-length": length };
}

/** Of the headers, those of the names alone. */
export function pick(headers: IncomingHttpHeaders, names: readonly string[]): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => names.includes(name)));
}
