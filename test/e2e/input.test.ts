import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import type { ModelReply, ModelRequest } from "../../src/demo/messages-api/types.ts";
import { createStage, hasButton, type Life, type Stage, USER } from "../support/daemon.ts";
import { auditIn, queryDaemon } from "../support/daemon-database.ts";
import { until } from "../support/until.ts";
import { WAIT_MS } from "../support/wait-ms.ts";

/** Says back what the person wrote, so that the screen shows what reached the model. */
const echo = ({ lastUserText }: ModelRequest): ModelReply => reply(`I got <${lastUserText}>.`);
const MANY = { RATE_LIMIT_BURST: "100", RATE_LIMIT_REQUESTS: "100" };

/** The texts that the model was sent last in each request that offers tools. */
function promptsOf({ model }: Stage): string {
  return JSON.stringify(model.requests.map(({ body }) => body));
}

/** The bot's answer to that very message. */
const answerTo = (stage: Stage, messageId: number) =>
  stage.waitFor(({ replyTo }) => replyTo === messageId, `an answer to message ${messageId}`);

/** Fails unless the daemon lives, has met no fault, and answers an ordinary message. */
async function expectAlive(stage: Stage, life: Life): Promise<void> {
  await stage.ask("are you well?", "I got <are you well?>");
  expect(
    life.log.filter(({ event }) => ["update.fault", "inbox.buried", "update.lost"].includes(String(event))),
  ).toEqual([]);
  expect(life.log.filter(({ level }) => level === "fatal" || level === "error")).toEqual([]);
  expect(queryDaemon(stage.home, "SELECT * FROM inbox WHERE state <> 'done' OR body <> ''")).toEqual([]);
}

test("bad texts are each answered in one line or cleaned, none reaches the model unseen, and the daemon goes on", async () => {
  const stage = await createStage({
    script: createQueueScript(Array.from({ length: 20 }, () => echo)),
    env: MANY,
  });
  const life = await stage.start();
  const { chat } = stage;

  for (const text of ["", " \n\t ", "\u200B\u2060\uFEFF", "\u0000\u0001", "\u2800"]) {
    const { messageId } = chat.sendRaw({ text });
    expect((await answerTo(stage, messageId)).text).toBe("There was no text in that message.");
  }
  const tooLong = "That message is too long (1048576 of at most 16000). Nothing was run.";
  for (const text of ["x".repeat(1_048_576), "\uD800".repeat(1_048_576), "\u200B".repeat(1_048_576)])
    expect((await answerTo(stage, chat.send(text).messageId)).text).toBe(tooLong);
  expect((await answerTo(stage, chat.send("y".repeat(16_001)).messageId)).text).toContain(
    "(16001 of at most 16000)",
  );

  const hidden = "de\u202Elete\u2066 the\u200B\u200B lo\u{E0061}gs\u0007 \uD83D!";
  chat.send(hidden);
  await stage.waitFor(({ text }) => text.includes("I got <delete the logs !>"));
  const removed =
    "Removed from your text: 1 control, 2 text-direction, 1 invisible tag, 2 zero-width, 1 broken characters.";
  await stage.waitFor(({ text }) => text === removed);
  await stage.ask("one line\u2028two 👩‍👩‍👧 e\u0301 ÄÖ", "I got <one line\ntwo 👩‍👩‍👧 e\u0301 ÄÖ>");
  const longest = "z".repeat(16_000);
  chat.send(longest);
  await stage.waitFor(({ text }) => text.includes("I got <zzz"));
  expect(promptsOf(stage)).toContain(longest);

  expect(promptsOf(stage)).not.toMatch(/\\u202e|\\ud83d!|x{50}|y{50}/i);
  expect(stage.botTexts().filter((text) => text.startsWith("Removed from your text")).length).toBe(1);
  await expectAlive(stage, life);
});

test("what looks like a command or a file mention of the CLI reaches the model as plain text", async () => {
  const stage = await createStage({
    script: createQueueScript(Array.from({ length: 6 }, () => echo)),
    env: MANY,
  });
  const life = await stage.start();
  await stage.ask("/clear", "I got < /clear>"); // the space keeps it from being the CLI's own command
  await stage.ask("/model opus\nand more", "I got < /model opus\nand more>");
  await stage.ask("look at @/etc/passwd and @README.md", "I got <look at @/etc/passwd and @README.md>");
  await stage.ask("! `rm -rf /` $(id) && echo '<b>' # not & a [link](http://x)", "I got <! ");
  await stage.ask("#remember this", "I got <#remember this>");
  const sent = promptsOf(stage);
  for (const text of ["/clear", "/model opus\\nand more", "@/etc/passwd and @README.md", "`rm -rf /` $(id)"])
    expect(sent).toContain(text);
  expect(sent).not.toContain("root:x:0");
  expect(sent).not.toContain("# A sample"); // the file that @README.md names
  await expectAlive(stage, life);
});

