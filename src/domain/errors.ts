/** Stable codes of faults. A refusal is no fault: it is a `Verdict`. */
export type ErrorCode =
  | "config_invalid"
  | "token_rejected"
  | "already_running"
  | "sandbox_missing"
  | "sandbox_broken"
  | "orphans_left"
  | "path_invalid"
  | "path_outside"
  | "path_shut"
  | "uploads_shut"
  | "store_failed"
  | "claude_missing"
  | "claude_protocol"
  | "claude_refused";

/** A fault with a stable `code`. The message says what was expected and what came, and never holds a secret. */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Process exit codes that supervisors understand: sysexits(3), and 77/78 are never restarted. */
export const EXIT = { ok: 0, failure: 1, alreadyRunning: 75, tokenRejected: 77, config: 78 } as const;

/** The exit code for a fault that ended the daemon. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof AppError)) return EXIT.failure;
  switch (error.code) {
    case "config_invalid":
    case "sandbox_missing":
    case "sandbox_broken":
    case "claude_missing":
      return EXIT.config;
    case "token_rejected":
      return EXIT.tokenRejected;
    case "already_running":
      return EXIT.alreadyRunning;
    case "orphans_left":
    case "path_invalid":
    case "path_outside":
    case "path_shut":
    case "uploads_shut":
    case "store_failed":
    case "claude_protocol":
    case "claude_refused":
      return EXIT.failure;
  }
}

/** True for a Node system error with that `code` (`ENOENT`, `EADDRINUSE`, …). */
export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** The message of whatever was thrown, for a log line or a cause. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
