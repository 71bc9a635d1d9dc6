import { createRequire } from "node:module";
import { type ChildLoggerOptions, type LevelWithSilent, type Logger, type LoggerOptions, pino } from "pino";
import type * as PinoPretty from "pino-pretty";
import { describeError } from "./describe-error.ts";
import { plainOf } from "./plain.ts";
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
  const write = (line: string): unknown => target.write(show(scrubLine(line, redact)));
  return withPlainChildren(pino(optionsFor(level), { write }));
}

/** The logger for security events: it writes them whatever the level, so that no setting takes them out of the log. */
export function securityLogger(log: Logger): Logger {
  const hides = ["warn", "error", "fatal"].includes(log.level);
  return hides ? log.child({}, { level: "info" }) : log;
}

type Fields = Readonly<Record<string, unknown>>;

/** Pino formats the fields of a child nowhere; children of children inherit this. */
function withPlainChildren(logger: Logger): Logger {
  const child: (this: Logger, bindings: Fields, options?: ChildLoggerOptions) => Logger = Reflect.get(
    logger,
    "child",
  );
  return Object.defineProperty(logger, "child", {
    value(this: Logger, bindings: Fields, options?: ChildLoggerOptions): Logger {
      const plain = Object.entries(bindings).map(([key, value]) => [key, plainOf(value)]);
      return Reflect.apply(child, this, [Object.fromEntries(plain), options]);
    },
  });
}

function optionsFor(level: LevelWithSilent): LoggerOptions {
  return {
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: (value: unknown) => value },
    formatters: { level: (label) => ({ level: label }) },
    hooks: {
      // Pino itself sees plain data only: it would call what a value brings along, and print a buffer byte by byte.
      // Without a message of its own it takes the error's, which can be a command's whole output.
      logMethod(args, method) {
        const [first, ...rest]: readonly unknown[] = args;
        const error = first instanceof Error ? first : errorIn(first);
        const fields = plainOf(first instanceof Error ? { err: first } : first);
        const said = error !== null && rest.length === 0 ? [describeError(error).message] : rest.map(plainOf);
        return Reflect.apply(method, this, [fields, ...said]);
      },
    },
  };
}

function errorIn(fields: unknown): Error | null {
  try {
    const isFields = typeof fields === "object" && fields !== null && "err" in fields;
    return isFields && fields.err instanceof Error ? fields.err : null;
  } catch {
    return null; // fields that cannot be read
  }
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