test("what is no text gets one friendly line, what is no message gets silence, forged presses are answered and put on record", async () => {
  const stage = await createStage({ script: createQueueScript([echo, echo]), env: MANY });
  const life = await stage.start();
  const { api, chat, person } = stage;
  const contents: Readonly<Record<string, object>> = {
    sticker: { file_id: "s", emoji: "👍" },
    poll: { id: "1", question: "Which?", options: [] },
    dice: { emoji: "🎲", value: 4 },
    document: { file_name: "without an id.pdf" },
    voice: { file_id: "v", duration: 1 },
    video: { file_id: "v", duration: 1 },
    location: { latitude: 1, longitude: 2 },
    contact: { phone_number: "1", first_name: "Bob" },
  };
  for (const [what, value] of Object.entries(contents)) {
    const { messageId } = chat.sendRaw({ [what]: value, caption: "what is this?" });
    expect((await answerTo(stage, messageId)).text).toBe(
      `I can only read text, photos and files so far, so I left the ${what} aside.`,
    );
  }
  const service = chat.sendRaw({ pinned_message: { message_id: 1 } });
  expect((await answerTo(stage, service.messageId)).text).toContain("I left the service message aside");

  const texts = stage.botTexts().length;
  for (const data of ["", "garbage", "approve:1", "A".repeat(22), "/repo ../..", "\uD800", "x".repeat(64)])
    expect(await chat.pressRaw(data).answered(), data).toMatchObject({
      text: "This button is not one of mine.",
    });
  const { user } = person;
  const home = { id: USER, type: "private", first_name: "Ada" };
  const channel = { id: -100500, type: "channel", title: "News" };
  const inChannel = { message_id: 9, date: 1, chat: channel, sender_chat: channel, text: "/stop" };
  const odd = [
    { channel_post: inChannel },
    { edited_channel_post: { ...inChannel, edit_date: 2 } },
    { inline_query: { id: "1", from: user, query: "ls", offset: "" } },
    { chosen_inline_result: { result_id: "1", from: user, query: "ls" } },
    { poll_answer: { poll_id: "1", user, option_ids: [0] } },
    { message_reaction: { chat: home, message_id: 1, user, date: 1, old_reaction: [], new_reaction: [] } },
    { chat_join_request: { chat: channel, from: user, user_chat_id: USER, date: 1 } },
    { pre_checkout_query: { id: "1", from: user, currency: "XTR", total_amount: 1, invoice_payload: "" } },
    { guest_message: { message_id: 9, date: 1, chat: home, from: user, text: "do it" } },
    { type_of_tomorrow: { from: user, chat: home, text: "do it" } },
    { message: "no message at all" },
    { message: { message_id: 9, from: user } },
    { message: { message_id: 9, date: 1, chat: home, from: user, text: 5, entities: "x" } },
    { callback_query: { id: 7, from: user } },
    { callback_query: { id: "7", from: user, chat_instance: "1", game_short_name: "chess" } },
    {},
  ].map((update) => api.inject(update));
  chat.setBlocked(true);
  chat.setBlocked(false);
  await api.waitFor(() => api.pendingUpdates().length === 0, {
    what: "all of them confirmed",
    timeoutMs: WAIT_MS,
  });
  await expectAlive(stage, life);
  expect(odd.length).toBe(16);
  const ofStrangers = () => stage.botTexts().filter((text) => text.includes("not admitted")); // to the owner
  await api.waitFor(() => ofStrangers().length > 0, { what: "the notice of strangers" });
  const said = stage.botTexts();
  expect(ofStrangers().length).toBe(1);
  expect(said.length).toBe(texts + 2);
  expect(api.messages(-100500).filter(({ isFromBot }) => isFromBot)).toEqual([]);
  const forged = auditIn(stage.home, "violation.forged_callback");
  expect(forged.length).toBe(8); // the seven presses, and the game
  for (const row of forged) expect(row).toMatchObject({ what: "unknown", userId: USER });
  const admitted = auditIn(stage.home, "request.admitted").filter(({ body }) => body !== "button");
  expect(admitted.length).toBe(1);
});

