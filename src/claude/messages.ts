import type { ControlMessage } from "./control-messages.ts";

/** A call of a tool. */
export interface ToolUse {
  readonly kind: "tool_use";
  readonly id: string;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** A finished block of an assistant message, as far as it is of use here. */
export type AssistantBlock = { readonly kind: "text"; readonly text: string } | ToolUse;

/** How the CLI says that a prompt is done with. Amounts in US dollars. */
export interface ResultMessage {
  readonly kind: "result";
  readonly sessionId: string;
  readonly subtype: string;
  readonly isError: boolean;
  /** The answer, or with `isError` the API's words. */
  readonly text: string | null;
  /** Internal texts, for telling failed starts apart; never shown. */
  readonly errors: readonly string[];
  readonly apiStatus: number | null;
  readonly reason: string | null;
  /** Since the result before; null when the CLI does not say. */
  readonly costUsd: number | null;
  readonly uuids: readonly string[];
  /** True for a turn that the CLI started by itself. */
  readonly isUnasked: boolean;
}

/** A line of the CLI, reduced to what is acted on; all else is `ignored`. `isMain` is false inside a subagent. */
export type CliMessage =
  | {
      readonly kind: "init";
      readonly sessionId: string;
      readonly model: string;
      readonly tools: readonly string[];
      readonly mcpServers: number;
      readonly permissionMode: string;
    }
  | { readonly kind: "requesting" }
  | { readonly kind: "message_start"; readonly model: string }
  | { readonly kind: "text_delta"; readonly text: string }
  | {
      readonly kind: "assistant";
      readonly isMain: boolean;
      readonly model: string;
      readonly blocks: readonly AssistantBlock[];
      /** Set when the CLI itself speaks for an API that failed: `authentication_failed`, `rate_limit`, … */
      readonly apiError: string | null;
    }
  | {
      readonly kind: "tool_results";
      readonly results: readonly { readonly toolUseId: string; readonly isError: boolean }[];
    }
  | {
      readonly kind: "retry";
      readonly attempt: number;
      readonly maxAttempts: number;
      readonly delayMs: number;
      readonly status: number | null;
      readonly error: string;
    }
  /** `resetsAt` in milliseconds since the epoch. */
  | { readonly kind: "rate_limit"; readonly isRejected: boolean; readonly resetsAt: number | null }
  | ResultMessage
  | ControlMessage
  | { readonly kind: "ignored" }
  /** Against the protocol: nothing that follows can be relied on. */
  | { readonly kind: "invalid"; readonly detail: string };
