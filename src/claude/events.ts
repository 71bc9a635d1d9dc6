import type { ClaudeEvent } from "../domain/claude-event.ts";
import { codeOfRetry } from "./failure.ts";
import type { CliMessage } from "./messages.ts";

/** What a message of the CLI means to those who watch the turn; empty for most messages. */
export function eventsOf(message: CliMessage): readonly ClaudeEvent[] {
  switch (message.kind) {
    case "init":
      return [{ kind: "started", sessionId: message.sessionId, model: message.model }];
    case "message_start":
      return [{ kind: "message_started" }];
    case "text_delta":
      return [{ kind: "text_delta", text: message.text }];
    case "assistant":
      return message.apiError === null
        ? message.blocks.flatMap((block) => eventOfBlock(block, message.isMain))
        : [];
    case "tool_results":
      return message.results.map((result) => ({ kind: "tool_finished", ...result }));
    case "retry": {
      const { attempt, maxAttempts, delayMs, error, status } = message;
      return [{ kind: "retrying", attempt, maxAttempts, delayMs, failure: codeOfRetry(error, status) }];
    }
    case "requesting":
    case "rate_limit":
    case "result":
    case "ask":
    case "hook":
    case "unserved":
    case "reply":
    case "withdrawn":
    case "ignored":
    case "invalid":
      return [];
  }
}

type AssistantMessage = Extract<CliMessage, { kind: "assistant" }>;

function eventOfBlock(block: AssistantMessage["blocks"][number], isMain: boolean): readonly ClaudeEvent[] {
  if (block.kind === "text") return isMain ? [{ kind: "text", text: block.text }] : [];
  const { id, name, input } = block;
  return [{ kind: "tool_started", toolUseId: id, name, input, isSubagent: !isMain }];
}
