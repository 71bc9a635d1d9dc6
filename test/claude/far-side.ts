import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createHouse, type House, type HouseOptions } from "./house.ts";

/** What the far side does: prints a message, raw text, that many bytes without a newline, writes to stderr, or ends. */
export type Action =
  | { readonly out: Readonly<Record<string, unknown>> }
  | { readonly raw: string }
  | { readonly bytes: number }
  | { readonly stderr: string }
  | { readonly exit: number }
  | { readonly kill: NodeJS.Signals }
  | { readonly closeOutput: true };

/**
 * What it does instead of behaving well, by what it is asked. `prompts[n]` answers the prompt n of a process. In messages
 * `$session`, `$uuid` (of the last prompt) and `$request` are filled in.
 */
export interface Scenario {
  readonly start?: readonly Action[];
  readonly initialize?: readonly Action[];
  readonly rules?: readonly Action[];
  readonly mcp?: readonly Action[];
  readonly mode?: readonly Action[];
  readonly prompts?: readonly (readonly Action[])[];
  readonly interrupt?: readonly Action[];
  /** When it gets an answer to a request of its own. */
  readonly answer?: readonly Action[];
  readonly account?: Readonly<Record<string, unknown>>;
  readonly version?: string;
  readonly permissionMode?: string;
  /** What it says of our hook, where that is not that it took it. */
  readonly hooks?: Readonly<Record<string, unknown>>;
}

/** A house whose CLI is the scripted far side. */
export async function createFarSide(scenario: Scenario, options: HouseOptions = {}): Promise<House> {
  const program = resolve(import.meta.dirname, "far-side.fixture.ts");
  const house = await createHouse({
    sandbox: "off",
    ...options,
    settings: { program, ...options.settings },
  });
  await setScenario(house, scenario);
  return house;
}

/** For processes that start from now on. */
export async function setScenario({ configDir }: House, scenario: Scenario): Promise<void> {
  await writeFile(join(configDir, "scenario.json"), JSON.stringify(scenario));
}

/** The beginning of a turn. */
export const init = {
  out: {
    type: "system",
    subtype: "init",
    session_id: "$session",
    model: "claude-test",
    tools: ["Task", "Bash"],
    mcp_servers: [],
    permissionMode: "default",
  },
};

/** A result of the running prompt. */
export function result(over: Readonly<Record<string, unknown>> = {}): Action {
  return {
    out: {
      type: "result",
      subtype: "success",
      is_error: false,
      result: "done",
      session_id: "$session",
      total_cost_usd: 0.001,
      terminal_reason: "completed",
      user_message_uuids: ["$uuid"],
      ...over,
    },
  };
}

/** A request of the far side for leave to run a tool. */
export function ask(requestId: string, over: Readonly<Record<string, unknown>> = {}): Action {
  const request = {
    subtype: "can_use_tool",
    tool_name: "Bash",
    tool_use_id: `toolu_${requestId}`,
    input: { command: "true" },
    ...over,
  };
  return { out: { type: "control_request", request_id: requestId, request } };
}
