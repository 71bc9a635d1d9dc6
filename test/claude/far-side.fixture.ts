/**
 * Stands in for the CLI where the real one cannot be made to misbehave. Behaves well unless `scenario.json` in its config
 * folder says otherwise; see `far-side.ts`. One file, `node:` imports only, because it runs inside the jail.
 */
import { closeSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

type Json = Record<string, unknown>;
type Action =
  | { readonly out: Json }
  | { readonly raw: string }
  | { readonly bytes: number }
  | { readonly stderr: string }
  | { readonly exit: number }
  | { readonly kill: NodeJS.Signals }
  | { readonly closeOutput: true };
interface Scenario {
  readonly start?: readonly Action[];
  readonly initialize?: readonly Action[];
  readonly rules?: readonly Action[];
  readonly mcp?: readonly Action[];
  readonly mode?: readonly Action[];
  readonly prompts?: readonly (readonly Action[])[];
  readonly interrupt?: readonly Action[];
  readonly answer?: readonly Action[];
  readonly account?: Json;
  readonly version?: string;
  readonly permissionMode?: string;
  readonly hooks?: Json;
}

const { CLAUDE_CONFIG_DIR: configDir = "" } = process.env;
const scenario: Scenario = JSON.parse(readFileSync(join(configDir, "scenario.json"), "utf8"));
const flag = (name: string) =>
  process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3) ?? "";
const sessionId = flag("session-id") || flag("resume");
const settings = JSON.parse(flag("settings"));
let uuid = "";
let prompts = 0;

function act(actions: readonly Action[], requestId = ""): void {
  for (const action of actions) {
    if ("out" in action) write(fill(JSON.stringify(action.out), requestId));
    else if ("raw" in action) process.stdout.write(action.raw);
    else if ("bytes" in action) process.stdout.write(Buffer.alloc(action.bytes, "x"));
    else if ("stderr" in action) process.stderr.write(action.stderr);
    else if ("closeOutput" in action) closeSync(1);
    else if ("kill" in action) process.kill(process.pid, action.kill);
    else process.exit(action.exit);
  }
}

function fill(text: string, requestId: string): string {
  return text.replaceAll("$request", requestId).replaceAll("$uuid", uuid).replaceAll("$session", sessionId);
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}

function reply(requestId: string, response: Json): readonly Action[] {
  return [
    { out: { type: "control_response", response: { subtype: "success", request_id: requestId, response } } },
  ];
}

function rules(): Json {
  const own = settings.permissions.deny.map((rule: string) => ({
    behavior: "deny",
    source: "flagSettings",
    rule,
  }));
  const narrowed = { behavior: "deny", source: "toolsNarrowing", rule: "WebFetch" };
  return { state: { rules: [...own, narrowed], workspaceDirectories: [] } };
}

const result = {
  type: "result",
  subtype: "success",
  is_error: false,
  result: "done",
  session_id: "$session",
  total_cost_usd: 0.001,
  terminal_reason: "completed",
  user_message_uuids: ["$uuid"],
};

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const message = JSON.parse(line);
    if (message.type === "user") {
      uuid = message.uuid;
      act(scenario.prompts?.[prompts] ?? [{ out: result }]);
      prompts += 1;
      return;
    }
    if (message.type === "control_response") return act(scenario.answer ?? []);
    const id = message.request_id;
    const { subtype, mode } = message.request;
    const hello = {
      claude_code_version: scenario.version ?? "2.1.330",
      current_permission_mode: scenario.permissionMode ?? "default",
      hooks_applied: true,
      hook_on_failure_supported: true,
      ...scenario.hooks,
      account: scenario.account ?? {
        tokenSource: "none",
        apiKeySource: "ANTHROPIC_API_KEY",
        apiProvider: "firstParty",
      },
    };
    if (subtype === "initialize") act(scenario.initialize ?? reply(id, hello), id);
    else if (subtype === "list_permission_rules") act(scenario.rules ?? reply(id, rules()), id);
    else if (subtype === "mcp_status") act(scenario.mcp ?? reply(id, { mcpServers: [] }), id);
    else if (subtype === "set_permission_mode") act(scenario.mode ?? reply(id, { mode }), id);
    else act(scenario.interrupt ?? reply(id, { still_queued: [] }), id);
  })
  .on("close", () => process.exit(0));
act(scenario.start ?? []);
