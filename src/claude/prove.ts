import { AppError, messageOf } from "../domain/errors.ts";
import type { Logger } from "../log/logger.ts";
import { type Failure, failed, failureOfStart } from "./failure.ts";
import { hookRegistration } from "./hook.ts";
import type { ResultMessage } from "./messages.ts";
import type { ClaudeProcess, ProcessListener } from "./process.ts";
import { checkInitialized, checkMcp, checkRules } from "./start-check.ts";
import type { ClaudeSettings } from "./types.ts";
import { judgeVersion } from "./version.ts";

/** A process that ends by itself says why within this. */
const LAST_WORDS_MS = 1000;

/** What is heard of a process while it starts. */
export interface StartEar {
  readonly listener: ProcessListener;
  /** Resolves with a result that comes before any prompt: the start has failed. */
  readonly result: Promise<ResultMessage>;
  readonly fault: () => string | null;
}

/** Listens to a starting process. */
export function createStartEar(): StartEar {
  const { promise: result, resolve } = Promise.withResolvers<ResultMessage>();
  let fault: string | null = null;
  return {
    result,
    fault: () => fault,
    listener: {
      onActivity: () => undefined,
      onOver: () => undefined,
      onMessage: (message) => {
        if (message.kind === "result") resolve(message);
      },
      onFault: (detail) => {
        fault = detail;
      },
    },
  };
}

interface ProveDeps {
  readonly process: ClaudeProcess;
  readonly ear: StartEar;
  readonly settings: ClaudeSettings;
  /** The deny rules that it was given. */
  readonly rules: readonly string[];
  /** For each step. */
  readonly timeoutMs: number;
  readonly log: Logger;
}

/** A process that is what was asked for. */
export interface Ready {
  readonly kind: "ready";
  readonly version: string;
  /** The names of the models that the CLI offers, by alias. */
  readonly models: ReadonlyMap<string, string>;
}

/** Proves that a fresh process is what was asked for; gives what it said of itself, or why it is not. Does not end it. Never rejects. */
export function prove(deps: ProveDeps): Promise<Ready | Failure> {
  const { process, ear } = deps;
  const isRefused = ear.result.then((result) =>
    failureOfStart({ result, stderr: process.stderr(), code: null, signal: null }),
  );
  return Promise.race([
    isRefused,
    ask(deps).catch(async (error: unknown): Promise<Failure> => {
      const fault = ear.fault();
      if (fault !== null) return failed("protocol", fault);
      const hasReplied = error instanceof AppError && error.code === "claude_refused";
      const exit = hasReplied ? null : await exitOf(process);
      return exit
        ? failureOfStart({ result: null, stderr: process.stderr(), ...exit })
        : failed("startup", messageOf(error));
    }),
  ]);
}

async function ask({ process, settings, rules, timeoutMs, log }: ProveDeps): ReturnType<typeof prove> {
  const { connection } = process;
  const initialized = checkInitialized(
    await connection.request({ subtype: "initialize", hooks: hookRegistration() }, timeoutMs),
    settings,
  );
  if (initialized.kind === "mismatch") return failed("startup", initialized.detail);
  const { version, models } = initialized;
  const verdict = judgeVersion(version);
  if (verdict.kind === "refused") return failed("startup", verdict.detail);
  if (verdict.kind === "untested") {
    log.warn({ event: "claude.untested_version", version }, "CLI is newer than what was tested");
  }
  const [taken, mcp] = await Promise.all([
    connection.request({ subtype: "list_permission_rules" }, timeoutMs),
    connection.request({ subtype: "mcp_status" }, timeoutMs),
  ]);
  const detail = checkRules(taken, rules) ?? checkMcp(mcp);
  return detail === null ? { kind: "ready", version, models } : failed("startup", detail);
}

async function exitOf(process: ClaudeProcess) {
  const { promise: late, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), LAST_WORDS_MS);
  const exit = await Promise.race([process.over, late]);
  clearTimeout(timer);
  return exit;
}
