import { expect, test } from "vitest";
import { callTool, createQueueScript, fail, reply } from "../../src/demo/messages-api/scripts.ts";
import type { ModelReply, ModelRequest } from "../../src/demo/messages-api/types.ts";
import { createStage, hasButton, type Stage, USER } from "../support/daemon.ts";
import { auditIn, chargesIn } from "../support/daemon-database.ts";

/** Tells the CLI not to ask again, as the API itself does where that is useless: a failure for good, without the wait. */
const FOR_GOOD = { "x-should-retry": "false" };

const refused = (status: number, type: string, message: string): ModelReply => ({
  kind: "error",
  status,
  type,
  message,
  headers: FOR_GOOD,
});

const posts = (stage: Stage) => stage.model.requests.filter(({ method }) => method === "POST").length;
const shown = (stage: Stage, text: string) => stage.botTexts().filter((one) => one.includes(text)).length;

test("every refusal of the API is told as what it is, at once, and the conversation goes on as if it had not been", async () => {
  const cases: readonly [reply: ModelReply, words: string][] = [
    [fail(401, "authentication_error", "invalid x-api-key"), "Claude does not accept the credentials."],
    [
      fail(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
      "The Claude account has no credit left.",
    ],
    [fail(404, "not_found_error", "model: claude-opus-5-5"), "The chosen model does not exist"],
    [refused(529, "overloaded_error", "Overloaded"), "Claude is overloaded just now."],
    [refused(500, "api_error", "Internal server error"), "Claude's servers failed to answer."],
    [
      refused(429, "rate_limit_error", "Number of requests has exceeded your limit"),
      "Claude's rate limit is reached.",
    ],
  ];
  const script = (request: ModelRequest): ModelReply => {
    const failing = cases[Number(/^try (\d)$/.exec(request.lastUserText)?.[1])];
    if (failing) return failing[0];
    return reply(
      `The word is swordfish. You asked ${JSON.stringify(request.messages).split("swordfish").length} times.`,
    );
  };
  const stage = await createStage({ script, env: { RATE_LIMIT_BURST: "50" } });
  await stage.start();
  await stage.ask("tell me a word", "You asked 1 times.");
  for (const [index, [, words]] of cases.entries()) {
    const before = posts(stage);
    const told = await stage.ask(`try ${index}`, words);
    expect(told.text).toMatch(/^⚠️ /);
    expect(hasButton("Run it again")(told)).toBe(true);
    // After a 404 the CLI asks once more, without a stream.
    expect(posts(stage) - before).toBe(words.includes("model") ? 2 : 1);
  }
  await stage.ask("and the word?", "You asked 2 times.");
  const failures = auditIn(stage.home, "turn.finished").map(({ failure }) => failure);
  expect(failures).toEqual([
    null,
    "auth",
    "billing",
    "model_not_found",
    "overloaded",
    "server",
    "rate_limit",
    null,
  ]);
});

test("an API that recovers is waited for, the wait is told, and a cut answer comes once and whole", async () => {
  const noted = Promise.withResolvers<void>();
  const busy = { ...fail(429, "rate_limit_error", "slow down"), headers: { "retry-after": "2" } };
  const answer = "The whole answer, from its first word to its last.";
  const stage = await createStage({
    script: createQueueScript([
      busy,
      async () => {
        await noted.promise;
        return reply("No longer limited.");
      },
      fail(529, "overloaded_error", "Overloaded"),
      reply("No longer overloaded."),
      { kind: "cut", afterText: answer.slice(0, 20) },
      reply(answer),
    ]),
  });
  await stage.start();
  const startedAt = performance.now();
  stage.chat.send("one");
  await stage.waitForProgress(({ text }) =>
    text.includes("Claude's rate limit is reached. Trying again (1 of 4)…"),
  );
  noted.resolve();
  await stage.waitFor(({ text }) => text.includes("No longer limited."));
  expect(performance.now() - startedAt).toBeGreaterThan(2_000);
  await stage.ask("two", "No longer overloaded.");
  const { text } = await stage.ask("three", answer);
  expect(text.startsWith(answer)).toBe(true);
  expect(text.split("The whole").length).toBe(2);
  expect(shown(stage, "The whole answer")).toBe(1);
  expect(posts(stage)).toBe(6);
});

test("[Run it again] runs a failed turn once more, with the same words and in the same session, and only once", async () => {
  const stage = await createStage({
    script: createQueueScript([
      refused(529, "overloaded_error", "Overloaded"),
      ({ lastUserText }) => reply(`Done at last: ${lastUserText}`),
    ]),
  });
  await stage.start();
  const failed = await stage.ask("the very prompt", "Claude is overloaded just now.");
  const data = failed.keyboard?.inline_keyboard[0]?.[0]?.callback_data ?? "";
  stage.chat.press(failed.messageId, "Run it again");
  await stage.waitFor(({ text }) => text.includes("Done at last: the very prompt"));
  const again = stage.chat.pressRaw(data, failed.messageId);
  expect((await again.answered()).text).toBe("This has been answered already.");
  const keyboardOf = () =>
    stage.api.messages(USER).find(({ messageId }) => messageId === failed.messageId)?.keyboard;
  await stage.api.waitFor(() => keyboardOf() === null, {
    what: "the keys are gone, once nothing else waits",
  });
  expect(posts(stage)).toBe(2);
});

test("a turn that has used up its request's budget ends before its next API request, which is never made", async () => {
  const stage = await createStage({
    script: createQueueScript([
      { ...callTool("Bash", { command: "ls" }), usage: { inputTokens: 1_000, outputTokens: 100 } },
      reply("never asked for"),
    ]),
    env: { CLAUDE_MAX_COST_PER_REQUEST: "0.005" },
  });
  await stage.start();
  const told = await stage.ask("work hard", "The budget of this request is used up.");
  expect(told.text).toContain("this request has used up its $0.0050.");
  expect(posts(stage)).toBe(1);
  expect(chargesIn(stage.home)).toMatchObject([{ costMicroUsd: 6_000, meteredMicroUsd: 6_000 }]);
});

test("H10: who has spent his budget is refused with the amounts, also after a restart, and nothing is sent to the API", async () => {
  const stage = await createStage({
    script: createQueueScript([
      { ...reply("Dear words."), usage: { inputTokens: 10_000, outputTokens: 500 } },
    ]),
    env: { CLAUDE_MAX_COST_PER_USER: "0.04", CLAUDE_COST_WINDOW: "total" },
  });
  const life = await stage.start();
  await stage.ask("spend it", "Dear words.");
  const words =
    "The budget is spent: $0.0500 of $0.0400, nothing is left. It does not return by itself; an owner may grant more (/grant).";
  await stage.ask("more", words);
  await stage.ask("/status", "Spent: $0.0500 of $0.0400, $0.00 left (total)");
  await life.kill();
  await stage.start();
  const { messageId } = stage.chat.send("and now?");
  await stage.waitFor(({ replyTo, text }) => replyTo === messageId && text === words);
  expect(posts(stage)).toBe(1);
  expect(auditIn(stage.home, "cost.refused")).toMatchObject([
    { stage: "gate", spentMicroUsd: 50_000, limitMicroUsd: 40_000 },
    { stage: "gate", spentMicroUsd: 50_000, limitMicroUsd: 40_000 },
  ]);
});
