import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ShownMessage } from "../../src/demo/bot-api/types.ts";
import { callTool, createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import type { ModelReply } from "../../src/demo/messages-api/types.ts";
import { createStage, hasButton, type Stage, USER } from "../support/daemon.ts";
import { chargesIn } from "../support/daemon-database.ts";
import { processesWith } from "../support/processes.ts";
import { until } from "../support/until.ts";
import { SLACK } from "../support/wait-ms.ts";

/** A stop is over within two seconds, whatever was running (product.md, section 4); the rest is the machine's. */
const STOP_MS = 2_000 * SLACK;

const hang = (text: string): ModelReply => ({
  kind: "hang",
  afterText: text,
  usage: { inputTokens: 1_000, outputTokens: 1 },
});

/** Sends /stop and waits until the message that was being worked on says that it stopped; gives the time that took. */
async function stopByCommand(stage: Stage, working: ShownMessage): Promise<number> {
  const startedAt = performance.now();
  stage.chat.send("/stop");
  await stage.waitFor(
    ({ messageId, text }) => messageId === working.messageId && text.includes("⏹ Stopped."),
  );
  return performance.now() - startedAt;
}

const messageOf = (stage: Stage, messageId: number) =>
  stage.api.messages(USER).find((message) => message.messageId === messageId);

test("H10: /stop in the middle of an answer ends it at once; the next turn remembers, and what was used is charged", async () => {
  const stage = await createStage({
    script: createQueueScript([
      reply("The word is swordfish."),
      hang("I was about to say"),
      ({ messages }) => reply(`Remembered: ${JSON.stringify(messages).includes("swordfish")}.`),
    ]),
  });
  await stage.start();
  await stage.ask("tell me a word", "swordfish");
  stage.chat.send("now a long story");
  const working = await stage.waitForProgress(({ text }) => text.includes("I was about to say"));
  expect(await stopByCommand(stage, working)).toBeLessThan(STOP_MS);
  expect(messageOf(stage, working.messageId)?.keyboard).toBeNull();
  await stage.ask("what was the word?", "Remembered: true.");

  const [, stopped] = chargesIn(stage.home);
  expect(stopped?.text).toBe("now a long story");
  // The input alone costs 4,000: 1,000 tokens at 4 micro-USD.
  expect(stopped?.costMicroUsd).toBeGreaterThan(4_000);
  expect(stopped?.costMicroUsd).toBeGreaterThanOrEqual(stopped?.meteredMicroUsd ?? Infinity);
});

test("H50: /stop in the middle of Bash leaves nothing of it running, not even what left its session", async () => {
  const mark = `mark-${process.pid}-e2e-stop`;
  const sleeper = `perl -e 'sleep 600' ${mark}`;
  const stage = await createStage({
    script: createQueueScript([
      callTool("Bash", {
        command: `(setsid nohup ${sleeper} >/dev/null 2>&1 &) ; touch running; ${sleeper}`,
      }),
      reply("Here again."),
    ]),
  });
  await stage.start();
  stage.chat.send("run it");
  const asked = await stage.waitFor(hasButton("Allow once"));
  stage.chat.press(asked.messageId, "Allow once");
  await until(() => existsSync(join(stage.project, "running")), "the command runs");
  await until(() => processesWith(mark).length > 1, "the command and what it left its session for");
  const working = await stage.waitForProgress();
  expect(await stopByCommand(stage, working)).toBeLessThan(STOP_MS);
  expect(processesWith(mark)).toEqual([]);
  await stage.ask("still there?", "Here again.");
  expect(chargesIn(stage.home)[0]?.costMicroUsd).toBeGreaterThan(0); // of the turn that was stopped
});

test("/stop says when nothing runs, and while a person is asked it withdraws the buttons", async () => {
  const stage = await createStage({
    script: createQueueScript([
      () => callTool("Write", { file_path: join(stage.project, "never.txt"), content: "never" }),
      reply("Next one."),
    ]),
  });
  await stage.start();
  await stage.ask("/stop", "Nothing is running here.");
  stage.chat.send("write it");
  const asked = await stage.waitFor(hasButton("Allow once"));
  const data = asked.keyboard?.inline_keyboard[0]?.[0]?.callback_data ?? "";
  const working = await stage.waitForProgress();
  expect(await stopByCommand(stage, working)).toBeLessThan(STOP_MS);
  const withdrawn = await stage.waitFor(
    ({ messageId, text }) =>
      messageId === asked.messageId && text.includes("The turn ended before anybody answered."),
  );
  expect(withdrawn.keyboard).toBeNull();
  expect((await stage.chat.pressRaw(data, asked.messageId).answered()).text).toBe(
    "This has been answered already.",
  );
  await stage.ask("and now?", "Next one.");
  expect(existsSync(join(stage.project, "never.txt"))).toBe(false);
});

test("a queue goes on after a stop: by /stop, [Stop] and [Run now instead]; what was dropped never runs", async () => {
  const silence = Promise.withResolvers<ModelReply>();
  const script = createQueueScript([
    hang("first story"),
    () => silence.promise,
    hang("third story"),
    reply("fourth and last"),
  ]);
  const stage = await createStage({ script, env: { RATE_LIMIT_BURST: "50" } });
  await stage.start();
  stage.chat.send("one");
  const first = await stage.waitForProgress(({ text }) => text.includes("first story"));
  const queued: ShownMessage[] = [];
  for (const [index, text] of ["two", "dropped", "three", "four"].entries()) {
    stage.chat.send(text);
    queued.push(await stage.waitFor((message) => message.text === `Queued: ${index + 1} ahead.`));
  }
  const [two, dropped, , four] = queued.map(({ messageId }) => messageId);
  stage.chat.press(dropped ?? 0, "Drop");
  await stage.waitFor(({ messageId, text }) => messageId === dropped && text === "Dropped: it will not run.");

  stage.chat.send("/stop");
  await stage.waitFor(({ text }) => text === "Stopping… 3 more in the queue will run after it.");
  await stage.waitFor(({ messageId, text }) => messageId === first.messageId && text.includes("⏹ Stopped."));

  // A message that waited says in its own place that it works, with [Stop], before the model says a word.
  const second = await stage.waitForProgress(
    ({ messageId, text }) => messageId === two && text === "Working…",
  );
  expect((await stage.chat.press(second.messageId, "Stop").answered()).text).toBe("Stopping…");
  await stage.waitFor(({ messageId, text }) => messageId === two && text.includes("⏹ Stopped."));

  const third = await stage.waitForProgress(({ text }) => text.includes("third story"));
  stage.chat.press(four ?? 0, "Run now instead");
  await stage.waitFor(({ messageId, text }) => messageId === third.messageId && text.includes("⏹ Stopped."));
  const last = await stage.waitFor(({ text }) => text.includes("fourth and last"));
  expect(last.messageId).toBe(four);
  silence.resolve(reply("too late"));
  expect(script.left()).toBe(0);
  await until(() => chargesIn(stage.home).length === 4, "the charge for the last one");
  expect(chargesIn(stage.home).map(({ text }) => text)).toEqual(["one", "two", "three", "four"]);
  expect(chargesIn(stage.home).every(({ costMicroUsd }) => costMicroUsd > 0)).toBe(true);
});

test("/stop right behind a message stops that message, also when both waited for the daemon to come up", async () => {
  const stage = await createStage({ script: createQueueScript([reply("It ran.")]) });
  stage.chat.send("something rash");
  stage.chat.send("/stop");
  await stage.start();
  await stage.waitFor(({ text }) => text.includes("⏹ Stopped."));
  expect(stage.botTexts()).toHaveLength(1);
  await stage.ask("something wise", "It ran.");
});
