import type { Now } from "../../domain/clock.ts";
import { badRequest } from "./failure.ts";
import type { CallbackAnswer, Change } from "./types.ts";

/** The pressed buttons that wait for their answer. */
export interface Callbacks {
  /** Gives the id of a new callback query. */
  readonly create: () => string;
  /** Throws 400 for an id that is unknown, too old or answered already. */
  readonly answer: (callbackId: string, answer: { readonly text: string; readonly isAlert: boolean }) => void;
  readonly answerOf: (callbackId: string) => CallbackAnswer | undefined;
}

export interface CallbacksDeps {
  readonly now: Now;
  /** How long after the press an answer is taken. */
  readonly lifetimeMs: number;
  readonly emit: (change: Change) => void;
}

const TOO_OLD = "query is too old and response timeout expired or query ID is invalid";

/** Starts with nothing pressed. */
export function createCallbacks({ now, lifetimeMs, emit }: CallbacksDeps): Callbacks {
  const pressedAt = new Map<string, number>();
  const answers = new Map<string, CallbackAnswer>();
  let count = 0n;

  return {
    create: () => {
      count += 1n;
      const id = String(4_611_686_018_427_000_000n + count);
      pressedAt.set(id, now());
      return id;
    },
    answer: (callbackId, { text, isAlert }) => {
      const at = now();
      const pressed = pressedAt.get(callbackId);
      if (pressed === undefined || answers.has(callbackId) || at - pressed > lifetimeMs)
        throw badRequest(TOO_OLD);
      const answer = { text, isAlert, at };
      answers.set(callbackId, answer);
      emit({ kind: "callback_answered", callbackId, answer });
    },
    answerOf: (callbackId) => answers.get(callbackId),
  };
}
