import type { ClaudeOutcome, FailureCode } from "./claude-event.ts";
import type { MicroUsd } from "./money.ts";
import type { Work } from "./work.ts";

/** What a person sees of a running turn. */
export type TurnEvent =
  /** The answer so far, as Markdown; replaces what was shown before. `isOpen` while its end is still being written. */
  | { readonly kind: "preview"; readonly text: string; readonly isOpen: boolean }
  /** One more tool call: a redacted line that names the tool and its target. */
  | { readonly kind: "tool"; readonly line: string }
  | {
      readonly kind: "retrying";
      readonly failure: FailureCode;
      readonly attempt: number;
      readonly maxAttempts: number;
      readonly delayMs: number;
    };

/** A turn that is over. */
export interface TurnReport {
  readonly work: Work;
  readonly outcome: ClaudeOutcome;
  /** What Claude had said when the turn was stopped or failed; "" when nothing. */
  readonly partialText: string;
  /** It was cut in the middle of a text: its last word may be half a word. */
  readonly isPartOpen: boolean;
  readonly model: string | null;
  readonly durationMs: number;
  readonly costMicroUsd: MicroUsd;
  /** The lines of the tools that were called, in order. */
  readonly tools: readonly string[];
}
