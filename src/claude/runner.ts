import { z } from "zod";
import type { ClaudeOutcome, ClaudeTurnEnd } from "../domain/claude-event.ts";
import type { Now } from "../domain/clock.ts";
import { messageOf } from "../domain/errors.ts";
import type { ProxyLease } from "../domain/usage.ts";
import type { Jail, LocalPort } from "../jail/jail.ts";
import type { Logger } from "../log/logger.ts";
import { permissionModeOf } from "./argv.ts";
import { failed } from "./failure.ts";
import type { ToolPolicy } from "./gate.ts";
import { createPool, type Place } from "./pool.ts";
import type { ClaudeProcess } from "./process.ts";
import { type Start, startClaude } from "./start.ts";
import { hasTranscript } from "./transcript.ts";
import { runTurn } from "./turn.ts";
import type { ClaudeRunner, ClaudeSession, ClaudeSettings, ClaudeTurn } from "./types.ts";

const START_TIMEOUT_MS = 15_000;
/** A warm process that does not answer within this is replaced by a cold one; it normally takes 10 ms. */
const PING_TIMEOUT_MS = 1000;

const modeReply = z.looseObject({ mode: z.string() });

interface RunnerDeps {
  readonly jail: Jail;
  readonly settings: ClaudeSettings;
  /** What is made of tool calls, before the jail. */
  readonly policy: ToolPolicy;
  /** The credential proxy's socket, on the host. */
  readonly apiSocket: string;
  /** The network filter's socket, on the host. */
  readonly netSocket: string;
  /** Loopback ports of the host that the jail shows. */
  readonly localPorts: readonly LocalPort[];
  /** Opens a right to use the proxy; one per process. */
  readonly openLease: () => ProxyLease;
  readonly log: Logger;
  readonly now: Now;
  /** Aborted = the daemon ends: like `close`. */
  readonly signal?: AbortSignal;
  /** What each step of a process's start may take; 15 s unless given. */
  readonly startTimeoutMs?: number;
}

/**
 * Runs turns on the Claude CLI. A conversation's process stays warm between its turns, but nothing depends on that: every turn
 * may also start cold on the session that the CLI has on disk. A prompt is written once; whatever happens after that is told,
 * never repeated (H42).
 */
export function createClaudeRunner(deps: RunnerDeps): ClaudeRunner {
  const { settings, policy, log, now } = deps;
  const startDeps = { ...deps, startTimeoutMs: deps.startTimeoutMs ?? START_TIMEOUT_MS };
  const closing = new AbortController();
  const pool = createPool<ClaudeProcess>({ max: settings.maxProcesses, idleMs: settings.idleMs });

  /** A warm process that answers, put back into the mode of the settings, else a fresh one. */
  async function ready(
    place: Place<ClaudeProcess>,
    session: ClaudeSession,
    signal: AbortSignal,
  ): Promise<Start> {
    const { item: warm } = place;
    if (warm && (await isHealthy(warm, settings))) return { kind: "started", process: warm };
    await warm?.kill();
    return startClaude(startDeps, session, signal);
  }

  async function runOn(
    place: Place<ClaudeProcess>,
    turn: ClaudeTurn,
    signal: AbortSignal,
  ): Promise<ClaudeTurnEnd> {
    let kept: ClaudeProcess | null = null;
    try {
      const start = await ready(place, turn.session, signal);
      if (start.kind !== "started") return await endOf(turn, { ...NOTHING_RUN, outcome: start });
      const { process } = start;
      const startedAt = performance.now();
      const { end, mustKill } = await runTurn({ process, turn, settings, policy, signal, now, log });
      if (mustKill) await process.kill();
      else kept = process;
      const { kind: outcome } = end.outcome;
      const ms = Math.round(performance.now() - startedAt);
      log.info(
        { event: "claude.turn", cliPid: process.pid, uuid: turn.uuid, outcome, ms },
        "turn of the CLI ended",
      );
      return await endOf(turn, end);
    } finally {
      place.release(kept);
    }
  }

  async function run(turn: ClaudeTurn): Promise<ClaudeTurnEnd> {
    const { conversationKey, userId, project, sessionId, configDir } = turn.session;
    const signal = AbortSignal.any([turn.signal, closing.signal]);
    try {
      const place = await pool.acquire({
        key: JSON.stringify([conversationKey, userId, project]),
        group: conversationKey,
        fits: (process) => process.sessionId === sessionId && process.configDir === configDir,
        signal,
      });
      if (place === null) return await endOf(turn, { ...NOTHING_RUN, outcome: { kind: "stopped" } });
      return await runOn(place, turn, signal);
    } catch (error) {
      log.error({ event: "claude.fault", sessionId, err: error }, "a turn could not be run");
      return {
        ...NOTHING_RUN,
        outcome: failed("unknown", messageOf(error)),
        isResumable: turn.session.isResume,
      };
    }
  }

  async function close(): Promise<void> {
    closing.abort("shutdown");
    await pool.close();
  }

  deps.signal?.addEventListener("abort", () => void close(), { once: true });
  if (deps.signal?.aborted) void close();

  return { run, forget: pool.forget, forgetAll: pool.forgetAll, close, warm: pool.size };
}

const NOTHING_RUN = { model: null, turnCostMicroUsd: null } as const;

type End = Omit<ClaudeTurnEnd, "isResumable" | "outcome"> & { readonly outcome: ClaudeOutcome };

async function endOf({ session }: ClaudeTurn, end: End): Promise<ClaudeTurnEnd> {
  return { ...end, isResumable: await hasTranscript(session.configDir, session.sessionId) };
}

/** Asks a warm process for the mode of the settings: the cheapest sign of life, and plan mode does not leak into the next turn. */
async function isHealthy({ connection, isOver }: ClaudeProcess, settings: ClaudeSettings): Promise<boolean> {
  if (isOver()) return false;
  const mode = permissionModeOf(settings);
  try {
    const reply = await connection.request({ subtype: "set_permission_mode", mode }, PING_TIMEOUT_MS);
    return modeReply.safeParse(reply).data?.mode === mode;
  } catch {
    return false; // whatever the reason: a fresh process takes its place
  }
}
