import type { MicroUsd } from "./money.ts";

/** Why a jail was killed, as the jail tells it. */
export type JailLossCause = "secret" | "protection" | "unwatched";

/** What the CLI reports while a turn runs. Only the main loop's text is reported; subagents show as their tool calls. */
export type ClaudeEvent =
  | { readonly kind: "started"; readonly sessionId: string; readonly model: string }
  /** A new model message begins: text shown as preview and not yet confirmed by `text` is void. */
  | { readonly kind: "message_started" }
  | { readonly kind: "text_delta"; readonly text: string }
  /** A finished text block: the truth for what the deltas previewed. */
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "tool_started";
      readonly toolUseId: string;
      readonly name: string;
      readonly input: Readonly<Record<string, unknown>>;
      readonly isSubagent: boolean;
    }
  | { readonly kind: "tool_finished"; readonly toolUseId: string; readonly isError: boolean }
  /** The CLI ended a call by itself before the hook saw it, so that it did not run. */
  | {
      readonly kind: "tool_refused";
      readonly toolUseId: string;
      readonly name: string;
      readonly input: Readonly<Record<string, unknown>>;
    }
  /** The fallback model answers in place of the chosen one. Once a turn. */
  | { readonly kind: "fell_back"; readonly model: string }
  /** The jail no longer held and was killed; the turn goes on in a new one. `path` is below the project, or the project itself. */
  | { readonly kind: "jail_renewed"; readonly cause: JailLossCause; readonly path: string }
  /** The same, and the turn does not go on: it was over, or this had happened too often. */
  | { readonly kind: "jail_lost"; readonly cause: JailLossCause; readonly path: string }
  /** A request for a model that nobody chose was refused. Once a model and turn. */
  | { readonly kind: "model_refused"; readonly model: string }
  | {
      readonly kind: "retrying";
      readonly attempt: number;
      readonly maxAttempts: number;
      readonly delayMs: number;
      readonly failure: FailureCode;
    };

/** A jail was killed: why, and whether the turn goes on in another. */
export type JailLossEvent = Extract<ClaudeEvent, { cause: unknown }>;

/** Why a turn failed, told to people as what it is. `resetsAt` is in milliseconds since the epoch. */
export type FailureCode =
  | "auth"
  | "billing"
  | "budget"
  | "rate_limit"
  | "overloaded"
  | "server"
  | "model_not_found"
  | "model_refused"
  | "too_long"
  | "image"
  | "max_turns"
  | "file_refused"
  | "file_unfetched"
  | "files_unkept"
  | "session_lost"
  | "session_busy"
  | "project_gone"
  | "project_shut"
  | "startup"
  | "jail_lost"
  | "protocol"
  | "crashed"
  | "stalled"
  | "unknown";

/** How a turn of the CLI ended. `detail` is one redacted line of the CLI's or the API's own words, or null. */
export type ClaudeOutcome =
  | { readonly kind: "completed"; readonly text: string }
  | { readonly kind: "stopped" }
  | {
      readonly kind: "failed";
      readonly code: FailureCode;
      readonly detail: string | null;
      readonly resetsAt: number | null;
    };

/** The end of a turn. */
export interface ClaudeTurnEnd {
  readonly outcome: ClaudeOutcome;
  /** The model that answered, null when none did. */
  readonly model: string | null;
  /** What this turn alone cost, by the CLI; null when it did not say. */
  readonly turnCostMicroUsd: MicroUsd | null;
  /** True when the session exists on disk, so that the next turn may `--resume` it. */
  readonly isResumable: boolean;
}

/** A tool call that a person has to decide about (`can_use_tool`). The input is whole. */
export interface ToolAsk {
  readonly toolUseId: string;
  readonly toolName: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly isSubagent: boolean;
}

/** The decision. An allowed call runs with exactly `input`. */
export type ToolAnswer =
  | { readonly kind: "allow"; readonly input: Readonly<Record<string, unknown>> }
  | { readonly kind: "deny"; readonly message: string };

/**
 * Why the policy denied a call: the file holds a secret, decides what runs later or is what the person sent; the call cannot be
 * read, or it wants the network.
 */
export type ToolDenial = "secret" | "protected" | "uploads" | "malformed" | "network";

/** What the policy decided about a call by itself. */
export type PolicyVerdict =
  | { readonly kind: "allowed" }
  /** Left to the CLI's own rules, which let it run unasked or have a person asked. */
  | { readonly kind: "left" }
  | { readonly kind: "denied"; readonly cause: ToolDenial };
