import { z } from "zod";
import type { ClaudeEvent, ClaudeOutcome, ClaudeTurnEnd, ToolAsk } from "../domain/claude-event.ts";
import type { Now } from "../domain/clock.ts";
import { messageOf } from "../domain/errors.ts";
import { microUsdFromUsd } from "../domain/money.ts";
import type { Logger } from "../log/logger.ts";
import { createAsks } from "./asks.ts";
import type { Arrival } from "./connection.ts";
import { eventsOf } from "./events.ts";
import { codeOfRetry, exitText, failed, outcomeOfResult } from "./failure.ts";
import { type AskedCall, createGate, type ToolPolicy } from "./gate.ts";
import type { HookAnswer } from "./hook.ts";
import { createIdleListener } from "./idle.ts";
import type { ToolCall } from "./judge.ts";
import type { ResultMessage, ToolUse } from "./messages.ts";
import { createModelRules } from "./model-rules.ts";
import { watchPayer } from "./payer.ts";
import type { ClaudeProcess } from "./process.ts";
import { checkTurnInit } from "./start-check.ts";
import type { ClaudeSettings, ClaudeTurn } from "./types.ts";
import { createUnhookedCalls } from "./unhooked.ts";
import { countWaiting } from "./waiting-net.ts";
import { createWatchdog } from "./watchdog.ts";

/** What the CLI puts in the place of a model when it speaks itself. */
const NO_MODEL = "<synthetic>";
const SUBAGENT = "Agent";

const ENDING = { kind: "deny", reason: "The turn is being ended." } as const;

const interruptReceipt = z.looseObject({ cancelled: z.array(z.string()).optional() });

/** A turn that is over. `mustKill`: the process is not to be used again, or what it started has to end with it. */
export interface TurnRun {
  readonly end: Omit<ClaudeTurnEnd, "isResumable">;
  readonly mustKill: boolean;
}

interface TurnDeps {
  readonly process: ClaudeProcess;
  readonly turn: ClaudeTurn;
  readonly settings: ClaudeSettings;
  readonly policy: ToolPolicy;
  /** See `ModelChoice`. */
  readonly priceOf: (model: string) => number;
  readonly signal: AbortSignal;
  readonly now: Now;
  readonly log: Logger;
}

/**
 * Runs one turn on a process that is ready. Ends with the CLI's result, or without one when the process ends, breaks the
 * protocol, falls silent, or does not end in time after a stop. Never rejects.
 */
