import type { ClaudeOutcome, FailureCode } from "../domain/claude-event.ts";
import { redactShapes } from "../log/redact.ts";
import type { ResultMessage } from "./messages.ts";
import type { PayerRefusal } from "./payer.ts";

const MAX_DETAIL = 300;

/** The failed kind of outcome. */
export type Failure = Extract<ClaudeOutcome, { kind: "failed" }>;

/** What else is known when a result comes. */
export interface TurnFacts {
  /** The kind of API error that the CLI spoke of last, or null. */
  readonly apiError: string | null;
  /** What the payer refused the turn's last request with, or null. */
  readonly refusal: PayerRefusal | null;
  /** When a limit that was reported as reached ends, in milliseconds since the epoch, or null. */
  readonly resetsAt: number | null;
}

const CODE_OF_REASON: Readonly<Record<string, FailureCode>> = {
  blocking_limit: "too_long",
  rapid_refill_breaker: "too_long",
  prompt_too_long: "too_long",
  image_error: "image",
  max_turns: "max_turns",
  budget_exhausted: "budget",
  model_error: "server",
  turn_setup_failed: "startup",
};

const CODE_OF_API_ERROR: Readonly<Record<string, FailureCode>> = {
  authentication_failed: "auth",
  oauth_org_not_allowed: "auth",
  account_on_hold: "auth",
  verification_required: "auth",
  cloud_credential_error: "auth",
  billing_error: "billing",
  rate_limit: "rate_limit",
  overloaded: "overloaded",
  server_error: "server",
  model_not_found: "model_not_found",
};

const CODE_OF_SUBTYPE: Readonly<Record<string, FailureCode>> = {
  error_max_turns: "max_turns",
  error_max_budget_usd: "budget",
};

const CODE_OF_STATUS: Readonly<Record<number, FailureCode>> = {
  401: "auth",
  402: "billing",
  403: "auth",
  404: "model_not_found",
  413: "too_long",
  429: "rate_limit",
  529: "overloaded",
};

const CODE_OF_REFUSAL = { budget: "budget", model: "model_refused" } as const;

/** The CLI takes the proxy for a gateway of the person's; he has none. */
const GATEWAY_ADVICE = / If it persists, check your inference gateway \([^)]*\)\./;

/** A failed outcome; `detail` is made one short line. */
export function failed(
  code: FailureCode,
  detail: string | null = null,
  resetsAt: number | null = null,
): Failure {
  return {
    kind: "failed",
    code,
    detail: detail === null ? null : oneLine(detail.replace(GATEWAY_ADVICE, "")),
    resetsAt,
  };
}

/**
 * The outcome that a result stands for. `subtype: "success"` alone does not mean that anything succeeded (H51): the CLI ends a
 * turn so when the API failed. Its internal `errors` are not shown.
 */
export function outcomeOfResult(result: ResultMessage, facts: TurnFacts): ClaudeOutcome {
  const isDone =
    result.subtype === "success" && !result.isError && CODE_OF_REASON[result.reason ?? ""] === undefined;
  if (isDone) return { kind: "completed", text: result.text ?? "" };
  if (result.apiStatus === 402 && facts.refusal !== null) {
    return failed(CODE_OF_REFUSAL[facts.refusal.kind], facts.refusal.message);
  }
  const code = codeOfResult(result, facts.apiError);
  return failed(
    code,
    result.subtype === "success" ? result.text : null,
    code === "rate_limit" ? facts.resetsAt : null,
  );
}

/** The failure that the CLI retries, from `api_retry`. */
export function codeOfRetry(error: string, status: number | null): FailureCode {
  return codeOfStatus(status) ?? CODE_OF_API_ERROR[error] ?? (status === null ? "server" : "unknown");
}

/** What is known of a process that ended before it was ready. */
export interface StartFacts {
  readonly result: ResultMessage | null;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: string | null;
}

/** Tells a start that failed apart: the session is not there, is open elsewhere, or the program would not run. */
export function failureOfStart({ result, stderr, code, signal }: StartFacts): Failure {
  const said = [...(result?.errors ?? []), stderr].join("\n");
  if (said.includes("No conversation found")) return failed("session_lost");
  if (/Session ID \S+ is already in use/.test(said)) return failed("session_busy");
  const lastLine = stderr.trim().split("\n").at(-1) ?? "";
  return failed(
    "startup",
    lastLine === "" ? `The CLI ended at its start (${exitText(code, signal)})` : lastLine,
  );
}

/** `exit code 1`, `signal SIGKILL`. */
export function exitText(code: number | null, signal: string | null): string {
  return signal === null ? `exit code ${code ?? "unknown"}` : `signal ${signal}`;
}

function codeOfResult({ subtype, reason, apiStatus }: ResultMessage, apiError: string | null): FailureCode {
  return (
    CODE_OF_SUBTYPE[subtype] ??
    CODE_OF_REASON[reason ?? ""] ??
    billingOf(apiError) ??
    codeOfStatus(apiStatus) ??
    CODE_OF_API_ERROR[apiError ?? ""] ??
    "unknown"
  );
}

/** A lack of credit comes with status 400: what the CLI made of it says more. */
function billingOf(apiError: string | null): FailureCode | undefined {
  return apiError === "billing_error" ? "billing" : undefined;
}

function codeOfStatus(status: number | null): FailureCode | undefined {
  if (status === null) return undefined;
  return CODE_OF_STATUS[status] ?? (status >= 500 ? "server" : undefined);
}

/** Control characters and line ends become single spaces; long texts are cut, which must not halve a secret. */
function oneLine(text: string): string {
  const line = redactShapes(text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ").trim());
  return line.length > MAX_DETAIL ? `${line.slice(0, MAX_DETAIL - 1).toWellFormed()}…` : line;
}
