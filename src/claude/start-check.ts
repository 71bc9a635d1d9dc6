import { z } from "zod";
import { permissionModeOf } from "./argv.ts";
import type { ClaudeSettings } from "./types.ts";

interface Initialized {
  readonly kind: "ok";
  readonly version: string;
  /** The names of the models that the CLI offers, by alias. */
  readonly models: ReadonlyMap<string, string>;
}

interface Mismatch {
  readonly kind: "mismatch";
  readonly detail: string;
}

const initializeReply = z.looseObject({
  claude_code_version: z.string(),
  current_permission_mode: z.string(),
  models: z.array(z.looseObject({ value: z.string(), resolvedModel: z.string().nullish() })).nullish(),
  hooks_applied: z.boolean().optional(),
  hook_on_failure_supported: z.boolean().optional(),
  account: z.looseObject({
    tokenSource: z.string().nullish(),
    apiKeySource: z.string().nullish(),
    apiProvider: z.string().nullish(),
  }),
});
const rulesReply = z.looseObject({
  state: z.looseObject({
    rules: z.array(z.looseObject({ behavior: z.string(), source: z.string(), rule: z.string() })),
    workspaceDirectories: z.array(z.unknown()),
  }),
});
const mcpReply = z.looseObject({ mcpServers: z.array(z.unknown()) });

/** Where the CLI says its credential comes from, by who is meant to pay. It reports `none` or nothing for what is absent. */
const ACCOUNTS = {
  "api-key": { tokenSource: "none", apiKeySource: "ANTHROPIC_API_KEY" },
  subscription: { tokenSource: "CLAUDE_CODE_OAUTH_TOKEN", apiKeySource: "none" },
} as const;

/**
 * Compares the reply to `initialize` with the settings: the account that pays (H30), the permission mode, and that our hook was
 * taken, with its word that whatever fails in it blocks.
 */
export function checkInitialized(reply: unknown, settings: ClaudeSettings): Initialized | Mismatch {
  const { data } = initializeReply.safeParse(reply);
  if (!data) return mismatch("Expected the CLI to report its version, mode and account");
  const expected = ACCOUNTS[settings.auth];
  const token = data.account.tokenSource ?? "none";
  const key = data.account.apiKeySource ?? "none";
  const provider = data.account.apiProvider ?? "none";
  if (token !== expected.tokenSource || key !== expected.apiKeySource || provider !== "firstParty") {
    const got = `token ${token}, key ${key}, provider ${provider}`;
    return mismatch(`Expected the CLI to be paid for by CLAUDE_AUTH=${settings.auth}, got ${got}`);
  }
  const mode = permissionModeOf(settings);
  if (data.current_permission_mode !== mode) {
    return mismatch(`Expected permission mode ${mode}, got ${data.current_permission_mode}`);
  }
  if (data.hooks_applied !== true || data.hook_on_failure_supported !== true) {
    return mismatch("Expected the CLI to take the hook that judges every tool call, it did not");
  }
  const named = (data.models ?? []).flatMap(({ value, resolvedModel }) =>
    resolvedModel == null ? [] : [[value.toLowerCase(), resolvedModel] as const],
  );
  return { kind: "ok", version: data.claude_code_version, models: new Map(named) };
}

/**
 * Compares `list_permission_rules` with what was asked for: every rule of ours is there, nothing is allowed or asked by a rule,
 * no directory was added. The CLI drops settings that it does not understand in silence. Null when they are equal.
 */
export function checkRules(reply: unknown, expected: readonly string[]): string | null {
  const { data } = rulesReply.safeParse(reply);
  if (!data) return "Expected the CLI to list its permission rules";
  const { rules, workspaceDirectories } = data.state;
  const taken = new Set(rules.filter(({ source }) => source === "flagSettings").map(({ rule }) => rule));
  const missing = expected.filter((rule) => !taken.has(rule));
  if (missing.length > 0) {
    return `Expected the CLI to take every deny rule, it dropped ${missing.length}: ${missing.slice(0, 3).join(" ")}`;
  }
  const loose = rules.find(({ behavior }) => behavior !== "deny");
  if (loose) return `Expected deny rules only, got ${loose.behavior} ${loose.rule} from ${loose.source}`;
  return workspaceDirectories.length > 0 ? "Expected no directory beside the project" : null;
}

/** Looks at `mcp_status`: no server runs, for the daemon has none of its own yet. Null when that is so. */
export function checkMcp(reply: unknown): string | null {
  const { data } = mcpReply.safeParse(reply);
  if (!data) return "Expected the CLI to report its MCP servers";
  return data.mcpServers.length > 0 ? `Expected no MCP server, got ${data.mcpServers.length}` : null;
}

/** What `system/init` says at the beginning of a turn. */
interface TurnInit {
  readonly sessionId: string;
  readonly tools: readonly string[];
  readonly mcpServers: number;
  readonly permissionMode: string;
}

/** The modes in which a person is asked; the model may go from one to the other by the plan tools. */
const ASKING_MODES: readonly string[] = ["default", "plan"];

/** The difference between a turn as it begins and as it was meant; null when there is none. Comes before the first API request. */
export function checkTurnInit(init: TurnInit, sessionId: string, tools: readonly string[]): string | null {
  if (init.sessionId !== sessionId) return "Expected the CLI to work on the session it was started for";
  if (init.mcpServers > 0) return `Expected no MCP server, got ${init.mcpServers}`;
  if (!ASKING_MODES.includes(init.permissionMode))
    return `Expected a mode that asks, got ${init.permissionMode}`;
  const offered = new Set(tools.map((tool) => (tool === "Agent" ? "Task" : tool))); // the CLI lists Agent by its old name
  const extra = init.tools.filter((tool) => !offered.has(tool) && !tools.includes(tool));
  return extra.length > 0
    ? `Expected only the tools of CLAUDE_TOOLS, got also ${extra.slice(0, 3).join(", ")}`
    : null;
}

function mismatch(detail: string): Mismatch {
  return { kind: "mismatch", detail };
}
