import { readFile } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import type { ToolAnswer } from "../../src/domain/claude-event.ts";
import { until } from "../support/until.ts";
import { type Action, ask, createFarSide, init, result, type Scenario } from "./far-side.ts";
import { type House, type HouseOptions, processesWith } from "./house.ts";
import { type Line, part } from "./wire.ts";

const STALL_MS = 200;

let house: House;
afterEach(() => house.dispose());

async function runWith(prompt: readonly Action[], options: HouseOptions = {}, scenario: Scenario = {}) {
  house = await createFarSide({ ...scenario, prompts: [prompt] }, options);
  return house.run(house.session(), "go");
}

/** A call of our hook as the CLI makes it. */
const hooked = {
  subtype: "hook_callback",
  callback_id: "sallyport-pre-tool-use",
  input: {
    hook_event_name: "PreToolUse",
    tool_name: "Bash",
    tool_use_id: "toolu_1",
    tool_input: { command: "true" },
    cwd: "/work",
    permission_mode: "default",
  },
};

/** What the daemon answers to a call of its hook, in a turn that then ends well. */
async function hookDecisions(request: Readonly<Record<string, unknown>>): Promise<readonly unknown[]> {
  const decisions: unknown[] = [];
  const toCli = (line: Line) => {
    const response = part(line, "response");
    if (response.request_id === "q1")
      decisions.push(part(part(response, "response"), "hookSpecificOutput").permissionDecision);
    return line;
  };
  const called = { out: { type: "control_request", request_id: "q1", request } };
  const { end, asks } = await runWith([init, called], { wire: { toCli } }, { answer: [result()] });
  expect(end.outcome).toEqual({ kind: "completed", text: "done" });
  expect(asks).toEqual([]);
  return decisions;
}

test("a line that is no JSON ends the turn as a protocol failure and the process with it", async () => {
  const { end } = await runWith([init, { raw: "Segmentation fault\n" }, result()]);
  expect(end.outcome).toMatchObject({ kind: "failed", code: "protocol" });
  expect(end.outcome).toMatchObject({ detail: expect.not.stringContaining("Segmentation") });
  expect(house.runner.warm()).toBe(0);
});

test("a line over the cap ends the turn as a protocol failure, without being kept", async () => {
  const { end } = await runWith([init, { bytes: 33 * 1024 * 1024 }]);
  expect(end.outcome).toMatchObject({ code: "protocol", detail: expect.stringContaining("longer one") });
});

test("a line of 16 MB is read", async () => {
  const text = "x".repeat(16 * 1024 * 1024);
  const { end } = await runWith([init, result({ result: text })]);
  expect(end.outcome.kind === "completed" && end.outcome.text.length).toBe(text.length);
});

test.each([
  ["a result without is_error", { type: "result", subtype: "success", session_id: "s" }],
  ["a control request without an id", { type: "control_request", request: { subtype: "can_use_tool" } }],
  ["a control response without an id", { type: "control_response", response: { subtype: "success" } }],
  ["a message without a type", { hello: 1 }],
  ["an init without tools", { type: "system", subtype: "init", session_id: "$session" }],
])("%s is a protocol failure", async (_what, out) => {
  const { end } = await runWith([{ out }, result()]);
  expect(end.outcome).toMatchObject({ kind: "failed", code: "protocol" });
});

test("unknown types, unknown subtypes and known reports in an odd shape are ignored", async () => {
  const { end, events } = await runWith([
    init,
    { out: { type: "brand_new", payload: [] } },
    { out: { type: "system", subtype: "brand_new" } },
    { out: { type: "assistant", message: "not an object" } },
    { out: { type: "stream_event", event: { type: "content_block_delta", delta: { type: "text_delta" } } } },
    { out: { type: "user", message: { role: "user", content: "a string" } } },
    { out: { type: "system", subtype: "api_retry", attempt: "many" } },
    { out: { type: "control_response", response: { subtype: "success", request_id: "nobody's" } } },
    { out: { type: "control_cancel_request", request_id: "nobody's" } },
    result(),
  ]);
  expect(end.outcome).toEqual({ kind: "completed", text: "done" });
  expect(events.map(({ kind }) => kind)).toEqual(["started"]);
});

test("a process that ends without a result is a crash, told by how it ended", async () => {
  const { end } = await runWith([init, { exit: 7 }]);
  expect(end.outcome).toEqual({ kind: "failed", code: "crashed", detail: "exit code 7", resetsAt: null });
  expect(end.turnCostMicroUsd).toBeNull();
  expect(house.runner.warm()).toBe(0);
  expect(house.proxy.openLeases()).toBe(0);
});

