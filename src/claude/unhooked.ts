import type { ToolUse } from "./messages.ts";

/** The calls of one turn that the hook has not seen. */
export interface UnhookedCalls {
  readonly begin: (call: ToolUse) => void;
  readonly hook: (toolUseId: string) => void;
  /** The call of an error that came back, if the hook never saw it; null for any other. */
  readonly fail: (toolUseId: string) => ToolUse | null;
}

/**
 * Finds what the CLI ends by itself before it asks the hook: a tool that is not offered, an input that the tool does not take. Its
 * message with the call may come before or after the hook's.
 */
export function createUnhookedCalls(): UnhookedCalls {
  const begun = new Map<string, ToolUse>();
  const hooked = new Set<string>();
  return {
    begin: (call) => {
      if (!hooked.has(call.id)) begun.set(call.id, call);
    },
    hook: (toolUseId) => {
      hooked.add(toolUseId);
      begun.delete(toolUseId); // with all that a call may write
    },
    fail: (toolUseId) => {
      const call = begun.get(toolUseId) ?? null;
      begun.delete(toolUseId);
      return call;
    },
  };
}
