import { isDeepStrictEqual } from "node:util";
import type { ClaudeOutcome, ClaudeTurnEnd } from "../domain/claude-event.ts";
import type { Now } from "../domain/clock.ts";
import { messageOf } from "../domain/errors.ts";
import { uploadsPath } from "../jail/inside-paths.ts";
import type { JailLoss } from "../jail/jail.ts";
import { failed } from "./failure.ts";
import type { ToolPolicy } from "./gate.ts";
import { isHealthy } from "./health.ts";
import { createPool, type Place } from "./pool.ts";
import type { ClaudeProcess } from "./process.ts";
import { belowProject, renew, tellLoss } from "./renewal.ts";
import { type Start, type StartDeps, startClaude } from "./start.ts";
import { hasTranscript } from "./transcript.ts";
import { runTurn } from "./turn.ts";
import type { ClaudeRunner, ClaudeSession, ClaudeTurn } from "./types.ts";

const START_TIMEOUT_MS = 15_000;
const PING_TIMEOUT_MS = 1000;
/** A turn in which secrets appear again and again is ended. */
const MAX_RENEWALS = 3;

interface RunnerDeps extends Omit<StartDeps, "startTimeoutMs"> {
  /** See `ModelChoice`. */
  readonly priceOf: (model: string) => number;
  readonly now: Now;
  /** Aborted = the daemon ends: like `close`. */
  readonly signal?: AbortSignal;
  /** What each step of a process's start may take; 15 s unless given. */
  readonly startTimeoutMs?: number;
  /** A warm process that does not answer within this is replaced by a cold one; it normally takes 10 ms. 1 s unless given. */
  readonly pingTimeoutMs?: number;
}

/**
 * Runs turns on the Claude CLI. A conversation's process stays warm between its turns, but nothing depends on that: every turn
 * may also start cold on the session that the CLI has on disk. A prompt is written once; whatever happens after that is told,
 * never repeated (H42).
 */
export function createClaudeRunner(deps: RunnerDeps): ClaudeRunner {
  const { settings, policy, log, now, pingTimeoutMs = PING_TIMEOUT_MS } = deps;
  const startDeps = { ...deps, startTimeoutMs: deps.startTimeoutMs ?? START_TIMEOUT_MS };
  const closing = new AbortController();
  const pool = createPool<ClaudeProcess>({ max: settings.maxProcesses, idleMs: settings.idleMs });

  /** By process that is kept warm: the turn that used it last, which is told when its jail is lost between turns. */
  const idle = new WeakMap<ClaudeProcess, ClaudeTurn>();

  /** A warm process that answers, put back into the mode of the settings, else a fresh one. */
  async function ready(
    warm: ClaudeProcess | null,
    session: ClaudeSession,
    signal: AbortSignal,
  ): Promise<Start> {
    if (warm !== null) {
      idle.delete(warm);
      if (await isHealthy(warm, settings, pingTimeoutMs)) return { kind: "started", process: warm };
      await warm.kill();
      const loss = warm.loss();
      if (loss !== null) return { kind: "lost", loss };
    }
    const start = await startClaude({ ...startDeps, policy: policyOf(session) }, session, signal);
    if (start.kind === "started") void start.process.over.then(() => tellIdle(start.process));
    return start;
  }

  function policyOf({ workshop }: ClaudeSession): ToolPolicy {
    const { exposed, uploadsDir } = workshop;
    if (exposed.length === 0 && uploadsDir === null) return policy;
    return policy.forJail(exposed, uploadsDir === null ? null : uploadsPath(deps.jail.kind, uploadsDir));
  }

  function tellIdle(process: ClaudeProcess): void {
    const turn = idle.get(process);
    const loss = process.loss();
    if (turn !== undefined && loss !== null) tellLoss(log, turn, { kind: "jail_lost", loss });
  }

  /** Runs a turn to its end, in a new jail each time that one no longer held. */
  async function runOn(
    place: Place<ClaudeProcess>,
    turn: ClaudeTurn,
    signal: AbortSignal,
  ): Promise<ClaudeTurnEnd> {
    let kept: ClaudeProcess | null = null;
    let current = turn;
    let warm = place.item;
    try {
      for (let losses = 1; ; losses += 1) {
        const start = await ready(warm, current.session, signal);
        warm = null;
        const { end, loss, left } = await attempt(start, current, signal);
        if (left !== null) idle.set(left, turn);
        kept = left;
        if (loss === null) return await endOf(turn, end);
        const isOver = end.outcome.kind !== "failed" || signal.aborted;
        const isTooOften = losses > MAX_RENEWALS;
        tellLoss(log, turn, { kind: isOver || isTooOften ? "jail_lost" : "jail_renewed", loss });
        if (isOver) return await endOf(turn, end);
        if (isTooOften)
          return await endOf(turn, { ...end, outcome: failed("jail_lost", belowProject(turn, loss)) });
        if (start.kind === "started") current = await renew(turn, loss); // else nothing was prompted since
      }
    } finally {
      place.release(kept);
    }
  }

  /** How one start and what was prompted then ended; `left` is the process that may be used again. */
  async function attempt(start: Start, turn: ClaudeTurn, signal: AbortSignal): Promise<Attempt> {
    switch (start.kind) {
      case "stopped":
      case "failed":
        return { end: { ...NOTHING_RUN, outcome: start }, loss: null, left: null };
      case "lost": {
        const outcome = signal.aborted ? ({ kind: "stopped" } as const) : failed("jail_lost");
        return { end: { ...NOTHING_RUN, outcome }, loss: start.loss, left: null };
      }
      case "started": {
        const { process } = start;
        const { end, mustKill } = await runOnce(process, turn, signal);
        const loss = process.loss();
        if (!mustKill && loss === null) return { end, loss, left: process };
        await process.kill();
        return { end, loss, left: null };
      }
    }
  }

  async function runOnce(process: ClaudeProcess, turn: ClaudeTurn, signal: AbortSignal) {
    const startedAt = performance.now();
    const judged = { turn, policy: policyOf(turn.session), priceOf: deps.priceOf };
    const ran = await runTurn({ ...judged, process, settings, signal, now, log });
    const { kind: outcome } = ran.end.outcome;
    const ms = Math.round(performance.now() - startedAt);
    log.info(
      { event: "claude.turn", cliPid: process.pid, uuid: turn.uuid, outcome, ms },
      "turn of the CLI ended",
    );
    return ran;
  }

  async function run(turn: ClaudeTurn): Promise<ClaudeTurnEnd> {
    const { conversationKey, userId, project, sessionId, configDir, workshop } = turn.session;
    const signal = AbortSignal.any([turn.signal, closing.signal]);
    try {
      const place = await pool.acquire({
        key: JSON.stringify([conversationKey, userId, project]),
        group: conversationKey,
        fits: (process) =>
          process.sessionId === sessionId &&
          process.configDir === configDir &&
          process.uploadsDir === workshop.uploadsDir &&
          isDeepStrictEqual(process.exposed, workshop.exposed),
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

interface Attempt {
  readonly end: End;
  /** Why the jail was killed, if it was. */
  readonly loss: JailLoss | null;
  readonly left: ClaudeProcess | null;
}

async function endOf({ session }: ClaudeTurn, end: End): Promise<ClaudeTurnEnd> {
  return { ...end, isResumable: await hasTranscript(session.configDir, session.sessionId) };
}