export function runTurn(deps: TurnDeps): Promise<TurnRun> {
  const { process, turn, settings, policy, priceOf, signal, now, log } = deps;
  const { connection, lease, sessionId } = process;
  const { promise, resolve } = Promise.withResolvers<TurnRun>();
  const { model: chosen, fallbackModel } = settings;
  const models = createModelRules({
    model: chosen,
    fallbackModel,
    offered: process.offered(),
    priceOf,
  });
  const said = new Set<string>();
  const unhooked = createUnhookedCalls();
  const watched = watchPayer({
    payer: turn.payer,
    models,
    onUnchosen: (name) => sayOnce({ kind: "model_refused", model: name }),
  });
  let isDone = false;
  /** The outcome of an interrupt that is under way. */
  let ending: ClaudeOutcome | null = null;
  let grace: NodeJS.Timeout | undefined;
  let model: string | null = null;
  let apiError: string | null = null;
  let resetsAt: number | null = null;

  const watchdog = createWatchdog({
    ms: settings.stallMs,
    onSilence: () =>
      finish(failed("stalled", `The CLI was silent for ${Math.round(settings.stallMs / 1000)} s`), true),
  });
  const gate = createGate({
    policy,
    project: turn.session.project,
    // A program of the jail could make such a call look like Claude's.
    isPersons: (call) => {
      const named = modelNamedBy(call);
      return named !== null && models.isDearer(named);
    },
    onPolicy: turn.onPolicy,
    log,
  });
  const asks = createAsks({
    decide: async (asked, askSignal) => {
      const answer = gate.answer(asked) ?? (await turn.decide(toolAskOf(asked), askSignal));
      if (answer.kind === "allow") allowModel(asked);
      return answer;
    },
    answer: connection.answer,
    onChange: breathe,
    log,
  });
  const net = countWaiting(turn.net, () => {
    if (!isDone) breathe();
  });
  function isWaiting(): boolean {
    return asks.count() + net.count() > 0;
  }
  function breathe(): void {
    if (isWaiting()) watchdog.pause();
    else watchdog.touch();
  }
  const stop = () => interrupt({ kind: "stopped" });

  function finish(outcome: ClaudeOutcome, mustKill: boolean, result: ResultMessage | null = null): void {
    if (isDone) return;
    isDone = true;
    clearTimeout(grace);
    watchdog.stop();
    asks.close();
    signal.removeEventListener("abort", stop);
    lease.setPayer(null);
    lease.setNet(null);
    process.listen(createIdleListener({ process, log }));
    const turnCostMicroUsd = microUsdOf(result?.costUsd);
    resolve({ end: { outcome, model, turnCostMicroUsd }, mustKill });
  }

  /** Ends the turn early: the CLI is asked to, for `stopGraceMs`. What its tools started ends with the jail. */
  function interrupt(outcome: ClaudeOutcome): void {
    if (isDone || ending) return;
    ending = outcome;
    asks.close();
    grace = setTimeout(() => finish(outcome, true), settings.stopGraceMs);
    connection.request({ subtype: "interrupt", cancel_queued: true }, settings.stopGraceMs).then(
      (receipt) => {
        const { data } = interruptReceipt.safeParse(receipt);
        if (data?.cancelled?.includes(turn.uuid)) finish(outcome, process.mayHaveChildren()); // it had not begun: no result comes
      },
      () => undefined, // the time of grace, or the end of the process, ends the turn
    );
  }

  /** A model that a subagent call names may be used once the call has passed the policy, a dearer one once a person has allowed it. */
  function judge(call: ToolCall | null): HookAnswer {
    const answer = gate.hook(call);
    if (call !== null && answer.kind === "none") allowModel(call);
    return answer;
  }

  function allowModel(call: ToolAsk): void {
    const named = modelNamedBy(call);
    if (named !== null) models.allow(named);
  }

  function onResult(result: ResultMessage): void {
    const isOurs = result.uuids.length > 0 ? result.uuids.includes(turn.uuid) : !result.isUnasked;
    if (!isOurs) return;
    const outcome = ending ?? outcomeOfResult(result, { apiError, refusal: watched.refusal(), resetsAt });
    finish(outcome, ending !== null && process.mayHaveChildren(), result);
  }

  function note(message: Arrival): void {
    switch (message.kind) {
      case "init": {
        const detail = checkTurnInit(message, sessionId, settings.tools);
        if (detail !== null) finish(failed("startup", detail), true);
        return;
      }
      case "message_start":
        model = message.model;
        if (models.isFallback(model)) sayOnce({ kind: "fell_back", model });
        return;
      case "assistant":
        if (message.isMain && message.model !== NO_MODEL) model = message.model;
        if (message.isMain) apiError = message.apiError;
        for (const block of message.blocks) if (block.kind === "tool_use") begun(block);
        return;
      case "retry":
        if (codeOfRetry(message.error, message.status) === "auth") {
          interrupt(failed("auth", `The API refused the credentials (${message.status ?? message.error})`));
        }
        return;
      case "rate_limit":
        if (message.isRejected && message.resetsAt !== null && message.resetsAt > now())
          resetsAt = message.resetsAt;
        return;
      case "ask":
        process.noteTool(message.ask.toolName);
        if (!ending) asks.open(message.requestId, message.ask);
        return;
      case "hook":
        if (message.call !== null) unhooked.hook(message.call.toolUseId);
        connection.answerHook(message.requestId, ending ? ENDING : judge(message.call));
        return;
      case "withdrawn":
        asks.withdraw(message.requestId);
        return;
      case "result":
        onResult(message);
        return;
      case "tool_results":
        for (const { toolUseId, isError } of message.results) if (isError) tellRefused(toolUseId);
        return;
      case "requesting":
      case "text_delta":
        return;
    }
  }

  function begun(call: ToolUse): void {
    process.noteTool(call.name);
    unhooked.begin(call);
  }

  function tellRefused(toolUseId: string): void {
    const call = unhooked.fail(toolUseId);
    if (call !== null) emit({ kind: "tool_refused", toolUseId, name: call.name, input: call.input });
  }

  function emit(event: ClaudeEvent): void {
    try {
      turn.onEvent(event);
    } catch (error) {
      log.error({ event: "claude.event_failed", kind: event.kind, err: error }, "an event was not taken");
    }
  }

  function sayOnce(event: Extract<ClaudeEvent, { kind: "fell_back" | "model_refused" }>): void {
    const key = `${event.kind} ${event.model}`;
    if (said.has(key)) return;
    said.add(key);
    emit(event);
  }

  process.listen({
    onActivity: () => {
      if (!isWaiting()) watchdog.touch();
    },
    onMessage: (message) => {
      note(message);
      if (!isDone) eventsOf(message).forEach(emit);
    },
    onFault: (detail) => finish(ending ?? failed("protocol", detail), true),
    onOver: ({ code, signal: by }) => finish(ending ?? failed("crashed", exitText(code, by)), true),
  });
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) finish({ kind: "stopped" }, false);
  else if (!isDone) begin();
  return promise;

  function begin(): void {
    try {
      turn.onPrompting(process.isResume);
    } catch (error) {
      finish(failed("unknown", `The start of the turn could not be recorded: ${messageOf(error)}`), false);
      return;
    }
    lease.setPayer(watched.payer);
    lease.setNet(net.policy);
    connection.prompt(turn.prompt, turn.uuid);
    watchdog.touch();
  }
}

/** The model that a subagent is to work on, when its call says so. */
function modelNamedBy({ toolName, input }: ToolAsk): string | null {
  return toolName === SUBAGENT && typeof input.model === "string" ? input.model : null;
}

function microUsdOf(usd: number | null | undefined): number | null {
  return usd == null ? null : microUsdFromUsd(usd);
}

/** What a person is asked about, without what only the policy looks at. */
function toolAskOf({ toolUseId, toolName, input, isSubagent }: AskedCall): ToolAsk {
  return { toolUseId, toolName, input, isSubagent };
}
