import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { Judge } from "../../src/claude/judge.ts";
import type { ClaudeTurn } from "../../src/claude/types.ts";
import { callTool, createQueueScript, type QueueStep, reply } from "../../src/demo/messages-api/scripts.ts";
import type { ModelRequest } from "../../src/demo/messages-api/types.ts";
import type { PolicyVerdict, ToolAsk } from "../../src/domain/claude-event.ts";
import { createHouse, type House, type HouseOptions } from "./house.ts";

let house: House;
afterEach(() => house.dispose());

async function open(steps: readonly QueueStep[], options: HouseOptions = {}): Promise<void> {
  house = await createHouse({ script: createQueueScript(steps), ...options });
}

const sayResults = ({ toolResults }: ModelRequest) =>
  reply(`got: ${toolResults.map(({ text }) => text).join(" | ")}`);
const allow: ClaudeTurn["decide"] = async ({ input }) => ({ kind: "allow", input });
const noOpinion: Judge = () => ({ kind: "leave" });
const JAIL = { settings: { permissionMode: "jail" } } as const;
const ASK = { settings: { permissionMode: "ask" } } as const;

/** Runs a turn and gives what the policy put on record. */
async function run(over: Partial<ClaudeTurn> = {}) {
  const recorded: (readonly [ToolAsk, PolicyVerdict])[] = [];
  const ran = await house.run(house.session(), "go", {
    onPolicy: (call, verdict) => void recorded.push([call, verdict]),
    ...over,
  });
  return { ...ran, recorded: recorded.map(([{ toolName }, { kind }]) => `${toolName} ${kind}`) };
}

test("in mode jail edits and commands run unasked, with exactly the input that was judged, and are put on record", async () => {
  await open(
    [
      callTool("Write", { file_path: "made.txt", content: "made" }),
      callTool("Bash", { command: "cat made.txt; touch bashed" }),
      callTool("Bash", { command: "ls" }),
      sayResults,
    ],
    JAIL,
  );
  const { end, asks, recorded } = await run();
  expect(end.outcome).toMatchObject({ kind: "completed" });
  expect(asks).toEqual([]);
  expect(recorded).toEqual(["Write allowed", "Bash allowed", "Bash allowed"]);
  expect(await readFile(join(house.project, "made.txt"), "utf8")).toBe("made");
  expect(existsSync(join(house.project, "bashed"))).toBe(true);
});

test("H02: the hook sees every call: those that the CLI allows by itself, and a subagent's", async () => {
  const seen: string[] = [];
  const watch: Judge = ({ toolName, isSubagent }) => {
    seen.push(`${toolName}${isSubagent ? " by a subagent" : ""}`);
    return { kind: "leave" };
  };
  await open(
    [
      callTool("Bash", { command: "ls" }),
      callTool("Agent", { description: "look", prompt: "look", subagent_type: "general-purpose" }),
      callTool("Bash", { command: "pwd" }),
      reply("report"),
      sayResults,
    ],
    { policy: { atHook: watch } },
  );
  await run({ decide: allow });
  expect(seen).toEqual(["Bash", "Agent", "Bash by a subagent"]);
});

test("what the CLI ends before the hook sees it is told: a tool that is not offered, an input that it does not take; and nothing else", async () => {
  await open(
    [
      callTool("WebFetch", { url: "https://example.com", prompt: "x" }),
      callTool("Nonexistent", { a: 1 }),
      callTool("Bash", { run_in_background: "perhaps" }),
      callTool("Bash", { command: "false" }),
      callTool("Read", { file_path: "/nowhere" }),
      callTool("Bash", { command: "true" }),
      sayResults,
    ],
    JAIL,
  );
  const { events, recorded } = await run();
  const refused = events.filter((event) => event.kind === "tool_refused");
  expect(refused.map(({ name, input }) => [name, input])).toEqual([
    ["WebFetch", { url: "https://example.com", prompt: "x" }],
    ["Nonexistent", { a: 1 }],
    ["Bash", { run_in_background: "perhaps" }],
  ]);
  expect(recorded).toEqual(["Bash allowed", "Read allowed", "Bash allowed"]);
});

