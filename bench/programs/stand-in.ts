/**
 * Stands in for the CLI, as small as it can be: says what the daemon's start check wants to hear, notes when a prompt
 * reaches its stdin, and answers at once. A prompt that begins with "hold" is never answered; one that begins with "ask"
 * goes to the Messages API through the daemon's proxy, and the answer is streamed. Runs inside the jail, so it is one file
 * that imports Node's own modules only.
 */
import { appendFileSync } from "node:fs";
import { request } from "node:http";
import { createInterface } from "node:readline";

type Json = Record<string, unknown>;

const {
  CLAUDE_CONFIG_DIR: configDir,
  ANTHROPIC_UNIX_SOCKET: socketPath,
  ANTHROPIC_API_KEY: key = "",
} = process.env;
const option = (name: string): string =>
  process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? "";
const sessionId = option("session-id") || option("resume");
const model = option("model");
const settings: { permissions: { deny: string[] } } = JSON.parse(option("settings"));
let rest = "";

function write(message: Json): void {
  process.stdout.write(`${JSON.stringify({ ...message, session_id: sessionId })}\n`);
}

function answerOf(request: Json): Json {
  switch (request.subtype) {
    case "initialize":
      return {
        claude_code_version: "2.1.330",
        current_permission_mode: "default",
        hooks_applied: true,
        hook_on_failure_supported: true,
        account: { tokenSource: "none", apiKeySource: "ANTHROPIC_API_KEY", apiProvider: "firstParty" },
      };
    case "list_permission_rules": {
      const rules = settings.permissions.deny.map((rule) => ({
        behavior: "deny",
        source: "flagSettings",
        rule,
      }));
      return { state: { rules, workspaceDirectories: [] } };
    }
    case "mcp_status":
      return { mcpServers: [] };
    case "set_permission_mode":
      return { mode: request.mode };
    default:
      return {};
  }
}

function finish(uuid: string, text: string): void {
  const result = { subtype: "success", is_error: false, result: text, terminal_reason: "completed" };
  write({ type: "result", ...result, user_message_uuids: [uuid] });
}

function askModel(uuid: string, text: string): void {
  const headers = { "x-api-key": key, "content-type": "application/json", "anthropic-version": "2023-06-01" };
  const tools = [{ name: "Read", input_schema: { type: "object" } }];
  const body = { model, max_tokens: 1024, stream: true, tools, messages: [{ role: "user", content: text }] };
  let said = "";
  request({ socketPath, method: "POST", path: "/v1/messages", headers }, (response) => {
    createInterface({ input: response })
      .on("line", (line) => {
        if (!line.startsWith("data: ")) return;
        const event: { delta?: { text?: string } } = JSON.parse(line.slice(6));
        said += event.delta?.text ?? "";
        write({ type: "stream_event", event, parent_tool_use_id: null });
      })
      .on("close", () => finish(uuid, said));
  }).end(JSON.stringify(body));
}

function prompt(text: string, uuid: string): void {
  const init = { tools: [], mcp_servers: [], model, permissionMode: "default" };
  write({ type: "system", subtype: "init", ...init });
  if (text.startsWith("ask")) askModel(uuid, text);
  else if (!text.startsWith("hold")) finish(uuid, "Done.");
}

function take(line: string, at: bigint): void {
  const message: {
    type: string;
    uuid: string;
    request_id: string;
    request: Json;
    message: { content: string };
  } = JSON.parse(line);
  if (message.type === "user") {
    prompt(message.message.content, message.uuid);
    appendFileSync(`${configDir}/stdin.log`, `${at} ${message.message.content}\n`);
  }
  if (message.type !== "control_request") return;
  const response = {
    subtype: "success",
    request_id: message.request_id,
    response: answerOf(message.request),
  };
  write({ type: "control_response", response });
}

process.stdin.on("data", (chunk) => {
  const at = process.hrtime.bigint();
  const lines = (rest + String(chunk)).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) take(line, at);
});
process.stdin.on("end", () => process.exit(0));
