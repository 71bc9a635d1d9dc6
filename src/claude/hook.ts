import { z } from "zod";
import type { ToolAsk } from "../domain/claude-event.ts";
import type { ToolCall } from "./judge.ts";

/** Under which the CLI calls our hook. */
const CALLBACK_ID = "sallyport-pre-tool-use";
/** After which the CLI gives up an unanswered call, undone. An answer takes a millisecond. */
const TIMEOUT_SECONDS = 30;

/** Hooks as `initialize` takes them, by event. */
export type HookRegistration = Readonly<Record<"PreToolUse", readonly HookMatcher[]>>;

interface HookMatcher {
  readonly matcher: string;
  readonly hookCallbackIds: readonly string[];
  /** Seconds. */
  readonly timeout: number;
  readonly onFailure: "block";
}

/** What our hook says to a call. `none`: no opinion. */
export type HookAnswer =
  | { readonly kind: "none" }
  | { readonly kind: "ask" | "deny"; readonly reason: string };

/** The hook that sees every tool call before it runs, those of subagents and MCP servers too. Whatever goes wrong with it blocks. */
export function hookRegistration(timeoutSeconds = TIMEOUT_SECONDS): HookRegistration {
  const matcher = { matcher: "*", hookCallbackIds: [CALLBACK_ID], timeout: timeoutSeconds };
  return { PreToolUse: [{ ...matcher, onFailure: "block" }] };
}

const hookCallback = z.looseObject({
  callback_id: z.literal(CALLBACK_ID),
  input: z.looseObject({
    hook_event_name: z.literal("PreToolUse"),
    tool_name: z.string().min(1),
    tool_use_id: z.string().min(1),
    tool_input: z.record(z.string(), z.unknown()),
    cwd: z.string().startsWith("/"),
    permission_mode: z.string(),
    agent_id: z.string().nullish(),
    mcp_server: z.unknown().optional(),
  }),
});

/** Reads a `hook_callback`; null for one that cannot be judged. */
export function parseHookCall(body: unknown): ToolCall | null {
  const input = hookCallback.safeParse(body).data?.input;
  if (!input) return null;
  const ask: ToolAsk = {
    toolUseId: input.tool_use_id,
    toolName: input.tool_name,
    input: input.tool_input,
    isSubagent: input.agent_id != null,
  };
  const isMcp = input.mcp_server != null || input.tool_name.startsWith("mcp__");
  return { ...ask, cwd: input.cwd, cliMode: input.permission_mode, isMcp };
}

/** The answer as the CLI wants it. It never allows: a call that the hook lets pass is still for the rules and for `can_use_tool`. */
export function hookOutput(answer: HookAnswer): object {
  if (answer.kind === "none") return {};
  const { kind: permissionDecision, reason: permissionDecisionReason } = answer;
  return {
    hookSpecificOutput: { hookEventName: "PreToolUse", permissionDecision, permissionDecisionReason },
  };
}
