import { randomUUID } from "node:crypto";
import type { Readable, Writable } from "node:stream";
import type { ToolAnswer } from "../domain/claude-event.ts";
import { AppError, messageOf } from "../domain/errors.ts";
import {
  answerLine,
  type ControlReply,
  type ControlRequest,
  hookLine,
  promptLine,
  refusalLine,
  requestLine,
} from "./control-messages.ts";
import type { HookAnswer } from "./hook.ts";
import { createLineReader } from "./line-reader.ts";
import type { CliMessage } from "./messages.ts";
import { parseMessage } from "./parse-message.ts";

/** Base64 pictures inside tool results make the longest lines. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;

/** What arrives, without the replies to requests of ours. */
export type Arrival = Exclude<CliMessage, { kind: "reply" | "ignored" | "invalid" | "unserved" }>;

/** Who listens just now. Must not throw. */
export interface Listener {
  readonly onMessage: (message: Arrival) => void;
  /** Any output at all: the sign of life. */
  readonly onActivity: () => void;
  /** The protocol is broken; nothing more is read. Called once. */
  readonly onFault: (detail: string) => void;
}

/** The stream-json control protocol on the standard streams of one CLI process. */
export interface Connection {
  /** Asks the CLI. Rejects with `claude_refused` on an error reply, with `claude_protocol` at the deadline or the end. */
  readonly request: (body: ControlRequest, timeoutMs: number) => Promise<unknown>;
  readonly prompt: (text: string, uuid: string) => void;
  readonly answer: (requestId: string, answer: ToolAnswer) => void;
  readonly answerHook: (requestId: string, answer: HookAnswer) => void;
  /** Replaces the listener. */
  readonly listen: (listener: Listener) => void;
  /** Says that no more input comes. */
  readonly endInput: () => void;
  /** Resolves when all output has been read. */
  readonly ended: Promise<void>;
}

interface ConnectionDeps {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly listener: Listener;
  readonly maxLineBytes?: number;
}

interface Pending {
  readonly settle: (reply: ControlReply) => void;
  readonly fail: (reason: string) => void;
}

/**
 * The only writer of the CLI's stdin: each line is `JSON.stringify` and a newline, because one bad line ends the CLI.
 * Requests of the CLI that nobody serves are answered with an error here.
 */
export function createConnection({
  stdin,
  stdout,
  listener,
  maxLineBytes = MAX_LINE_BYTES,
}: ConnectionDeps): Connection {
  const pending = new Map<string, Pending>();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let current = listener;
  let isOpen = true;

  function write(line: object): void {
    if (isOpen && stdin.writable) stdin.write(`${JSON.stringify(line)}\n`);
  }

  function failPending(reason: string): void {
    for (const { fail } of pending.values()) fail(reason);
    pending.clear();
  }

  function fault(detail: string): void {
    if (!isOpen) return;
    isOpen = false;
    failPending(detail);
    current.onFault(detail);
  }

  function take(line: string): void {
    if (!isOpen) return;
    const message = parseMessage(line);
    if (message.kind === "ignored") return;
    if (message.kind === "invalid") fault(message.detail);
    else if (message.kind === "reply") pending.get(message.requestId)?.settle(message.reply);
    else if (message.kind === "unserved") {
      write(refusalLine(message.requestId, `${message.subtype} is not served here`));
    } else current.onMessage(message);
  }

  const read = createLineReader({
    maxBytes: maxLineBytes,
    onLine: take,
    onOverflow: () => fault(`Expected lines of at most ${maxLineBytes} bytes, got a longer one`),
  });
  stdout.on("data", (chunk: Buffer) => {
    current.onActivity();
    read(chunk);
  });
  stdout.once("error", (error) => fault(`The CLI's output could not be read: ${messageOf(error)}`));
  stdout.once("close", () => {
    failPending("The CLI closed its output");
    end();
  });
  stdin.on("error", () => undefined); // the CLI went away: its end is reported by the process

  return {
    request: (body, timeoutMs) =>
      new Promise((resolve, reject) => {
        const requestId = randomUUID();
        const fail = (reason: string) => {
          clearTimeout(timer);
          pending.delete(requestId);
          reject(new AppError("claude_protocol", `No reply to ${body.subtype}: ${reason}`));
        };
        const timer = setTimeout(() => fail(`none came within ${timeoutMs} ms`), timeoutMs);
        if (!isOpen || stdout.closed) return fail("the connection is closed");
        pending.set(requestId, {
          fail,
          settle: (reply) => {
            clearTimeout(timer);
            pending.delete(requestId);
            if (reply.kind === "success") resolve(reply.body);
            else reject(new AppError("claude_refused", `${body.subtype} was refused: ${reply.message}`));
          },
        });
        write(requestLine(requestId, body));
      }),
    prompt: (text, uuid) => write(promptLine(text, uuid)),
    answer: (requestId, answer) => write(answerLine(requestId, answer)),
    answerHook: (requestId, answer) => write(hookLine(requestId, answer)),
    listen: (next) => {
      current = next;
    },
    endInput: () => void stdin.end(),
    ended,
  };
}
