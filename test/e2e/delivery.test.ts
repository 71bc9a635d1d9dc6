import { expect, test } from "vitest";
import { STATED_LIMITS } from "../../src/demo/bot-api/flood.ts";
import type { Call, Fault, ShownMessage } from "../../src/demo/bot-api/types.ts";
import { createQueueScript, fail, reply } from "../../src/demo/messages-api/scripts.ts";
import {
  createStage,
  hasButton,
  type LogLine,
  type Stage,
  says,
  showsProgress,
  USER,
} from "../support/daemon.ts";
import { queryDaemon } from "../support/daemon-database.ts";
import { until } from "../support/until.ts";
import { WAIT_MS } from "../support/wait-ms.ts";

/** `count` numbered sentences: what is lost, doubled or out of order shows. */
const sentences = (count: number): string =>
  Array.from(
    { length: count },
    (_, at) => `Sentence number ${at} says nothing of note.${at % 9 === 8 ? "\n\n" : " "}`,
  )
    .join("")
    .trim();

const words = (text: string): string => text.replaceAll(/\s+/g, " ").trim();

/** The messages of the bot after `messageId`, once the last of them holds `last`. */
async function answerAfter(stage: Stage, messageId: number, last: string): Promise<readonly ShownMessage[]> {
  await stage.waitFor((message) => message.messageId > messageId && message.text.includes(last));
  return stage.api.messages(USER).filter((message) => message.isFromBot && message.messageId > messageId);
}

/** Makes the next call that shows `text` by that method go wrong. The list it gives grows by each such call, faulty or not. */
function breakOnce(stage: Stage, wanted: { method: string; text: string }, fault: Fault): readonly Call[] {
  const calls: Call[] = [];
  stage.api.setIntercept((call) => {
    if (call.method !== wanted.method || !String(call.payload.text).includes(wanted.text)) return undefined;
    if (call.method === "editMessageText" && showsProgress(call.payload)) return undefined;
    calls.push(call);
    return calls.length === 1 ? fault : undefined;
  });
  return calls;
}

const appearances = (stage: Stage, text: string): readonly ShownMessage[] =>
  stage.api.messages(USER).filter((message) => message.isFromBot && message.text.includes(text));

test("an answer of any length arrives whole: in parts, code in its language, or as a file with the gist", async () => {
  const long = `${sentences(260)}\n\nThe very end of the long one.`;
  const code = Array.from({ length: 200 }, (_, at) => `  const value${at} = compute(${at});`).join("\n");
  const huge = `# Report\n\n${sentences(500)}`;
  const stage = await createStage({
    script: createQueueScript([
      reply(long, { chunkSize: 500 }),
      reply(`Look:\n\n\`\`\`ts\n${code}\n\`\`\`\n\nThat was the code.`, { chunkSize: 500 }),
      reply(huge, { chunkSize: 500 }),
    ]),
  });
  await stage.start();

  const first = stage.chat.send("a long one");
  const parts = await answerAfter(stage, first.messageId, "demo · claude-opus-5-5");
  expect(long.length).toBeGreaterThan(10_000);
  expect(parts.length).toBe(3);
  expect(words(parts.map(({ text }) => text).join(" "))).toMatch(
    new RegExp(`^${words(long)} demo · claude-opus-5-5 · \\d+ s · \\$[\\d.]+$`),
  );
  const sends = stage.api.log.filter(({ method }) => method === "sendMessage");
  expect(sends.map(({ payload }) => payload.disable_notification)).toEqual([true, true, true]);
  printTimes(stage, first.updateId, parts.at(-1));

  const second = stage.chat.send("a code block");
  const blocks = await answerAfter(stage, second.messageId, "That was the code.");
  const pieces = blocks.flatMap(({ text, entities }) =>
    entities
      .filter(({ type }) => type === "pre")
      .map(({ offset, length, language }) => ({ language, code: text.slice(offset, offset + length) })),
  );
  expect(pieces.length).toBeGreaterThan(1);
  expect(pieces.every(({ language }) => language === "ts")).toBe(true);
  expect(pieces.map((piece) => piece.code).join("\n")).toBe(code);

  const third = stage.chat.send("a huge one");
  const [gist, file, ...none] = await answerAfter(stage, third.messageId, "The whole answer.");
  expect(none).toEqual([]);
  expect(gist?.text).toMatch(/^Report\n\nSentence number 0 says nothing of note\.[\s\S]*\n…$/);
  expect(file?.document?.fileName).toBe("answer.md");
  expect(file?.document?.content.toString("utf8")).toBe(huge);
});

