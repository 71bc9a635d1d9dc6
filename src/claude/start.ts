import { AppError, messageOf } from "../domain/errors.ts";
import type { ProxyLease } from "../domain/usage.ts";
import type { Jail, JailedProcess, JailLoss, LocalPort } from "../jail/jail.ts";
import type { Logger } from "../log/logger.ts";
import { claudeArgs } from "./argv.ts";
import { claudeEnv } from "./env.ts";
import { type Failure, failed } from "./failure.ts";
import type { ToolPolicy } from "./gate.ts";
import { type ClaudeProcess, createClaudeProcess } from "./process.ts";
import { createStartEar, prove } from "./prove.ts";
import { hasTranscript } from "./transcript.ts";
import type { ClaudeSession, ClaudeSettings } from "./types.ts";

/** How a start ended. */
export type Start =
  | { readonly kind: "started"; readonly process: ClaudeProcess }
  | { readonly kind: "stopped" }
  /** Its jail did not hold while it started, and was killed. */
  | { readonly kind: "lost"; readonly loss: JailLoss }
  | Failure;

/** What every start needs. */
export interface StartDeps {
  readonly jail: Jail;
  readonly settings: ClaudeSettings;
  readonly policy: ToolPolicy;
  /** The credential proxy's socket, on the host. */
  readonly apiSocket: string;
  /** The network filter's socket, on the host. */
  readonly netSocket: string;
  /** The same filter's port on the host's loopback; null where no jail shares it. */
  readonly netPort: number | null;
  /** Loopback ports of the host that the jail shows. */
  readonly localPorts: readonly LocalPort[];
  readonly openLease: () => ProxyLease;
  /** What each step of a start may take. */
  readonly startTimeoutMs: number;
  readonly log: Logger;
}

/**
 * Starts a process on a session and proves, before anything is prompted, that it is what was asked for; one that differs is
 * killed. The session is carried on when the CLI has it on disk or is said to have it, else begun under our id. Never rejects.
 */
export async function startClaude(
  deps: StartDeps,
  session: ClaudeSession,
  signal: AbortSignal,
): Promise<Start> {
  try {
    return await start(deps, session, signal);
  } catch (error) {
    return signal.aborted ? { kind: "stopped" } : failed("startup", messageOf(error));
  }
}

async function start(deps: StartDeps, session: ClaudeSession, signal: AbortSignal): Promise<Start> {
  const { settings, policy, openLease, startTimeoutMs: timeoutMs, log } = deps;
  const { sessionId, configDir } = session;
  const isResume = (await hasTranscript(configDir, sessionId)) || session.isResume;
  if (signal.aborted) return { kind: "stopped" };

  const startedAt = performance.now();
  const lease = openLease();
  let loss: JailLoss | null = null;
  /** Nothing that the jail may have read leaves it any more. */
  const onLoss = (lost: JailLoss): void => {
    loss ??= lost;
    lease.release();
  };
  const jailed = await startJailed({ deps, session, isResume, lease, onLoss, signal }).catch(
    (error: unknown) => {
      lease.release();
      throw error;
    },
  );
  const ear = createStartEar();
  const process = createClaudeProcess({
    jailed,
    lease,
    sessionId,
    isResume,
    configDir,
    exposed: session.workshop.exposed,
    uploadsDir: session.workshop.uploadsDir,
    listener: ear.listener,
    loss: () => loss,
    log,
  });
  const stop = () => void process.kill();
  signal.addEventListener("abort", stop, { once: true });
  const verdict = await prove({ process, ear, settings, rules: policy.rules, timeoutMs, log });
  signal.removeEventListener("abort", stop);
  if (verdict.kind === "ready" && !signal.aborted) {
    const ms = Math.round(performance.now() - startedAt);
    const { version } = verdict;
    log.info(
      { event: "claude.started", cliPid: process.pid, sessionId, isResume, version, ms },
      "CLI process started",
    );
    process.offer(verdict.models);
    return { kind: "started", process };
  }
  await process.kill();
  if (verdict.kind === "ready" || signal.aborted) return { kind: "stopped" };
  const lost = process.loss(); // which ended the process, whatever the verdict says
  if (lost !== null) return { kind: "lost", loss: lost };
  log.warn(
    { event: "claude.start_failed", sessionId, code: verdict.code, detail: verdict.detail },
    "CLI process refused",
  );
  return verdict;
}

interface JailedStart {
  readonly deps: StartDeps;
  readonly session: ClaudeSession;
  readonly isResume: boolean;
  readonly lease: ProxyLease;
  readonly onLoss: (loss: JailLoss) => void;
  readonly signal: AbortSignal;
}

/** Starts the jail, for `startTimeoutMs` at most; a process that comes too late is killed when it comes. */
async function startJailed({
  deps,
  session,
  isResume,
  lease,
  onLoss,
  signal,
}: JailedStart): Promise<JailedProcess> {
  const { jail, settings, policy, apiSocket, netSocket, netPort, localPorts, startTimeoutMs } = deps;
  const { project, configDir, sessionId, workshop } = session;
  const starting = jail.start({
    project,
    program: settings.program,
    configDir,
    apiSocket,
    netSocket,
    ...(netPort === null ? {} : { netPort }),
    localPorts,
    workshop,
    onLoss,
    args: () => claudeArgs(settings, { sessionId, isResume, rules: policy.rules }),
    env: (inside) => claudeEnv({ inside, auth: settings.auth, token: lease.token }),
  });
  const { promise: late, reject } = Promise.withResolvers<never>();
  const giveUp = (reason: string) => reject(new AppError("claude_protocol", reason));
  const stop = () => giveUp("Stopped while the jail was being made");
  const timer = setTimeout(
    () => giveUp(`Expected a jail within ${startTimeoutMs} ms, got none`),
    startTimeoutMs,
  );
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([starting, late]);
  } catch (error) {
    starting.then((process) => process.kill()).catch(() => undefined); // its failure is the one that is thrown here
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
