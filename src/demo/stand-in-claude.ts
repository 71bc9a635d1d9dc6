/**
 * Stands in for the Claude CLI where none is installed, so that the demo still runs the whole program: the same control
 * protocol on stdio, the same jail, the same proxy. It asks the (scripted) Messages API and does Write and Bash; nothing
 * more. One file that imports only Node's own modules, since it is the only file of its kind inside the jail.
 */
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

type Json = Record<string, unknown>;
type Block = { type: "text"; text: string } | { type: "tool_use"; id: string; name: string; input: Json };
type Message = { role: "user" | "assistant"; content: unknown };

const VERSION = "2.1.330";
const env = process.env;
const option = (name: string): string | undefined =>
  process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);

const model = option("model") ?? "claude-opus-5-5";
const sessionId = option("resume") ?? option("session-id") ?? randomUUID();
const transcript = join(env.CLAUDE_CONFIG_DIR ?? ".", "projects", "stand-in", `${sessionId}.jsonl`);
const settings: { permissions?: { deny?: string[] } } = JSON.parse(option("settings") ?? "{}");
const tools = (option("tools") ?? "").split(",").filter(Boolean);
const history: Message[] = option("resume") === undefined ? [] : readTranscript();
const answers = new Map<string, (answer: Json) => void>();
let mode = option("permission-mode") ?? "default";
let running: AbortController | null = null;

function write(message: Json): void {
  process.stdout.write(`${JSON.stringify({ ...message, session_id: sessionId, uuid: randomUUID() })}\n`);
}

function readTranscript(): Message[] {
  return readFileSync(transcript, "utf8")
    .trim()
    .split("\n")
    .map((line): Message => JSON.parse(line));
}

function remember(message: Message): void {
  history.push(message);
  mkdirSync(dirname(transcript), { recursive: true });
  appendFileSync(transcript, `${JSON.stringify(message)}\n`);
}

/** One request to the Messages API, over the socket that is bound in; text is passed on as it comes. */
function askModel(signal: AbortSignal): Promise<Block[]> {
  const credential: Record<string, string> =
    env.ANTHROPIC_API_KEY === undefined
      ? { authorization: `Bearer ${env.CLAUDE_CODE_OAUTH_TOKEN ?? ""}` }
      : { "x-api-key": env.ANTHROPIC_API_KEY };
  const headers = { ...credential, "content-type": "application/json", "anthropic-version": "2023-06-01" };
  const offered = tools.map((name) => ({ name, input_schema: { type: "object" } }));
  const body = JSON.stringify({ model, max_tokens: 4096, stream: true, messages: history, tools: offered });
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath: env.ANTHROPIC_UNIX_SOCKET, method: "POST", path: "/v1/messages", headers, signal },
      (response) => {
        const blocks: Block[] = [];
        let failure = "";
        createInterface({ input: response })
          .on("line", (line) => {
            if (response.statusCode !== 200) failure += line;
            else if (line.startsWith("data: ")) takeEvent(blocks, JSON.parse(line.slice(6)));
          })
          .on("close", () => (failure === "" ? resolve(blocks) : reject(new Error(failure))));
        response.on("error", reject);
      },
    );
    call.on("error", reject);
    call.end(body);
  });
}

interface StreamEvent {
  readonly type: string;
  readonly index?: number;
  readonly content_block?: { readonly type: string; readonly id?: string; readonly name?: string };
  readonly delta?: { readonly type: string; readonly text?: string; readonly partial_json?: string };
}

const drafts = new Map<number, string>();

function takeEvent(blocks: Block[], event: StreamEvent): void {
  write({ type: "stream_event", event, parent_tool_use_id: null });
  const index = event.index ?? 0;
  const { content_block: begun, delta } = event;
  if (begun?.type === "text") blocks[index] = { type: "text", text: "" };
  if (begun?.type === "tool_use") {
    blocks[index] = { type: "tool_use", id: begun.id ?? "", name: begun.name ?? "", input: {} };
    drafts.set(index, "");
  }
  const block = blocks[index];
  if (delta?.text !== undefined && block?.type === "text") block.text += delta.text;
  if (delta?.partial_json !== undefined) drafts.set(index, (drafts.get(index) ?? "") + delta.partial_json);
  if (event.type !== "content_block_stop" || !block) return;
  if (block.type === "tool_use") block.input = JSON.parse(drafts.get(index) || "{}");
  write({
    type: "assistant",
    message: { role: "assistant", model, content: [block] },
    parent_tool_use_id: null,
  });
}

/** Asks the host about a tool call and, when it is allowed, does it. */
async function useTool({ id, name, input }: Extract<Block, { type: "tool_use" }>): Promise<Json> {
  const requestId = randomUUID();
  const { promise, resolve } = Promise.withResolvers<Json>();
  answers.set(requestId, resolve);
  const ask = { subtype: "can_use_tool", tool_name: name, tool_use_id: id, input };
  write({ type: "control_request", request_id: requestId, request: ask });
  const answer = await promise;
  if (answer.behavior !== "allow") return resultOf(id, String(answer.message), true);
  const allowed = typeof answer.updatedInput === "object" ? { ...input, ...answer.updatedInput } : input;
  return doTool(id, name, allowed);
}

