import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { KNOWN_TOOLS } from "../../src/config/claude-tools.ts";
import { tempDir } from "../support/temp.ts";
import { createWorld } from "./support.ts";

const CLI = join(import.meta.dirname, "../../node_modules/.bin/claude");
const EXPECTED =
  "names of the CLI's tools separated by commas, such as Bash,Read, and WebSearch not among them";

/** What the CLI says it offers of those tools, without a word to any API. */
function offered(tools: readonly string[]): readonly string[] {
  const args = [
    "-p",
    "--output-format=stream-json",
    "--input-format=stream-json",
    "--verbose",
    "--permission-prompt-tool=stdio",
    "--setting-sources=",
    "--strict-mcp-config",
    `--tools=${tools.join(",")}`,
  ];
  const message = { type: "user", message: { role: "user", content: "hi" }, parent_tool_use_id: null };
  const { stdout } = spawnSync(CLI, args, {
    encoding: "utf8",
    input: `${JSON.stringify({ ...message, session_id: "" })}\n`,
    env: {
      PATH: process.env.PATH,
      HOME: tempDir("sp-"),
      ANTHROPIC_API_KEY: "none",
      ANTHROPIC_BASE_URL: "http://127.0.0.1:9",
      CLAUDE_CODE_MAX_RETRIES: "0",
    },
  });
  const lines: readonly { subtype?: string; tools?: string[] }[] = stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
  return lines.find(({ subtype }) => subtype === "init")?.tools ?? [];
}

test("the tools that are known are those that the CLI offers, and one that it has not it leaves out in silence", () => {
  const names = KNOWN_TOOLS.filter((name) => name !== "Agent"); // which the CLI lists as Task
  expect([...offered([...KNOWN_TOOLS, "Reed", "TodoWrites"])].sort()).toEqual([...names].sort());
});

test.each([
  ["Bash,Reed", " (did you mean Read for Reed?)"],
  ["Bash,READ,Edits", " (did you mean Read for READ, Edit for Edits?)"],
  ["AskUserQuestions", " (did you mean AskUserQuestion for AskUserQuestions?)"],
  ["Bash,Websearch", ""],
  ["Bash,Reed,Websearch", " (did you mean Read for Reed?)"],
])("a tool's name misspelt is refused: %s", (value, hint) => {
  expect(createWorld().faults({ CLAUDE_TOOLS: value }).slice(1)).toEqual([
    `  CLAUDE_TOOLS: expected ${EXPECTED}${hint}, got "${value}" from the environment`,
  ]);
});

test("a tool that only a later CLI can have is taken and warned of, a known one is not", () => {
  const world = createWorld();
  expect(world.load({ CLAUDE_TOOLS: KNOWN_TOOLS.join(",") }).warnings).toEqual([]);
  const { config, warnings } = world.load({ CLAUDE_TOOLS: "Bash,Hologram,LSP" });
  expect(config.claude.tools).toEqual(["Bash", "Hologram", "LSP"]);
  expect(warnings).toEqual([
    expect.stringContaining("CLAUDE_TOOLS names Hologram, LSP: no tool of the Claude CLI"),
  ]);
});