test("an edit changes what waits, and is offered when the message is running or has run", async () => {
  const gate = Promise.withResolvers<ModelReply>();
  const stage = await createStage({
    script: createQueueScript([() => gate.promise, echo, echo, echo]),
    env: MANY,
  });
  const life = await stage.start();
  const { chat } = stage;
  const running = chat.send("the first");
  await until(() => promptsOf(stage).includes("the first"), "the turn");
  const queued = chat.send("the second");
  await stage.waitFor(({ text }) => text === "Queued: 1 ahead.");

  chat.edit(queued.messageId, "the second, bettered\u200B");
  await stage.waitFor(({ text }) => text === "The waiting message now has your new text.");
  await stage.waitFor(({ text }) => text === "Removed from your text: 1 zero-width characters.");
  chat.edit(running.messageId, "the first, bettered");
  const offer = await stage.waitFor(hasButton("Run it"), "the offer");
  expect(offer.text).toContain("You edited a message that has run already, or is running.");
  chat.edit(queued.messageId, " ");
  await stage.waitFor(({ text }) => text === "There was no text in that message.");
  const sticker = chat.sendRaw({ sticker: { file_id: "s" } });
  await answerTo(stage, sticker.messageId);

  gate.resolve(reply("The first is done."));
  await stage.waitFor(({ text }) => text.includes("I got <the second, bettered>"));
  chat.press(offer.messageId, "Run it");
  await stage.waitFor(({ text }) => text.includes("I got <the first, bettered>"));

  chat.edit(queued.messageId, "the second, once more");
  const late = await stage.waitFor(
    (message) => hasButton("Leave it")(message) && message.messageId !== offer.messageId,
  );
  chat.press(late.messageId, "Leave it");
  await stage.api.waitFor(
    () =>
      stage.api
        .messages(USER)
        .find(({ messageId }) => messageId === late.messageId)
        ?.keyboard?.inline_keyboard.flat().length !== 2,
    { what: "the keys taken away" },
  );
  const edited = chat.send("/help");
  await answerTo(stage, edited.messageId);
  const texts = stage.botTexts().length;
  chat.edit(edited.messageId, "/stop");
  await expectAlive(stage, life);
  expect(stage.botTexts().length).toBe(texts + 1);
  expect(promptsOf(stage)).not.toContain("the second, once more");
  expect(promptsOf(stage)).not.toContain('"the second"');
});

test("H19, H07: a stranger gets nothing and leaves nothing but one line on record; a person in a group gets silence", async () => {
  const stage = await createStage({ script: createQueueScript([echo, echo]), env: MANY });
  const life = await stage.start();
  const { api, person } = stage;
  const stranger = api.user({ id: 666, firstName: "Mallory", username: "mallory" });
  const theirs = stranger.chat();
  const secret = "sesame-open-wide";
  theirs.send(`let me in ${secret}`);
  theirs.send(`/start ${secret}`);
  const { messageId } = theirs.send("/stop");
  theirs.edit(messageId, `please ${secret}`);
  theirs.sendRaw({ sticker: { file_id: secret } });
  theirs.pressRaw(secret, messageId);
  theirs.setBlocked(true);
  theirs.setBlocked(false);
  api.inject({ inline_query: { id: "1", from: stranger.user, query: secret, offset: "" } });
  api.addChat({ id: -1001, type: "supergroup", title: "Team" });
  const group = person.chat(-1001);
  group.send("/status@sallyport_bot");
  group.send(`hello all, ${secret} too`);
  stranger.chat(-1001).send(`me too ${secret}`);
  await api.waitFor(() => api.pendingUpdates().length === 0, {
    what: "all of it confirmed",
    timeoutMs: WAIT_MS,
  });
  await expectAlive(stage, life);

  for (const chatId of [666, -1001])
    expect(api.messages(chatId).filter(({ isFromBot }) => isFromBot)).toEqual([]);
  const shown = api.log.filter(({ payload }) => [666, -1001].includes(Number(payload.chat_id)));
  // A group that is not open is left, in silence.
  expect(shown.filter(({ method }) => method !== "leaveChat")).toEqual([]);
  expect(api.log.filter(({ method }) => method === "answerCallbackQuery")).toEqual([]);
  const failures = auditIn(stage.home, "auth.failure");
  expect(failures.filter(({ userId }) => userId === 666).length).toBe(1);
  expect(failures.filter(({ userId }) => userId === USER)).toEqual([]);
  await life.kill("SIGTERM");
  for (const name of readdirSync(stage.home).filter((name) => name.startsWith("sallyport.db")))
    expect(readFileSync(join(stage.home, name)).includes(secret), name).toBe(false);
  expect(life.output()).not.toContain(secret);
});