test("H65, H66: whatever goes wrong with a delivery, the answer comes; twice only where nobody can tell whether it did", async () => {
  const bold = (name: string) => reply(`The **${name}** answer.`);
  const script = createQueueScript([
    ...["limited", "dropped", "vanished", "unformatted"].map(bold),
    fail(402, "billing_error", "Pay first."),
    bold("placeholder"),
    reply(`${sentences(120)}\n\nThe end of it.`),
    reply("The last answer."),
  ]);
  let turns = 0;
  const placeholders = () =>
    stage.api.log.filter(({ payload, response }) => payload.text === "Working…" && response !== null);
  const stage = await createStage({
    // The chat is a busy one: a placeholder that has not been shown when its turn ends is not shown any more.
    script: async (request) => {
      turns += 1;
      await stage.api.waitFor(() => placeholders().length >= turns, {
        what: `the placeholder of turn ${turns}`,
      });
      return script(request);
    },
    env: { RATE_LIMIT_BURST: "50" },
  });
  await stage.start();
  const editOf = (name: string) => ({ method: "editMessageText", text: `The ${name} answer.` });

  const limited = breakOnce(stage, editOf("limited"), {
    kind: "error",
    code: 429,
    description: "Too Many Requests: retry after 2",
    retryAfterSeconds: 2,
  });
  await stage.ask("one", "The limited answer.");
  expect(limited).toHaveLength(2);
  expect((limited[1]?.at ?? 0) - (limited[0]?.at ?? 0)).toBeGreaterThanOrEqual(2_000);
  expect(appearances(stage, "The limited answer.")).toHaveLength(1);

  // Nobody can tell whether the edit arrived: it is made again, and "not modified" is as good as done.
  const dropped = breakOnce(stage, editOf("dropped"), { kind: "drop_after" });
  stage.chat.send("two");
  await stage.api.waitFor(() => dropped.length === 2, { what: "the edit, made again" });
  expect(appearances(stage, "The dropped answer.")).toHaveLength(1);

  breakOnce(stage, editOf("vanished"), {
    kind: "error",
    code: 400,
    description: "Bad Request: message to edit not found",
  });
  const { messageId } = stage.chat.send("three");
  const anew = await stage.waitFor(({ text }) => text.includes("The vanished answer."));
  expect(anew.messageId).toBeGreaterThan(messageId + 1);
  expect(appearances(stage, "The vanished answer.")).toHaveLength(1);

  breakOnce(stage, editOf("unformatted"), {
    kind: "error",
    code: 400,
    description:
      "Bad Request: entity beginning at UTF-16 offset 4 ends after the end of the text at UTF-16 offset 10",
  });
  const bare = await stage.ask("four", "The unformatted answer.");
  expect(bare.entities).toEqual([]);
  expect(appearances(stage, "The unformatted answer.")).toHaveLength(1);

  breakOnce(
    stage,
    { method: "editMessageText", text: "no credit left" },
    { kind: "error", code: 400, description: "Bad Request: inline keyboard button text must be non-empty" },
  );
  const keyless = await stage.ask("five", "no credit left");
  expect(keyless.keyboard).toBeNull();

  // A new message cannot be made sure of: rather twice than never.
  breakOnce(stage, { method: "sendMessage", text: "Working…" }, { kind: "drop_after" });
  await stage.ask("six", "The placeholder answer.");
  expect(appearances(stage, "The placeholder answer.")).toHaveLength(1);
  const parts = breakOnce(stage, { method: "sendMessage", text: "The end of it." }, { kind: "drop_after" });
  stage.chat.send("seven");
  await stage.api.waitFor(() => appearances(stage, "The end of it.").length === 2, {
    what: "the second part, once more",
  });
  expect(parts).toHaveLength(1); // the second time as an edit, which can come as often as it likes
  stage.api.setIntercept(undefined);
  await stage.ask("eight", "The last answer.");
});