test("a process that is killed from outside is a crash, and the next turn starts another", async () => {
  house = await createFarSide({ prompts: [[init, { kill: "SIGKILL" }]] });
  const session = house.session();
  expect((await house.run(session, "one")).end.outcome).toMatchObject({
    code: "crashed",
    detail: expect.stringMatching(/SIGKILL|137/),
  });
  expect((await house.run(session, "two")).end.outcome).toMatchObject({ code: "crashed" });
  expect(house.logged.filter(({ event }) => event === "claude.started")).toHaveLength(2);
});

test("H42: a prompt that was written is never written again when the process ends", async () => {
  house = await createFarSide({ prompts: [[{ exit: 1 }]] });
  const onPrompting = vi.fn();
  await house.run(house.session(), "one", { onPrompting });
  expect(onPrompting).toHaveBeenCalledTimes(1);
  expect(house.logged.filter(({ event }) => event === "claude.started")).toHaveLength(1);
});

test("a result that comes in the last breath of the process still counts", async () => {
  const { end } = await runWith([init, result({ result: "made it" }), { exit: 1 }]);
  expect(end.outcome).toEqual({ kind: "completed", text: "made it" });
});

test("H51: success that is an error, and success with a failed end, are failures", async () => {
  const { end } = await runWith([
    init,
    result({ is_error: true, result: "API Error: 500 x", api_error_status: 500 }),
  ]);
  expect(end.outcome).toEqual({ kind: "failed", code: "server", detail: "API Error: 500 x", resetsAt: null });
});

test("results that belong to other prompts, or to nobody's, do not end the turn", async () => {
  const { end } = await runWith([
    init,
    result({ result: "theirs", user_message_uuids: ["another"] }),
    result({ result: "unasked", user_message_uuids: undefined, origin: { kind: "task-notification" } }),
    result({ result: "ours" }),
  ]);
  expect(end.outcome).toEqual({ kind: "completed", text: "ours" });
});

test("a turn on another session, in a mode that does not ask, with a tool or a server that was not offered, is killed", async () => {
  for (const wrong of [
    { session_id: "00000000-0000-4000-8000-000000000000" },
    { tools: ["Task", "Bash", "WebFetch"] },
    { permissionMode: "bypassPermissions" },
    { mcp_servers: [{ name: "evil" }] },
  ]) {
    const { end } = await runWith([{ out: { ...init.out, ...wrong } }, result()]);
    expect(end.outcome).toMatchObject({ kind: "failed", code: "startup" });
    expect(house.runner.warm()).toBe(0);
    if (!("mcp_servers" in wrong)) await house.dispose();
  }
});

test("requests that are not served are answered with an error and the turn goes on", async () => {
  const asked = { type: "control_request", request_id: "q1", request: { subtype: "elicitation" } };
  const { end, asks } = await runWith(
    [init, { out: asked }],
    {},
    { answer: [result({ result: "went on" })] },
  );
  expect(end.outcome).toEqual({ kind: "completed", text: "went on" });
  expect(asks).toEqual([]);
});

test.each([
  ["of another callback", { callback_id: "theirs" }],
  ["without an input", { input: undefined }],
  ["of another event", { input: { ...hooked.input, hook_event_name: "PostToolUse" } }],
  ["whose tool has no name", { input: { ...hooked.input, tool_name: "" } }],
  ["whose tool's input is a text", { input: { ...hooked.input, tool_input: "rm -rf" } }],
  ["from a folder that is no path", { input: { ...hooked.input, cwd: "here" } }],
])("H02: a hook_callback %s is answered with a denial, and the turn goes on", async (_how, over) => {
  const decisions = await hookDecisions({ ...hooked, ...over });
  expect(decisions).toEqual(["deny"]);
});

test("a hook_callback that can be read is answered by the policy: the control", async () => {
  expect(await hookDecisions(hooked)).toEqual([undefined]);
});

test("a can_use_tool without an input is answered with an error, never allowed, and nobody is asked", async () => {
  const { end, asks } = await runWith([init, ask("q1", { input: "rm -rf" })], {}, { answer: [result()] });
  expect(end.outcome.kind).toBe("completed");
  expect(asks).toEqual([]);
});

test("a question that is withdrawn aborts the decision, and its late answer goes nowhere", async () => {
  const late = Promise.withResolvers<ToolAnswer>();
  const aborted = Promise.withResolvers<void>();
  house = await createFarSide({
    prompts: [[init, ask("q1"), { out: { type: "control_cancel_request", request_id: "q1" } }, ask("q2")]],
    answer: [result()],
  });
  const { end, asks } = await house.run(house.session(), "go", {
    decide: ({ toolUseId }, signal) => {
      if (toolUseId === "toolu_q2") return aborted.promise.then(() => ({ kind: "deny", message: "no" }));
      signal.addEventListener("abort", () => {
        late.resolve({ kind: "allow", input: {} });
        aborted.resolve();
      });
      return late.promise;
    },
  });
  expect(end.outcome.kind).toBe("completed");
  expect(asks.map(({ toolUseId }) => toolUseId)).toEqual(["toolu_q1", "toolu_q2"]);
});

