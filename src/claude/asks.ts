import type { ToolAnswer } from "../domain/claude-event.ts";
import type { Logger } from "../log/logger.ts";
import type { AskedCall } from "./gate.ts";

/** The questions of one turn that are waiting for an answer. */
export interface Asks {
  readonly open: (requestId: string, ask: AskedCall) => void;
  /** The CLI no longer wants the answer. */
  readonly withdraw: (requestId: string) => void;
  /** No more answers go out, whatever people press. */
  readonly close: () => void;
  readonly count: () => number;
}

interface AsksDeps {
  readonly decide: (ask: AskedCall, signal: AbortSignal) => Promise<ToolAnswer>;
  readonly answer: (requestId: string, answer: ToolAnswer) => void;
  /** Called after each change of the count. */
  readonly onChange: () => void;
  readonly log: Logger;
}

/**
 * Asks for decisions and sends each answer once. A decision that fails is a denial; one that comes after the question was
 * withdrawn, or after the turn, goes nowhere.
 */
export function createAsks({ decide, answer, onChange, log }: AsksDeps): Asks {
  const waiting = new Map<string, AbortController>();

  function take(requestId: string): AbortController | undefined {
    const controller = waiting.get(requestId);
    if (waiting.delete(requestId)) onChange();
    return controller;
  }

  async function decideSafely(ask: AskedCall, signal: AbortSignal): Promise<ToolAnswer> {
    try {
      return await decide(ask, signal);
    } catch (error) {
      if (!signal.aborted)
        log.error(
          { event: "claude.ask_failed", tool: ask.toolName, err: error },
          "a decision failed: denied",
        );
      return { kind: "deny", message: "The question could not be put to a person." };
    }
  }

  return {
    open: (requestId, ask) => {
      if (waiting.has(requestId)) return; // asked twice under one id: the first is still open
      const controller = new AbortController();
      waiting.set(requestId, controller);
      onChange();
      void decideSafely(ask, controller.signal).then((decision) => {
        if (waiting.get(requestId) !== controller) return;
        take(requestId);
        answer(requestId, decision);
      });
    },
    withdraw: (requestId) => take(requestId)?.abort(),
    close: () => {
      for (const requestId of waiting.keys()) take(requestId)?.abort();
    },
    count: () => waiting.size,
  };
}
