import { afterEach, expect, test } from "vitest";
import { createQueueScript, fail, type QueueStep, reply } from "../../src/demo/messages-api/scripts.ts";
import { createHouse, type House } from "./house.ts";

const SESSION = "5f0e2c1a-7a51-4c3b-9d54-0d8b7a1c2e3f";

let house: House;
afterEach(() => house.dispose());

async function open(steps: readonly QueueStep[]): Promise<void> {
  house = await createHouse({ script: createQueueScript(steps) });
}

function messageRequests(): number {
  return house.api.requests.filter(
    ({ method, path }) => method === "POST" && path.startsWith("/v1/messages?"),
  ).length;
}

test("a bad key is told after its first refusal, not after minutes, and the next turn works", async () => {
  await open([fail(401, "authentication_error", "invalid x-api-key"), reply("better")]);
  const session = house.session();
  const { end } = await house.run(session, "go");
  expect(end.outcome).toMatchObject({ kind: "failed", code: "auth" });
  expect(messageRequests()).toBe(1);
  const next = await house.run({ ...session, isResume: end.isResumable }, "again");
  expect(next.end.outcome).toEqual({ kind: "completed", text: "better" });
});

test("each refusal of the API is told as what it is, on one process that stays usable", async () => {
  const refusals = [
    [403, "permission_error", "denied", "auth"],
    [404, "not_found_error", "model: nope", "model_not_found"],
    [400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API.", "billing"],
    [402, "billing_error", "Pay first.", "billing"],
    [413, "request_too_large", "too big", "image"],
    [400, "invalid_request_error", "prompt is too long: 300000 tokens > 200000 maximum", "too_long"],
  ] as const;
  let refusal: QueueStep = reply("");
  house = await createHouse({
    script: (request) => (typeof refusal === "function" ? refusal(request) : refusal),
  });
  const told = [];
  for (const [index, [status, type, message]] of refusals.entries()) {
    refusal = fail(status, type, message);
    const { end, events } = await house.run(
      house.session({ conversationKey: "1:0", sessionId: SESSION }),
      `${index}`,
    );
    told.push(end.outcome.kind === "failed" ? end.outcome.code : end.outcome);
    expect(end.model).toBeNull();
    expect(events.filter(({ kind }) => kind === "text")).toEqual([]); // the CLI's own words are no answer
    if (status === 402) expect(end.outcome).toMatchObject({ detail: "API Error: 402 Pay first." });
  }
  expect(told).toEqual(refusals.map(([, , , code]) => code));
  refusal = reply("well again");
  const { end } = await house.run(house.session({ conversationKey: "1:0", sessionId: SESSION }), "go");
  expect(end.outcome).toEqual({ kind: "completed", text: "well again" });
  expect(house.logged.filter(({ event }) => event === "claude.started")).toHaveLength(1);
});

test("a limit that is reached for hours is told at once", async () => {
  const limited = { ...fail(429, "rate_limit_error", "limit reached"), headers: { "retry-after": "3600" } };
  await open([limited]);
  const { end } = await house.run(house.session(), "go");
  expect(end.outcome).toMatchObject({ kind: "failed", code: "rate_limit" });
});

test("an overloaded API that recovers is no failure, and the wait is told", async () => {
  await open([fail(529, "overloaded_error"), reply("back again")]);
  const { end, events } = await house.run(house.session(), "go");
  expect(end.outcome).toEqual({ kind: "completed", text: "back again" });
  expect(events).toContainEqual(expect.objectContaining({ kind: "retrying", failure: "overloaded" }));
});

test("H51: an API that stays overloaded is a failure, though the CLI calls it success", async () => {
  const gone = { ...fail(529, "overloaded_error", "Overloaded"), headers: { "x-should-retry": "false" } };
  await open([gone]);
  const { end } = await house.run(house.session(), "go");
  expect(end.outcome).toMatchObject({
    code: "overloaded",
    detail: expect.stringContaining("529 Overloaded"),
  });
});

test("a cut stream is asked for again; the finished text is the truth", async () => {
  await open([{ kind: "cut", afterText: "half an ans" }, reply("the whole answer")]);
  const { end, events } = await house.run(house.session(), "go");
  expect(end.outcome).toEqual({ kind: "completed", text: "the whole answer" });
  expect(events.filter(({ kind }) => kind === "text")).toEqual([{ kind: "text", text: "the whole answer" }]);
});

test("a payer that refuses ends the turn as a spent budget, with the payer's words", async () => {
  await open([reply("never")]);
  const { end } = await house.run(house.session(), "go", {
    payer: {
      mayStart: () => ({ kind: "refuse", message: "Sallyport: this request has used up its $5.00." }),
      onUsage: () => undefined,
    },
  });
  expect(end.outcome).toMatchObject({
    code: "budget",
    detail: "Sallyport: this request has used up its $5.00.",
  });
  expect(messageRequests()).toBe(0);
});