function doTool(id: string, name: string, input: Json): Json {
  if (name === "AskUserQuestion") return resultOf(id, JSON.stringify(input.answers), false);
  if (name === "Write") {
    writeFileSync(String(input.file_path), String(input.content));
    return resultOf(id, `Written: ${String(input.file_path)}`, false);
  }
  if (name !== "Bash") return resultOf(id, `The stand-in has no tool ${name}`, true);
  const { stdout, stderr, status } = spawnSync("/bin/sh", ["-c", String(input.command)], {
    encoding: "utf8",
  });
  return resultOf(id, `${stdout}${stderr}`, status !== 0);
}

function resultOf(id: string, text: string, isError: boolean): Json {
  return { type: "tool_result", tool_use_id: id, content: text, is_error: isError };
}

/** Runs one prompt to its result. */
async function runTurn(text: string, uuid: string, signal: AbortSignal): Promise<void> {
  const init = {
    cwd: process.cwd(),
    tools,
    mcp_servers: [],
    model,
    permissionMode: mode,
    claude_code_version: VERSION,
  };
  write({ type: "system", subtype: "init", ...init });
  remember({ role: "user", content: text });
  for (;;) {
    const blocks = await askModel(signal);
    remember({ role: "assistant", content: blocks });
    const calls = blocks.filter((block) => block.type === "tool_use");
    if (calls.length === 0) {
      const said = blocks.map((block) => (block.type === "text" ? block.text : "")).join("");
      finish(uuid, { subtype: "success", is_error: false, result: said, terminal_reason: "completed" });
      return;
    }
    const results: Json[] = [];
    for (const call of calls) results.push(await useTool(call));
    signal.throwIfAborted();
    write({ type: "user", message: { role: "user", content: results }, parent_tool_use_id: null });
    remember({ role: "user", content: results });
  }
}

/** Ends the turn. The cost is left out: the host has metered it. */
function finish(uuid: string, facts: Json): void {
  write({
    type: "result",
    errors: [],
    num_turns: 1,
    user_message_uuids: [uuid],
    permission_denials: [],
    ...facts,
  });
}

function prompt(text: string, uuid: string): void {
  const turn = new AbortController();
  running = turn;
  runTurn(text, uuid, turn.signal)
    .catch((error: unknown) => {
      const isStopped = turn.signal.aborted;
      const result = error instanceof Error ? error.message : String(error);
      if (isStopped)
        finish(uuid, {
          subtype: "error_during_execution",
          is_error: true,
          terminal_reason: "aborted_streaming",
        });
      else finish(uuid, { subtype: "success", is_error: true, result, terminal_reason: "api_error" });
    })
    .finally(() => {
      running = null;
    });
}

/** Answers the host's control requests as the CLI does, as far as the host asks. */
function control(body: Json): Json {
  switch (body.subtype) {
    case "initialize": {
      const isKey = env.ANTHROPIC_API_KEY !== undefined;
      const account = isKey
        ? { tokenSource: "none", apiKeySource: "ANTHROPIC_API_KEY" }
        : { tokenSource: "CLAUDE_CODE_OAUTH_TOKEN", apiKeySource: "none" };
      return {
        account: { ...account, apiProvider: "firstParty" },
        claude_code_version: VERSION,
        current_permission_mode: mode,
        hooks_applied: true,
        hook_on_failure_supported: true,
        models: [{ value: "default", resolvedModel: model }],
      };
    }
    case "list_permission_rules": {
      const deny = settings.permissions?.deny ?? [];
      const rules = deny.map((rule) => ({ behavior: "deny", source: "flagSettings", rule }));
      return { state: { rules, workspaceDirectories: [] } };
    }
    case "mcp_status":
      return { mcpServers: [] };
    case "set_permission_mode":
      mode = String(body.mode);
      return { mode };
    case "interrupt":
      running?.abort();
      for (const [id, answer] of answers) {
        answers.delete(id);
        answer({ behavior: "deny", message: "interrupted" });
      }
      return { still_queued: [], cancelled: [] };
    default:
      return {};
  }
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const message: {
      type: string;
      request_id: string;
      request: Json;
      response: Json;
      uuid: string;
      message: Message;
    } = JSON.parse(line);
    if (message.type === "user") prompt(String(message.message.content), message.uuid);
    if (message.type === "control_request") {
      const response = {
        subtype: "success",
        request_id: message.request_id,
        response: control(message.request),
      };
      write({ type: "control_response", response });
    }
    if (message.type === "control_response") {
      const id = String(message.response.request_id);
      const answer = message.response.response;
      answers.get(id)?.(
        typeof answer === "object" && answer !== null ? { ...answer } : { message: "refused" },
      );
      answers.delete(id);
    }
  })
  .on("close", () => process.exit(0));
