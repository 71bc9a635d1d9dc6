import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { callTool, createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import { createStage, hasButton, type Stage, showsProgress } from "../support/daemon.ts";
import { auditIn, queryDaemon } from "../support/daemon-database.ts";
import { hang } from "../support/hang.ts";
import { processesWith } from "../support/processes.ts";
import { WAIT_MS } from "../support/wait-ms.ts";

/** How often the model was asked with that text last. */
const timesAsked = (stage: Stage, text: string) =>
  stage.model.requests.filter(
    ({ path, body }) => path.startsWith("/v1/messages") && JSON.stringify(body).includes(text),
  ).length;

test("H41, H43: killed while running, the turn is offered, never run again by itself, and [Continue it] resumes its session", async () => {
  const stage = await createStage({
    script: createQueueScript([
      reply("First answer."),
      hang,
      ({ messages }) => reply(`I remember ${JSON.stringify(messages).includes("First answer.")}`),
    ]),
  });
  const life = await stage.start();
  await stage.ask("the first prompt", "First answer.");
  stage.chat.send("the second prompt");
  await stage.waitForProgress(({ text }) => text.includes("Let me think"));
  await life.kill();

  await stage.start();
  const offer = await stage.waitFor(hasButton("Continue it"), "the offer");
  expect(timesAsked(stage, "the second prompt")).toBe(1);
  await stage.waitFor(({ text }) => text.includes("Cut off by a restart"));
  stage.chat.press(offer.messageId, "Continue it");
  await stage.waitFor(({ text }) => text.includes("I remember true"));
});

test("killed in a session's first turn, [Continue it] takes the session up, and the record says so", async () => {
  const stage = await createStage({
    script: createQueueScript([
      hang,
      ({ messages }) => reply(`I remember ${JSON.stringify(messages).includes("the first prompt")}`),
    ]),
  });
  const life = await stage.start();
  stage.chat.send("the first prompt");
  await stage.waitForProgress(({ text }) => text.includes("Let me think"));
  await life.kill();

  await stage.start();
  const offer = await stage.waitFor(hasButton("Continue it"), "the offer");
  stage.chat.press(offer.messageId, "Continue it");
  await stage.waitFor(({ text }) => text.includes("I remember true"));
  expect(auditIn(stage.home, "turn.started")).toMatchObject([{ isResumed: false }, { isResumed: true }]);
});

test("killed while running, [Run it again] runs the same prompt once more, and what was queued behind it waits until then", async () => {
  const stage = await createStage({
    script: createQueueScript([hang, reply("Second try."), reply("Then the next.")]),
  });
  const life = await stage.start();
  stage.chat.send("do it");
  await stage.waitForProgress(({ text }) => text.includes("Let me think"));
  stage.chat.send("and then this");
  await stage.waitFor(({ text }) => text.includes("Queued"));
  await life.kill();

  await stage.start();
  const offer = await stage.waitFor(hasButton("Run it again"), "the offer");
  expect(timesAsked(stage, "and then this")).toBe(0);
  stage.chat.press(offer.messageId, "Run it again");
  await stage.waitFor(({ text }) => text.includes("Second try."));
  await stage.waitFor(({ text }) => text.includes("Then the next."));
  expect(stage.model.requests.filter(({ method }) => method === "POST").length).toBe(3);
});

test("killed while a person was asked, nothing was done, the old buttons are dead, and the turn is offered", async () => {
  let target = "";
  const stage = await createStage({
    script: createQueueScript([() => callTool("Write", { file_path: target, content: "x" })]),
  });
  target = join(stage.project, "never.txt");
  const life = await stage.start();
  stage.chat.send("write it");
  const asked = await stage.waitFor(hasButton("Allow once"));
  await stage.waitForProgress(({ text }) => text.startsWith("· Write")); // after the question is surely sent
  const data = asked.keyboard?.inline_keyboard[0]?.[0]?.callback_data ?? "";
  await life.kill();

  await stage.start();
  await stage.waitFor(hasButton("Continue it"), "the offer");
  const { answered } = stage.chat.pressRaw(data, asked.messageId);
  expect((await answered()).text).toBe("This has been answered already.");
  expect(existsSync(target)).toBe(false);
  await stage.waitFor(
    ({ messageId, text }) => messageId === asked.messageId && text.includes("Nobody answered in time"),
  );
});

test("killed with messages queued, they run in their order after the restart", async () => {
  const stage = await createStage({
    script: createQueueScript([hang, reply("One more."), reply("Two more.")]),
  });
  const life = await stage.start();
  stage.chat.send("zero");
  await stage.waitForProgress(({ text }) => text.includes("Let me think"));
  stage.chat.send("one");
  stage.chat.send("two");
  await stage.waitFor(({ text }) => text.includes("Queued: 2 ahead."));
  await life.kill();

  await stage.start();
  const latest = await stage.waitFor(hasButton("Continue it"), "the offer");
  stage.chat.press(latest.messageId, "Drop");
  await stage.waitFor(({ text }) => text.includes("Two more."));
  const order = stage.botTexts().filter((text) => /(One|Two) more\./.test(text));
  expect(order.map((text) => text.slice(0, 3))).toEqual(["One", "Two"]);
});

test("killed while delivering, the answer arrives after the restart and the prompt does not run again", async () => {
  const stage = await createStage({ script: createQueueScript([reply("The precious answer.")]) });
  const life = await stage.start();
  let isDelivering = false;
  stage.api.setIntercept(({ method, payload }) => {
    if (!method.startsWith("edit") && method !== "sendMessage") return undefined;
    if (!String(payload.text).includes("precious") || showsProgress(payload)) return undefined;
    isDelivering = true;
    return { kind: "hang" };
  });
  stage.chat.send("answer me");
  await stage.api.waitFor(() => isDelivering, { what: "the delivery", timeoutMs: WAIT_MS });
  await life.kill();
  stage.api.setIntercept(undefined);

  await stage.start();
  await stage.waitFor(({ text }) => text.includes("The precious answer."));
  expect(stage.botTexts().filter((text) => text.includes("precious")).length).toBe(1);
  expect(stage.model.requests.filter(({ method }) => method === "POST").length).toBe(1);
});

test("killed before the update was confirmed, the message is handled once", async () => {
  const stage = await createStage({ script: createQueueScript([reply("Only once.")]) });
  const life = await stage.start();
  const killed = new Promise<void>((resolve) => {
    stage.api.on("call", ({ method, updateIds }) => {
      if (method === "getUpdates" && updateIds.length > 0) void life.kill().then(() => resolve());
    });
  });
  stage.chat.send("hello");
  await killed;
  await stage.start();
  await stage.waitFor(({ text }) => text.includes("Only once."));
  expect(stage.model.requests.filter(({ method }) => method === "POST").length).toBe(1);
});

test("a graceful end with a turn running is within its bound, leaves no child, and the turn is offered", async () => {
  const stage = await createStage({ script: createQueueScript([hang]) });
  const life = await stage.start();
  stage.chat.send("long work");
  await stage.waitForProgress(({ text }) => text.includes("Let me think"));
  // The session's id is on the CLI's command line; a path of the daemon's is on none.
  const [row] = queryDaemon(stage.home, "SELECT id FROM sessions");
  const { id: session } = row as { id: string };
  expect(processesWith(session).length).toBeGreaterThan(0);
  expect(await life.kill("SIGTERM")).toEqual({ code: 0, signal: null }); // past its bound it ends with 1
  await stage.waitFor(hasButton("Continue it"), "the offer, sent before the end");
  expect(processesWith(session)).toEqual([]);
});
