import { expect, test } from "vitest";
import { callTool, createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import type { BlocksReply, ModelReply } from "../../src/demo/messages-api/types.ts";
import type { TokenCounts } from "../../src/domain/usage.ts";
import { createStage, hasButton, type Stage } from "../support/daemon.ts";
import { chargesIn } from "../support/daemon-database.ts";
import { until } from "../support/until.ts";

/** Micro-USD per token of claude-opus-5-5, from Anthropic's list: input, cache writes of 5 min and 1 h, cache reads, output. */
const PRICE = { input: 4, write5m: 5, write1h: 8, read: 0.2, output: 20 };

const costly = (answer: BlocksReply, usage: Partial<TokenCounts>): ModelReply => ({ ...answer, usage });

/** The charge for a prompt, once it is settled: its answer may be seen as progress before that. */
async function chargeOf(stage: Stage, text: string) {
  const found = () => chargesIn(stage.home).filter((charge) => charge.text === text);
  await until(() => found().length > 0, `the charge for "${text}"`);
  expect(found()).toHaveLength(1);
  return found()[0];
}

test("H10: every turn is charged what the API served, through a restart, a stop and a kill, and none of it twice", async () => {
  const stage = await createStage({
    script: createQueueScript([
      costly(reply("A text."), { inputTokens: 1_000, outputTokens: 200 }),
      costly(callTool("Bash", { command: "ls" }), {
        inputTokens: 2_000,
        cacheWrite5mTokens: 4_000,
        outputTokens: 50,
      }),
      costly(reply("After a tool."), { inputTokens: 100, cacheReadTokens: 5_000, outputTokens: 30 }),
      costly(reply("Resumed."), { inputTokens: 500, cacheWrite1hTokens: 1_000, outputTokens: 10 }),
      { kind: "hang", afterText: "Stop me now", usage: { inputTokens: 3_000, outputTokens: 1 } },
      { kind: "hang", afterText: "Kill me now", usage: { inputTokens: 7_000, outputTokens: 1 } },
      costly(reply("Once more."), { inputTokens: 20_000, outputTokens: 1_000 }),
    ]),
  });
  let life = await stage.start();
  const answer = await stage.ask("text turn", "$0.0080");
  const textCost = 1_000 * PRICE.input + 200 * PRICE.output;
  expect(await chargeOf(stage, "text turn")).toMatchObject({
    costMicroUsd: textCost,
    meteredMicroUsd: textCost,
    source: "meter",
  });
  expect(answer.text).toContain("A text.");

  await stage.ask("tool turn", "After a tool.");
  const toolCost =
    2_000 * PRICE.input +
    4_000 * PRICE.write5m +
    50 * PRICE.output +
    100 * PRICE.input +
    5_000 * PRICE.read +
    30 * PRICE.output;
  expect(await chargeOf(stage, "tool turn")).toMatchObject({
    costMicroUsd: toolCost,
    meteredMicroUsd: toolCost,
  });

  expect(await life.kill("SIGTERM")).toEqual({ code: 0, signal: null });
  life = await stage.start();
  await stage.ask("resumed turn", "Resumed.");
  const resumedCost = 500 * PRICE.input + 1_000 * PRICE.write1h + 10 * PRICE.output;
  expect(await chargeOf(stage, "resumed turn")).toMatchObject({
    costMicroUsd: resumedCost,
    meteredMicroUsd: resumedCost,
  });

  stage.chat.send("stopped turn");
  const working = await stage.waitForProgress(({ text }) => text.includes("Stop me now"));
  stage.chat.press(working.messageId, "Stop");
  await stage.waitFor(({ text }) => text.includes("⏹ Stopped."));
  const stopped = await chargeOf(stage, "stopped turn");
  expect(stopped?.costMicroUsd).toBeGreaterThan(3_000 * PRICE.input);
  expect(stopped?.costMicroUsd).toBeLessThan(3_000 * PRICE.input + 50 * PRICE.output);

  stage.chat.send("killed turn");
  await stage.waitForProgress(({ text }) => text.includes("Kill me now"));
  await life.kill();
  await stage.start();
  const offer = await stage.waitFor(hasButton("Continue it"));
  const killed = await chargeOf(stage, "killed turn");
  expect(killed).toMatchObject({ source: "meter", costMicroUsd: killed?.meteredMicroUsd });
  expect(killed?.costMicroUsd).toBeGreaterThan(7_000 * PRICE.input);

  // The CLI that was killed could not save its session's sum: what it tells next does not begin where it ended.
  stage.chat.press(offer.messageId, "Drop");
  await stage.ask("turn after the kill", "Once more.");
  const lastCost = 20_000 * PRICE.input + 1_000 * PRICE.output;
  expect(await chargeOf(stage, "turn after the kill")).toMatchObject({
    costMicroUsd: lastCost,
    meteredMicroUsd: lastCost,
  });
  expect(stage.model.requests.filter(({ method }) => method === "POST")).toHaveLength(7);

  const total = chargesIn(stage.home).reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0);
  await stage.ask(
    "/status",
    `Spent: $${(total / 1_000_000).toFixed(4)} of $10.00, $${((10_000_000 - total) / 1_000_000).toFixed(2)} left (day)`,
  );
});
