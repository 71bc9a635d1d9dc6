import { createRequire } from "node:module";
import { type LevelWithSilent, type Logger, type LoggerOptions, pino } from "pino";
import type * as PinoPretty from "pino-pretty";
import { describeError } from "./describe-error.ts";
import { createRedactor } from "./redact.ts";
import { scrubLine } from "./scrub.ts";

export type { Logger } from "pino";

/** Bytes that wait for a standard output that takes none (a full disk); what comes after is dropped. */
const MAX_WAITING_BYTES = 4_194_304;

/** Takes whole lines. Must write at once: what waits is lost when the process ends. */
export interface LogDestination {
  readonly write: (text: string) => unknown;
  /** True for a terminal. */
  readonly isTTY?: boolean;
}

/** `auto` is `pretty` on a terminal and `json` elsewhere. Without `destination`: standard output. */
export interface LogOptions {
  readonly level: LevelWithSilent;
  readonly format: "auto" | "json" | "pretty";
  readonly secretValues: readonly string[];
  readonly destination?: LogDestination;
}

/**
 * The program's logger: a line of JSON per fact, ISO time, level by name, written before the call returns. Whatever is logged,
 * by it or by its children, passes the redactor as the last step before the destination (H23). Errors, in any field, are
 * described by an allow-list. Security events are plain fields: `{ security: true, event, userId, risk, violationType }`.
 */
export function createLogger({ level, format, secretValues, destination }: LogOptions): Logger {
  const redact = createRedactor(secretValues);
  const isTerminal = (destination ?? process.stdout).isTTY === true;
  const target = destination ?? standardOutput();
  const isPretty = format === "pretty" || (format === "auto" && isTerminal);
  const show = isPretty ? createPrettifier(isTerminal) : (line: string) => line;
  return pino(optionsFor(level), { write: (line: string) => target.write(show(scrubLine(line, redact))) });
}

function optionsFor(level: LevelWithSilent): LoggerOptions {
  return {
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: (value: unknown) => value },
    formatters: { level: (label) => ({ level: label }), log: describeErrors },
    hooks: {
      // Without a message of its own pino takes the error's, which can be a command's whole output.
      logMethod(args, method) {
        const [first, ...rest]: readonly unknown[] = args;
        const error = first instanceof Error ? first : errorIn(first);
        if (error === null || rest.length > 0) return method.apply(this, args);
        const fields = first instanceof Error ? { err: first } : first;
        return method.apply(this, [fields, describeError(error).message]);
      },
    },
  };
}

function errorIn(fields: unknown): Error | null {
  const isFields = typeof fields === "object" && fields !== null && "err" in fields;
  return isFields && fields.err instanceof Error ? fields.err : null;
}

function describeErrors(fields: Record<string, unknown>): Record<string, unknown> {
  const described = Object.entries(fields).map(([key, value]) => [
    key,
    value instanceof Error ? describeError(value) : value,
  ]);
  return Object.fromEntries(described);
}

/** Ends quietly when the reader goes away, and outlives a full disk: no log line is worth the daemon. */
function standardOutput(): LogDestination {
  const stream = pino.destination({ fd: 1, sync: true, maxLength: MAX_WAITING_BYTES });
  stream.on("error", () => undefined);
  return { write: (text) => stream.write(text) };
}

/** Loaded when used: the daemon under a supervisor never needs it. */
function createPrettifier(isTerminal: boolean): (line: string) => string {
  const pretty: typeof PinoPretty = createRequire(import.meta.url)("pino-pretty");
  const options = {
    ignore: "pid",
    translateTime: "SYS:HH:MM:ss",
    ...(isTerminal ? {} : { colorize: false }),
  };
  const prettify = pretty.prettyFactory(options);
  return (line) => prettify(line) ?? line;
}
