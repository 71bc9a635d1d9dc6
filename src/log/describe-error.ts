const MAX_DEPTH = 6;
const MAX_FRAMES = 12;
const MAX_TOGETHER = 5;

/** The plain facts that errors of Node, of the Bot API and of child processes carry. */
const FACTS = ["code", "errno", "syscall", "status", "error_code", "method", "exitCode", "signal"] as const;

/** An error as it is logged. */
export interface DescribedError {
  readonly type: string;
  readonly message: string;
  /** Where it was made, one frame a line; without the message, which stands above. */
  readonly stack?: string;
  readonly cause?: unknown;
  /** What an AggregateError holds. */
  readonly together?: readonly unknown[];
  readonly [fact: string]: unknown;
}

/**
 * Describes an error and what caused it, six deep, by an allow-list: type, message, stack frames, and a few plain facts. Other
 * properties stay out, as some hold what must not be logged: grammY's `payload` and `ctx` hold messages, execa's long
 * `message` holds the command's output (its `shortMessage` is taken). Cuts no text: a cut through a secret would hide it
 * from the redactor.
 */
export function describeError(error: Error): DescribedError {
  return describe(error, []);
}

function describe(error: Error, above: readonly Error[]): DescribedError {
  const path = [...above, error];
  const stack = framesOf(error);
  // grammY's HttpError and BotError keep what caused them in `error`.
  const cause = describeCause(read(error, "cause") ?? read(error, "error"), path);
  const short = read(error, "shortMessage");
  const together = read(error, "errors");
  return {
    type: textOf(read(error, "name")),
    message: textOf(short ?? read(error, "message")),
    ...factsOf(error),
    ...(stack === "" ? {} : { stack }),
    ...(cause === undefined ? {} : { cause }),
    ...(Array.isArray(together)
      ? { together: together.slice(0, MAX_TOGETHER).map((each: unknown) => describeCause(each, path)) }
      : {}),
  };
}

/** A cause that is no error may be anything, such as an answer's body: only what fits a line of text is kept. */
function describeCause(cause: unknown, path: readonly Error[]): unknown {
  if (!(cause instanceof Error))
    return typeof cause === "string" || typeof cause === "number" ? cause : undefined;
  if (path.includes(cause) || path.length >= MAX_DEPTH) return undefined;
  return describe(cause, path);
}

function factsOf(error: Error): Record<string, string | number> {
  const facts: Record<string, string | number> = {};
  for (const name of FACTS) {
    const value = read(error, name);
    if (typeof value === "string" || typeof value === "number") facts[name] = value;
  }
  return facts;
}

function framesOf(error: Error): string {
  return textOf(read(error, "stack"))
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .slice(0, MAX_FRAMES)
    .join("\n");
}

/** Whatever an error says of itself when it is read: nothing, where reading it throws. */
function read(error: Error, key: string): unknown {
  try {
    return Reflect.get(error, key);
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
