import { randomUUID } from "node:crypto";
import { relative } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { ClaudeOutcome, ClaudeTurnEnd } from "../domain/claude-event.ts";
import type { Now } from "../domain/clock.ts";
import { messageOf } from "../domain/errors.ts";
import type { ProxyLease } from "../domain/usage.ts";
import type { Jail, JailLoss, LocalPort } from "../jail/jail.ts";
import type { Logger } from "../log/logger.ts";
import { quote } from "../security/visible.ts";
import { permissionModeOf } from "./argv.ts";
import { failed } from "./failure.ts";
import type { ToolPolicy } from "./gate.ts";
import { createPool, type Place } from "./pool.ts";
import type { ClaudeProcess } from "./process.ts";
import { type Start, startClaude } from "./start.ts";
import { hasTranscript, withholdResults } from "./transcript.ts";
import { runTurn } from "./turn.ts";
import type { ClaudeRunner, ClaudeSession, ClaudeSettings, ClaudeTurn } from "./types.ts";

const START_TIMEOUT_MS = 15_000;
/** A warm process that does not answer within this is replaced by a cold one; it normally takes 10 ms. */
const PING_TIMEOUT_MS = 1000;

/** A turn in which secrets appear again and again is ended. */
const MAX_RENEWALS = 3;

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
    warm: ClaudeProcess | null,
    session: ClaudeSession,
    signal: AbortSignal,
  ): Promise<Start> {
    if (warm && (await isHealthy(warm, settings))) return { kind: "started", process: warm };
    await warm?.kill();
    return startClaude({ ...startDeps, policy: policyOf(session) }, session, signal);
  }

  function policyOf({ workshop }: ClaudeSession): ToolPolicy {
    return workshop.exposed.length === 0 ? policy : policy.exposing(workshop.exposed);
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
      for (let renewals = 0; ; renewals += 1) {
        const start = await ready(warm, current.session, signal);
        if (start.kind !== "started") return await endOf(turn, { ...NOTHING_RUN, outcome: start });
        const { process } = start;
        const { end, mustKill } = await runOnce(process, current, signal);
        const loss = process.loss();
        if (mustKill || loss !== null) await process.kill();
        else kept = process;
        const isOver = loss === null || end.outcome.kind !== "failed" || signal.aborted;
        if (isOver || renewals === MAX_RENEWALS) return await endOf(turn, end);
        current = await renew(turn, loss);
        warm = null;
      }
    } finally {
      place.release(kept);
    }
  }

  async function runOnce(process: ClaudeProcess, turn: ClaudeTurn, signal: AbortSignal) {
    const startedAt = performance.now();
    const judged = { turn, policy: policyOf(turn.session) };
    const ran = await runTurn({ ...judged, process, settings, signal, now, log });
    const { kind: outcome } = ran.end.outcome;
    const ms = Math.round(performance.now() - startedAt);
    log.info(
      { event: "claude.turn", cliPid: process.pid, uuid: turn.uuid, outcome, ms },
      "turn of the CLI ended",
    );
    return ran;
  }

  /** The rest of a turn whose jail was killed, told, and put to the CLI in words that are always the same. */
  async function renew(turn: ClaudeTurn, { kind, path }: JailLoss): Promise<ClaudeTurn> {
    const { project, configDir, sessionId } = turn.session;
    const below = relative(project, path) || ".";
    try {
      turn.onEvent({ kind: "jail_renewed", cause: kind, path: below });
    } catch (error) {
      log.error({ event: "claude.event_failed", kind: "jail_renewed", err: error }, "an event was not taken");
    }
    await withholdResults(configDir, sessionId);
    const isResume = await hasTranscript(configDir, sessionId);
    return {
      ...turn,
      uuid: randomUUID(),
      session: { ...turn.session, isResume },
      prompt: isResume
        ? renewalPrompt(kind, below)
        : `${renewalPrompt(kind, below)}\n\nThe task:\n${turn.prompt}`,
      onPrompting: () => undefined, // it began long ago
    };
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

function renewalPrompt(cause: JailLoss["kind"], path: string): string {
  const why =
    cause === "secret"
      ? `the file ${quote(path)}, which may hold secrets, appeared in the project; it reads as empty now`
      : `something that is protected, ${quote(path)}, was exchanged on the person's machine`;
  return `Your sandbox was ended in the middle of your work and made anew, because ${why}. The result of your last tool call was withheld, and the call may have been done in part. Look at what is there, then go on with the task. Do not look for what it held.`;
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