test("the end of a turn aborts the questions that are still open", async () => {
  const signals: AbortSignal[] = [];
  house = await createFarSide({ prompts: [[init, ask("q1"), result()]] });
  await house.run(house.session(), "go", {
    decide: (_ask, signal) => {
      signals.push(signal);
      return new Promise(() => undefined);
    },
  });
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
});

test("silence beyond the limit kills the process and fails the turn as stalled", async () => {
  const { end } = await runWith([init], { settings: { stallMs: 300 } });
  expect(end.outcome).toMatchObject({ kind: "failed", code: "stalled" });
  expect(house.runner.warm()).toBe(0);
});

test("waiting for a person is no stall, whatever is said meanwhile; silence after the answer is", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }); // the watchdog's alone
  onTestFinished(() => void vi.useRealTimers());
  const event = { type: "content_block_delta", delta: { type: "text_delta", text: "noise" } };
  const answered = Promise.withResolvers<void>();
  const toCli = (line: Line) => {
    if (part(line, "response").request_id !== "q2") return line;
    answered.resolve();
    return null; // lost: of this answer the CLI says nothing
  };
  house = await createFarSide(
    { prompts: [[init, ask("q1"), ask("q2")]], answer: [{ out: { type: "stream_event", event } }] },
    { settings: { stallMs: STALL_MS }, wire: { toCli } },
  );
  const isOver = () => house.logged.some(({ event }) => event === "claude.turn");
  const pass = async (ms: number) => {
    vi.advanceTimersByTime(ms);
    await setImmediate(); // before this the watchdog has judged
  };
  const running = house.start(house.session(), "go", {
    decide: async ({ toolUseId }) => {
      if (toolUseId === "toolu_q2") {
        await running.event(({ kind }) => kind === "text_delta");
        await pass(10 * STALL_MS);
      }
      return { kind: "deny", message: "no" };
    },
  });
  await Promise.race([answered.promise, running.done]);
  await pass(STALL_MS);
  expect(isOver()).toBe(false);
  await pass(STALL_MS / 10);
  expect((await running.done).end.outcome).toMatchObject({ code: "stalled" });
});

test("a stop that the CLI does not obey kills it within the time of grace", async () => {
  house = await createFarSide({ prompts: [[init]], interrupt: [] }, { settings: { stopGraceMs: 200 } });
  const running = house.start(house.session(), "go");
  await running.event(({ kind }) => kind === "started");
  const stoppedAt = performance.now();
  running.stop();
  expect((await running.done).end.outcome).toEqual({ kind: "stopped" });
  expect(performance.now() - stoppedAt).toBeLessThan(20_000); // without a grace it would be stalled, after a minute
  expect(house.runner.warm()).toBe(0);
});

test("a prompt that was taken back before it began ends as stopped and keeps the process", async () => {
  const receipt = { still_queued: [], cancelled: ["$uuid"] };
  const response = { subtype: "success", request_id: "$request", response: receipt };
  house = await createFarSide(
    { prompts: [[]], interrupt: [{ out: { type: "control_response", response } }] },
    { settings: { stopGraceMs: 20_000 } },
  );
  const running = house.start(house.session(), "go");
  await until(running.isPrompted, "the prompt is written");
  running.stop();
  expect((await running.done).end.outcome).toEqual({ kind: "stopped" });
  expect(house.runner.warm()).toBe(1);
});

test("a stop aborts the open question at once and answers it with nothing", async () => {
  house = await createFarSide(
    { prompts: [[init, ask("q1")]], interrupt: [], answer: [{ exit: 9 }] },
    { settings: { stopGraceMs: 1500 } },
  );
  let stoppedAt = 0;
  const aborted = Promise.withResolvers<void>();
  const running = house.start(house.session(), "go", {
    decide: (_ask, signal) =>
      new Promise((_answer, reject) => {
        signal.addEventListener("abort", () => {
          aborted.resolve();
          reject(new Error("withdrawn"));
        });
        stoppedAt = performance.now();
        queueMicrotask(running.stop);
      }),
  });
  await aborted.promise;
  expect(performance.now() - stoppedAt).toBeLessThan(1000);
  expect((await running.done).end.outcome).toEqual({ kind: "stopped" });
});

test("a rejected decision is a denial", async () => {
  const { end, asks } = await (async () => {
    house = await createFarSide({ prompts: [[init, ask("q1")]], answer: [result()] });
    return house.run(house.session(), "go", { decide: () => Promise.reject(new Error("no store")) });
  })();
  expect(asks).toHaveLength(1);
  expect(end.outcome.kind).toBe("completed");
  expect(house.logged).toContainEqual(expect.objectContaining({ event: "claude.ask_failed", tool: "Bash" }));
});