test("H65: under Telegram's stated limits a streamed answer is shown as it grows, and nothing of it is ever refused", async () => {
  const text = sentences(40);
  const stage = await createStage({
    script: createQueueScript([reply(text, { chunkSize: 40, delayMs: 100 })]),
  });
  stage.api.setFlood(STATED_LIMITS);
  await stage.start();
  const shown = new Set<string>();
  stage.api.on("change", (change) => {
    if (change.kind === "message_edited") shown.add(change.message.text);
  });
  stage.chat.send("tell me slowly");
  await stage.waitFor(({ text }) => text.includes("demo · claude-opus-5-5"));
  expect(shown.size).toBeGreaterThanOrEqual(3);
  expect(stage.api.log.filter(({ response }) => response?.ok === false)).toEqual([]);
});

test("H66: a person who blocks the bot holds up nobody else; his answer is kept over a restart, and comes when he is back", async () => {
  const other = 1002;
  const held = Promise.withResolvers<void>();
  const stage = await createStage({
    script: async ({ lastUserText }) => {
      if (lastUserText === "for the other") await held.promise;
      return reply(`Answer to: ${lastUserText}.`);
    },
    env: { ALLOWED_USERS: `${USER},${other}` },
  });
  const life = await stage.start();
  const chat = stage.api.user({ id: other, firstName: "Grace" }).chat();
  chat.send("for the other");
  await stage.api.waitForMessage(other, hasButton("Stop"), { timeoutMs: WAIT_MS });
  chat.setBlocked(true);
  held.resolve();
  const told = (log: readonly LogLine[], event: string) => log.filter((line) => line.event === event);
  await until(() => told(life.log, "outbox.parked").length > 0, "the answer is refused");
  await stage.ask("for me", "Answer to: for me.");
  const refusals = () =>
    stage.api.log.filter(({ response }) => response?.ok === false && response.error_code === 403);
  expect(refusals()).toHaveLength(1);
  await life.kill("SIGTERM");

  const next = await stage.start();
  await stage.ask("for me again", "Answer to: for me again.");
  expect(refusals()).toHaveLength(1); // nothing was tried
  chat.setBlocked(false); // not a word: that he is back is enough
  const toOther = (answer: string) =>
    stage.api.waitForMessage(other, says(answer), {
      what: answer,
      timeoutMs: WAIT_MS,
    });
  await toOther("Answer to: for the other.");
  chat.send("I am back");
  await toOther("Answer to: I am back.");

  const left = () => queryDaemon(stage.home, "SELECT state FROM work WHERE state <> 'done'");
  await until(() => left().length === 0, "all works done");
  const log = [...life.log, ...next.log];
  expect(told(log, "outbox.parked")).toHaveLength(1);
  expect(told(log, "outbox.served")).toHaveLength(1);
  expect(told(log, "outbox.failed")).toEqual([]);
  expect(told(log, "outbox.fault")).toEqual([]);
});

/** Tells what the emulator's log says of a turn's speed. */
function printTimes(stage: Stage, updateId: number, last: ShownMessage | undefined): void {
  const sentAt = stage.api.injectedAt(updateId) ?? Number.NaN;
  const sign = stage.api.log.find(
    ({ method }) => method === "sendMessage" || method === "setMessageReaction",
  );
  const first = (sign?.at ?? Number.NaN) - sentAt;
  const final = (last?.editedAt ?? last?.sentAt ?? Number.NaN) - sentAt;
  process.stdout.write(`first sign ${first} ms, final ${final} ms\n`);
  const asked = stage.model.requests.find(({ method }) => method === "POST");
  expect(sign?.at).toBeLessThan(asked?.at ?? Number.NaN);
}
