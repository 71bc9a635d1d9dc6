import { afterEach, expect, test } from "vitest";
import type { ClaudeTurn } from "../../src/claude/types.ts";
import {
  callTool,
  createQueueScript,
  fail,
  type QueueStep,
  reply,
} from "../../src/demo/messages-api/scripts.ts";
import type { ModelRequest } from "../../src/demo/messages-api/types.ts";
import { createHouse, type House, type HouseOptions } from "./house.ts";

let house: House;
afterEach(() => house.dispose());

async function open(steps: readonly QueueStep[], options: HouseOptions = {}): Promise<void> {
  house = await createHouse({ script: createQueueScript(steps), ...options });
}

const allow: ClaudeTurn["decide"] = async ({ input }) => ({ kind: "allow", input });
const sayResult = ({ toolResults }: ModelRequest) => reply(`got: ${toolResults[0]?.text}`);

/** Asks the API from within the jail, with the CLI's own token. */
function curl(model: string): QueueStep {
  const body = JSON.stringify({ model, max_tokens: 5000, messages: [{ role: "user", content: "hi" }] });
  return callTool("Bash", {
    command: `curl -sS --unix-socket "$ANTHROPIC_UNIX_SOCKET" -H "x-api-key: $ANTHROPIC_API_KEY" -H "content-type: application/json" -d '${body}' http://localhost/v1/messages`,
  });
}

const modelsAsked = () =>
  house.api.requests.flatMap(({ body }) =>
    typeof body === "object" && body !== null && "model" in body ? [body.model] : [],
  );

test("H30: a program in the jail does not get a model that nobody chose, and that it asked is told once", async () => {
  await open([curl("claude-fable-5-2"), curl("claude-fable-5-2"), sayResult]);
  const { end, events } = await house.run(house.session(), "go", { decide: allow });
  expect(end.outcome).toMatchObject({ kind: "completed", text: expect.stringContaining("nobody chose") });
  expect(events.filter(({ kind }) => kind === "model_refused")).toEqual([
    { kind: "model_refused", model: "claude-fable-5-2" },
  ]);
  expect(new Set(modelsAsked())).toEqual(new Set(["claude-opus-5-5"]));
});

test("a program in the jail may ask the chosen model, and the turn pays for it", async () => {
  await open([curl("claude-opus-5-5"), reply("from curl"), sayResult]);
  const { end } = await house.run(house.session(), "go", { decide: allow });
  expect(end.outcome).toMatchObject({ kind: "completed", text: expect.stringContaining("from curl") });
});

test("a subagent works on the model that its call named", async () => {
  await open(
    [
      callTool("Agent", {
        description: "look",
        prompt: "look around",
        subagent_type: "general-purpose",
        model: "sonnet",
      }),
      reply("the subagent's report"),
      sayResult,
    ],
    { settings: { tools: ["Bash", "Read", "Agent"] } },
  );
  const { end, events } = await house.run(house.session(), "go", { decide: allow });
  expect(end.outcome).toMatchObject({ kind: "completed", text: expect.stringContaining("report") });
  expect(modelsAsked()).toEqual(["claude-opus-5-5", "claude-sonnet-5-5", "claude-opus-5-5"]);
  expect(events.filter(({ kind }) => kind === "model_refused")).toEqual([]);
});

test.each(["allow", "deny"] as const)(
  "H30: a subagent on a dearer model than the chosen one is a person's to say, in mode jail too: %s",
  async (kind) => {
    await open(
      [
        callTool("Agent", {
          description: "look",
          prompt: "look around",
          subagent_type: "general-purpose",
          model: "opus",
        }),
        ...(kind === "allow" ? [reply("the subagent's report")] : []),
        sayResult,
      ],
      { settings: { model: "sonnet", permissionMode: "jail", tools: ["Bash", "Read", "Agent"] } },
    );
    const asked: string[] = [];
    const { end } = await house.run(house.session(), "go", {
      decide: async ({ toolName, input }) => {
        asked.push(toolName);
        return kind === "allow" ? { kind, input } : { kind, message: "Not on that one." };
      },
    });
    expect(end.outcome).toMatchObject({ kind: "completed" });
    expect(asked).toEqual(["Agent"]);
    expect(modelsAsked().includes("claude-opus-5-5")).toBe(kind === "allow");
  },
);

test("H30: the fallback answers only when it is set, and that it does is told", async () => {
  const overloaded = fail(529, "overloaded_error");
  await open([overloaded, overloaded, overloaded, reply("from the fallback")], {
    settings: { model: "claude-opus-5-5", fallbackModel: "sonnet" },
  });
  const { end, events } = await house.run(house.session(), "go");
  expect(end.outcome).toEqual({ kind: "completed", text: "from the fallback" });
  expect(modelsAsked().at(-1)).toBe("claude-sonnet-5-5");
  expect(events.filter(({ kind }) => kind === "fell_back")).toEqual([
    { kind: "fell_back", model: "claude-sonnet-5-5" },
  ]);
});