test("listeners that throw do not end the turn", async () => {
  house = await createFarSide({ prompts: [[init, result()]] });
  const { end } = await house.run(house.session(), "go", {
    onEvent: () => {
      throw new Error("screen is gone");
    },
  });
  expect(end.outcome.kind).toBe("completed");
  expect(house.logged).toContainEqual(expect.objectContaining({ event: "claude.event_failed" }));
});

test("a start that cannot be recorded is not prompted", async () => {
  house = await createFarSide({ prompts: [[{ exit: 9 }]] });
  const { end } = await house.run(house.session(), "go", {
    onPrompting: () => {
      throw new Error("disk full");
    },
  });
  expect(end.outcome).toMatchObject({
    kind: "failed",
    code: "unknown",
    detail: expect.stringContaining("disk full"),
  });
  expect(house.runner.warm()).toBe(1);
});

test("between turns nobody pays", async () => {
  const paid: number[] = [];
  house = await createFarSide({ prompts: [[init, result()]] });
  await house.run(house.session(), "go", { onEvent: () => paid.push(house.proxy.paidLeases()) });
  expect(paid).toEqual([1]);
  expect([house.runner.warm(), house.proxy.openLeases(), house.proxy.paidLeases()]).toEqual([1, 1, 0]);
});

test("an idle process that begins to work unasked is killed", async () => {
  const wake = { out: { type: "system", subtype: "status", status: "requesting" } };
  house = await createFarSide({ prompts: [[init, result(), wake]] });
  const { end } = await house.run(house.session(), "go");
  expect(end.outcome.kind).toBe("completed");
  await until(() => house.runner.warm() === 0, "the process is gone");
  expect(house.logged).toContainEqual(expect.objectContaining({ event: "claude.idle_killed" }));
});

test("a warm process that no longer answers, or sits in another mode, is replaced before the prompt", async () => {
  for (const mode of [[], [{ exit: 1 }], [{ out: modeReply("plan") }]] satisfies Scenario["mode"][]) {
    house = await createFarSide({ prompts: [[init, result()]], mode }, { pingTimeoutMs: 1000 });
    const session = house.session();
    await house.run(session, "one");
    const { end } = await house.run(session, "two");
    expect(end.outcome.kind).toBe("completed");
    expect(house.logged.filter(({ event }) => event === "claude.started")).toHaveLength(2);
    if (mode.length === 0 || "exit" in (mode[0] ?? {})) await house.dispose();
  }
});

test("the turn's own cost is counted, in millionths, not the session's total", async () => {
  const { end } = await runWith([
    init,
    result({
      total_cost_usd: 1.5,
      model_usage_since_last_result: { a: { costUSD: 0.25 }, b: { costUSD: 0.000001 } },
    }),
  ]);
  expect(end).toMatchObject({ turnCostMicroUsd: 250_001 });
});

test("a reported limit gives the time when it ends, in milliseconds, if that is still to come", async () => {
  const at = Math.floor(Date.now() / 1000) + 600;
  const limit = (resetsAt: number) => ({
    out: { type: "rate_limit_event", rate_limit_info: { status: "rejected", resetsAt } },
  });
  const end429 = result({ is_error: true, api_error_status: 429, result: "You've hit your limit" });
  const first = await runWith([init, limit(at), end429]);
  expect(first.end.outcome).toMatchObject({ code: "rate_limit", resetsAt: at * 1000 });
  await house.dispose();
  const second = await runWith([init, limit(at - 1200), end429]);
  expect(second.end.outcome).toMatchObject({ code: "rate_limit", resetsAt: null });
});

test("closing the runner stops what runs, turns away what comes and leaves no process", async () => {
  house = await createFarSide({ prompts: [[init]] });
  const session = house.session();
  const running = house.start(session, "go");
  await running.event(({ kind }) => kind === "started");
  await house.runner.close();
  expect((await running.done).end.outcome).toEqual({ kind: "stopped" });
  expect((await house.run(session, "late")).end.outcome).toEqual({ kind: "stopped" });
  expect(await processesWith(session.sessionId)).toEqual([]);
});

test("a process that closes its output and lives on is ended as a protocol failure", async () => {
  const { end } = await runWith([init, { closeOutput: true }]);
  expect(end.outcome).toMatchObject({ kind: "failed", code: "protocol" });
  expect(house.runner.warm()).toBe(0);
});

function modeReply(mode: string) {
  const response = { subtype: "success", request_id: "$request", response: { mode } };
  return { type: "control_response", response };
}

test("the fixture of the far side imports node's own modules only", async () => {
  const source = await readFile(new URL("far-side.fixture.ts", import.meta.url), "utf8");
  for (const [, from] of source.matchAll(/from "([^"]+)"/g)) expect(from).toMatch(/^node:/);
});
