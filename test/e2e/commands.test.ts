import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import type { ShownMessage } from "../../src/demo/bot-api/types.ts";
import { createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import type { ModelReply, ModelRequest } from "../../src/demo/messages-api/types.ts";
import { createStage, hasButton, type Stage, USER } from "../support/daemon.ts";
import { auditIn } from "../support/daemon-database.ts";
import { until } from "../support/until.ts";

const COMMANDS = [
  "new",
  "stop",
  "status",
  "repo",
  "hosts",
  "expose",
  "audit",
  "grant",
  "lock",
  "login",
  "logout",
  "invite",
  "revoke",
  "users",
  "help",
  "start",
];

/** Tells which of the words stand anywhere in what the model was sent. */
const sees =
  (...words: readonly string[]) =>
  ({ messages }: ModelRequest): ModelReply =>
    reply(`I see ${words.filter((word) => JSON.stringify(messages).includes(word)).join(" ") || "nothing"}.`);

/** Says in which folder the CLI was told that it works. */
const whereAmI = ({ system, messages }: ModelRequest): ModelReply => {
  const found = /working directory:?\s*([^\s"\\]+)/i.exec(`${system}${JSON.stringify(messages)}`);
  return reply(`I work in ${found?.[1] ?? "?"}.`);
};

/** Sends a command and gives the answer to that very message. */
async function command(stage: Stage, text: string): Promise<ShownMessage> {
  const { messageId } = stage.chat.send(text);
  return stage.waitFor(({ replyTo }) => replyTo === messageId, `an answer to ${text}`);
}

const asked = ({ model }: Stage, word: string): boolean =>
  JSON.stringify(model.requests.map(({ body }) => body)).includes(word);
const labelsOf = (stage: Stage, messageId: number): readonly string[] =>
  stage.api
    .messages(USER)
    .find((message) => message.messageId === messageId)
    ?.keyboard?.inline_keyboard.flat()
    .map(({ text }) => text) ?? [];

test("/start and /help say what the bot does, the menu is registered, and /new begins a conversation that knows nothing of the old one", async () => {
  const stage = await createStage({
    script: createQueueScript([
      reply("The first answer."),
      sees("albatross", "first answer"),
      sees("albatross", "first answer", "capybara"),
      sees("albatross", "capybara", "dromedary"),
    ]),
  });
  await stage.start();
  const menu = stage.api.log.find(({ method }) => method === "setMyCommands");
  const registered = z.array(z.object({ command: z.string() })).parse(menu?.payload.commands);
  expect(registered.map(({ command }) => command)).toEqual(COMMANDS);
  expect(menu?.response).toMatchObject({ ok: true });
  const start = await command(stage, "/start");
  const help = await command(stage, "/help@sallyport_bot");
  expect(start.text).toContain("I run Claude Code for you");
  expect(help.text).toContain("Send a message and Claude works on it");
  for (const { text } of [start, help])
    for (const command of COMMANDS) expect(text).toContain(`/${command}: `);

  await stage.ask("albatross", "The first answer.");
  await stage.ask("go on", "I see albatross first answer.");
  expect((await command(stage, "/new")).text).toBe("The next message begins a new session.");
  await stage.ask("capybara", "I see capybara.");
  await stage.ask("dromedary", "I see capybara dromedary.");
  expect((await command(stage, "/new")).text).toBe("The next message begins a new session.");
});

test("/status tells the truth: idle, running, queued, and what it cost; /new leaves the running turn alone", async () => {
  const gate = Promise.withResolvers<ModelReply>();
  const stage = await createStage({
    script: createQueueScript([
      () => gate.promise,
      reply("And the second."),
      sees("elephant", "flamingo", "gazelle"),
    ]),
  });
  await stage.start();
  const idle = await command(stage, "/status");
  expect(idle.text).toBe(
    "Project: none chosen: /repo\nTurn: nothing runs\nQueue: empty\nSpent: $0.00 of $10.00, $10.00 left (day)\nMode: ask: what changes anything is asked",
  );
  stage.chat.send("elephant");
  await until(() => asked(stage, "elephant"), "the turn");
  stage.chat.send("flamingo");
  await stage.waitFor(({ text }) => text === "Queued: 1 ahead.");
  const busy = await command(stage, "/status");
  expect(busy.text).toMatch(
    /^Project: demo\nTurn: running for \d+ s\nQueue: 1 waiting\nSpent: \$0\.00 of \$10\.00, \$10\.00 left \(day\)\nMode: ask/,
  );
  expect((await command(stage, "/new")).text).toBe(
    "A new session begins with the next message in the queue.",
  );
  gate.resolve(reply("Done with the first."));
  await stage.waitFor(({ text }) => text.includes("Done with the first."));
  await stage.waitFor(({ text }) => text.includes("And the second."));
  const after = await command(stage, "/status");
  expect(after.text).toMatch(
    /^Project: demo\nTurn: nothing runs\nQueue: empty\nSpent: \$0\.0[1-9]\d* of \$10\.00, \$9\.9\d left \(day\)/,
  );
  await stage.ask("gazelle", "I see flamingo gazelle.");
});

test("H01: /repo lists, pages, chooses by button or by name, stays inside the approved directory, and keeps what was sent before the choice", async () => {
  const stage = await createStage({
    script: createQueueScript([whereAmI, whereAmI, whereAmI, sees("hippo", "ibis")]),
  });
  const names = ["alpha", "beta", "demo", ...Array.from({ length: 8 }, (_, index) => `p${index}`)];
  for (const name of [...names, ".hidden"]) mkdirSync(join(stage.approved, name), { recursive: true });
  writeFileSync(join(stage.approved, "a-file"), "");
  symlinkSync("/etc", join(stage.approved, "link"));
  await stage.start();

  const { messageId } = stage.chat.send("hippo");
  const choice = await stage.waitFor(hasButton("alpha"), "the projects");
  expect(choice.text).toBe("Which project? Your message is kept and runs there.");
  expect(choice.replyTo).toBe(messageId);
  expect(labelsOf(stage, choice.messageId)).toEqual([...names.slice(0, 8), "More ›"]);
  expect(stage.botTexts()).toContain("Kept until you have chosen a project.");
  for (const { callback_data: data } of choice.keyboard?.inline_keyboard.flat() ?? [])
    expect(data).toMatch(/^[\w-]{22}$/);

  stage.chat.press(choice.messageId, "More ›");
  const second = await stage.waitFor(hasButton("‹ Earlier"), "the second page");
  expect(labelsOf(stage, second.messageId)).toEqual([...names.slice(8), "‹ Earlier"]);
  expect(stage.model.requests.filter(({ method }) => method === "POST")).toEqual([]);
  stage.chat.press(second.messageId, "p7");
  await stage.waitFor(({ text }) => text === "Working in p7.");
  await stage.waitFor(({ text }) => text.includes(`I work in ${join(stage.approved, "p7")}.`));

  for (const bad of [
    "../..",
    "..",
    "/etc",
    "demo/../..",
    "..\\..",
    "/",
    "link",
    ".hidden",
    "a-file",
    "~",
    "$HOME",
    "p99",
    "link/x",
    "p7; id",
    "$(id)",
  ]) {
    expect((await command(stage, `/repo ${bad}`)).text, bad).toBe(
      "There is no project of that name. These are there:",
    );
  }
  const violations = auditIn(stage.home, "violation.path_traversal");
  expect(violations.map(({ path, userId }) => ({ path, userId }))).toEqual(
    ["../..", "..", "/etc", "demo/../..", "..\\..", "/"].map((path) => ({ path, userId: USER })),
  );
  expect(auditIn(stage.home, "violation.symlink_escape").map(({ path }) => path)).toEqual(["link", "link/x"]);
  expect(auditIn(stage.home, "violation.injection").map(({ path }) => path)).toEqual(["p7; id", "$(id)"]);
  await stage.ask("where now?", `I work in ${join(stage.approved, "p7")}.`);

  expect((await command(stage, "/repo beta")).text).toBe("Working in beta.");
  await stage.ask("ibis", `I work in ${join(stage.approved, "beta")}.`);
  const found = await command(stage, "/repo P7");
  expect(labelsOf(stage, found.messageId)).toEqual(["p7"]);
  stage.chat.press(found.messageId, "p7");
  const chosen = (): number => stage.botTexts().filter((text) => text === "Working in p7.").length;
  await stage.api.waitFor(() => chosen() === 2, { what: "the second choice of p7" });
  await stage.ask("back again", "I see hippo."); // the session of that project goes on
}, 120_000);

test("a project whose folder is gone is told in clear words, and the message is kept for another", async () => {
  const stage = await createStage({ script: createQueueScript([reply("Hello from demo."), whereAmI]) });
  await stage.start();
  await stage.ask("hello", "Hello from demo.");
  const late = await command(stage, "/repo");

  mkdirSync(join(stage.approved, "other"));
  renameSync(stage.project, join(stage.approved, "..", "moved"));
  symlinkSync("/etc", stage.project);
  stage.chat.press(late.messageId, "demo");
  await stage.waitFor(({ text }) => text === "That project is not there any more: send /repo to see them.");
  stage.chat.send("go on");
  const choice = await stage.waitFor(hasButton("other"), "the projects that are left");
  expect(choice.text).toBe(
    "The project of this conversation is not there any more. Which one instead? Your message is kept and runs there.",
  );
  expect(labelsOf(stage, choice.messageId)).toEqual(["other"]);
  stage.chat.press(choice.messageId, "other");
  await stage.waitFor(({ text }) => text.includes(`I work in ${join(stage.approved, "other")}.`));

  rmSync(stage.project);
  rmSync(join(stage.approved, "other"), { recursive: true });
  for (const text of ["anybody?", "/repo"])
    expect((await command(stage, text)).text).toMatch(/^There is no project yet: make a folder/);
});
