import { JAIL_FACTS } from "./jail-facts.ts";
import type { ClaudeSettings } from "./types.ts";

const PERMISSION_MODES = { jail: "default", ask: "default", plan: "plan" } as const;

/** The CLI's own name of the mode, as it reports it back. */
export function permissionModeOf(settings: Pick<ClaudeSettings, "permissionMode">): "default" | "plan" {
  return PERMISSION_MODES[settings.permissionMode];
}

/** How the session is opened: made under our id, or carried on. */
export interface ClaudeStart {
  readonly sessionId: string;
  readonly isResume: boolean;
  /** The deny rules. */
  readonly rules: readonly string[];
}

/**
 * The CLI's arguments, always as `--flag=value`: several of its flags swallow what follows. The prompt is never among them.
 * `--setting-sources=` and `--strict-mcp-config` keep a project's hooks, key helpers and MCP servers from running before
 * the first prompt; `--disable-slash-commands` makes a leading `/` plain text.
 */
export function claudeArgs(
  settings: ClaudeSettings,
  { sessionId, isResume, rules }: ClaudeStart,
): readonly string[] {
  return [
    "-p",
    "--output-format=stream-json",
    "--input-format=stream-json",
    "--verbose",
    "--include-partial-messages",
    "--permission-prompt-tool=stdio",
    `--permission-mode=${permissionModeOf(settings)}`,
    "--setting-sources=",
    "--strict-mcp-config",
    "--disable-slash-commands",
    `--tools=${settings.tools.join(",")}`,
    `--settings=${JSON.stringify({ permissions: { deny: rules } })}`,
    `--append-system-prompt=${JAIL_FACTS}`,
    isResume ? `--resume=${sessionId}` : `--session-id=${sessionId}`,
    ...(settings.model === null ? [] : [`--model=${settings.model}`]),
    ...(settings.fallbackModel === null ? [] : [`--fallback-model=${settings.fallbackModel}`]),
    ...(settings.effort === null ? [] : [`--effort=${settings.effort}`]),
  ];
}