test("the hook alone denies what the CLI, its rules and a person would let pass", async () => {
  await open([callTool("Read", { file_path: ".env" }), callTool("Bash", { command: "ls" }), sayResults], {
    sandbox: "off",
    policy: {
      rules: [],
      atAsk: noOpinion,
      atHook: (call) =>
        call.toolName === "Bash" ? { kind: "deny", cause: "network" } : { kind: "deny", cause: "secret" },
    },
  });
  await writeFile(join(house.project, ".env"), "CANARY");
  const { recorded } = await run({ decide: allow });
  expect(recorded).toEqual(["Read denied", "Bash denied"]);
  expect(JSON.stringify(house.api.requests.map(({ body }) => body))).not.toContain("CANARY");
});

test("the rules alone deny what the hook and a person would let pass", async () => {
  await open(
    [callTool("Read", { file_path: ".env" }), callTool("Bash", { command: "cat .env" }), sayResults],
    {
      sandbox: "off",
      policy: { atAsk: noOpinion, atHook: noOpinion },
    },
  );
  await writeFile(join(house.project, ".env"), "CANARY");
  const { end } = await run({ decide: allow });
  expect(end.outcome.kind).toBe("completed");
  expect(JSON.stringify(house.api.requests.map(({ body }) => body))).not.toContain("CANARY");
});

test("with rules and hook out of the way the same is read: the control", async () => {
  await open([callTool("Read", { file_path: ".env" }), sayResults], {
    sandbox: "off",
    policy: { rules: [], atAsk: noOpinion, atHook: noOpinion },
  });
  await writeFile(join(house.project, ".env"), "CANARY");
  await run({ decide: allow });
  expect(JSON.stringify(house.api.requests.map(({ body }) => body))).toContain("CANARY");
});

test("a person alone denies what the rules and the hook would let pass", async () => {
  await open([callTool("Write", { file_path: "made.txt", content: "x" }), sayResults], {
    policy: { rules: [], atAsk: noOpinion, atHook: noOpinion },
  });
  const { asks } = await run();
  expect(asks.map(({ toolName }) => toolName)).toEqual(["Write"]);
  expect(existsSync(join(house.project, "made.txt"))).toBe(false);
});

test("a call that cannot be put on record is not done", async () => {
  await open([callTool("Bash", { command: "touch made.txt" }), sayResults], JAIL);
  await run({
    onPolicy: () => {
      throw new Error("the disk is full");
    },
  });
  expect(existsSync(join(house.project, "made.txt"))).toBe(false);
  expect(house.logged.some(({ event }) => event === "claude.gate_failed")).toBe(true);
});

/** Calls that the CLI allows by itself in mode ask. */
const LEFT = [callTool("Read", { file_path: "notes.txt" }), callTool("Bash", { command: "cat notes.txt" })];

test("a call that is left to the CLI is put on record before the CLI lets it run", async () => {
  await open([...LEFT, sayResults], ASK);
  await writeFile(join(house.project, "notes.txt"), "CANARY\n");
  const { asks, recorded } = await run();
  expect(asks).toEqual([]);
  expect(recorded).toEqual(["Read left", "Bash left"]);
  expect(JSON.stringify(house.api.requests.map(({ body }) => body))).toContain("CANARY");
});

test("a call that is left to the CLI and cannot be put on record is not done", async () => {
  await open([...LEFT, sayResults], ASK);
  await writeFile(join(house.project, "notes.txt"), "CANARY\n");
  await run({
    onPolicy: () => {
      throw new Error("the disk is full");
    },
  });
  expect(JSON.stringify(house.api.requests.map(({ body }) => body))).not.toContain("CANARY");
});

test("questions go to the person in mode jail too", async () => {
  const questions = [
    {
      question: "Which?",
      header: "Q",
      multiSelect: false,
      options: [
        { label: "A", description: "" },
        { label: "B", description: "" },
      ],
    },
  ];
  await open([callTool("AskUserQuestion", { questions }), sayResults], JAIL);
  const { asks } = await run({
    decide: async ({ input }) => ({ kind: "allow", input: { ...input, answers: { "Which?": "B" } } }),
  });
  expect(asks.map(({ toolName }) => toolName)).toEqual(["AskUserQuestion"]);
});
