import { expect, test } from "vitest";
import { dig, type Reply, serve, updatesOf } from "./bot-api.fixture.ts";

const TOO_OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid";
const KEYBOARD = {
  inline_keyboard: [
    [
      { text: "Allow once", callback_data: "n:1" },
      { text: "Deny", callback_data: "n:2" },
    ],
  ],
};

test("a chat is unknown to the bot until the person has begun it", async () => {
  const { api, call } = await serve();
  const bob = api.user({ id: 9, firstName: "Bob" });
  const chat = bob.chat();
  expect((await call("sendMessage", { chat_id: 9, text: "x" })).description).toBe(
    "Bad Request: chat not found",
  );
  chat.send("hello");
  expect((await call("sendMessage", { chat_id: 9, text: "x" })).ok).toBe(true);
  expect((await call("getChat", { chat_id: 9 })).result).toMatchObject({
    id: 9,
    type: "private",
    first_name: "Bob",
  });
});

test("a person's edit comes as edited_message, and only of his own messages", async () => {
  const { api, alice, clock, call } = await serve();
  const { messageId } = alice.send("frist");
  clock.ms += 3000;
  alice.edit(messageId, "first /now");
  const [, edited] = updatesOf(await call("getUpdates"));
  expect(edited?.edited_message).toMatchObject({
    message_id: messageId,
    text: "first /now",
    edit_date: clock.ms / 1000,
    entities: [{ type: "bot_command", offset: 6, length: 4 }],
  });
  expect(api.lastMessage(7)).toMatchObject({ text: "first /now", editedAt: clock.ms });
  await call("sendMessage", { chat_id: 7, text: "bot's" });
  expect(() => alice.edit(2, "x")).toThrow(/no message 2 of his own/);
});

test("any text can be sent, however hostile, and reaches the bot as it is", async () => {
  const { alice, call } = await serve();
  const texts = ["", "  \u0000\u202E ", "lone \ud83d surrogate", "x".repeat(1_048_576)];
  for (const text of texts) alice.send(text);
  const updates = updatesOf(await call("getUpdates"));
  expect(updates.map((update) => dig(update, "message", "text"))).toEqual(texts);
});

test("a pressed button becomes a callback query, and its answer comes back to whoever pressed", async () => {
  const { alice, call } = await serve();
  await call("sendMessage", { chat_id: 7, text: "Run it?", reply_markup: KEYBOARD });
  const pressed = alice.press(1, "Allow once");
  const [update] = updatesOf(await call("getUpdates"));
  expect(update).toMatchObject({
    update_id: pressed.updateId,
    callback_query: {
      id: pressed.callbackId,
      from: { id: 7 },
      data: "n:1",
      message: { message_id: 1, text: "Run it?", reply_markup: KEYBOARD },
    },
  });
  const answered = pressed.answered();
  const answer = { callback_query_id: pressed.callbackId, text: "Allowed", show_alert: true };
  expect((await call("answerCallbackQuery", answer)).result).toBe(true);
  expect(await answered).toMatchObject({ text: "Allowed", isAlert: true });
  expect((await call("answerCallbackQuery", answer)).description).toBe(TOO_OLD);
});

test("a press is answered in time or not at all", async () => {
  const { alice, call, clock } = await serve({ callbackLifetimeMs: 1000 });
  const { callbackId } = alice.pressRaw("x");
  expect(
    (await call("answerCallbackQuery", { callback_query_id: callbackId, text: "x".repeat(201) })).description,
  ).toBe("Bad Request: MESSAGE_TOO_LONG");
  clock.ms += 1001;
  expect((await call("answerCallbackQuery", { callback_query_id: callbackId })).description).toBe(TOO_OLD);
  expect((await call("answerCallbackQuery", { callback_query_id: "77" })).description).toBe(TOO_OLD);
});

test("only what is shown can be pressed, by text or by data", async () => {
  const { alice, call } = await serve();
  await call("sendMessage", { chat_id: 7, text: "?", reply_markup: KEYBOARD });
  expect(alice.press(1, "n:2").callbackId).not.toBe("");
  expect(() => alice.press(1, "Maybe")).toThrow(/no button "Maybe"; its buttons: \[Allow once\] \[Deny\]/);
  expect(() => alice.press(50, "Deny")).toThrow(/its buttons: none/);
  await call("deleteMessage", { chat_id: 7, message_id: 1 });
  expect(() => alice.press(1, "Deny")).toThrow(/its buttons: none/);
});

test("a forged press carries any data, on a message that is there or one that is not", async () => {
  const { api, alice, call } = await serve();
  await call("sendMessage", { chat_id: 7, text: "shown" });
  alice.pressRaw("../../etc");
  alice.pressRaw("late", 400);
  const queries = updatesOf(await call("getUpdates")).map((update) => dig(update, "callback_query"));
  expect(queries).toMatchObject([
    { data: "../../etc", message: { message_id: 1, text: "shown" } },
    { data: "late", message: { message_id: 400, date: 0, chat: { id: 7 } } },
  ]);
  expect(api.pendingUpdates()).toHaveLength(2);
});

test("an answer that never comes is a rejection that tells the last messages and calls", async () => {
  const { api, alice, call } = await serve();
  await call("sendMessage", { chat_id: 7, text: "the last words", reply_markup: KEYBOARD });
  await call("sendMessage", { chat_id: 404, text: "x" });
  const failure: Error = await alice
    .pressRaw("x")
    .answered(20)
    .then(
      () => new Error("was answered"),
      (error: Error) => error,
    );
  expect(failure.message).toMatch(/^Waited 20 ms for an answer to the pressed button/);
  expect(failure.message).toContain('7/1 bot: "the last words" [Allow once] [Deny]');
  expect(failure.message).toContain("sendMessage: Bad Request: chat not found");
  await expect(
    api.waitFor(
      () => {
        throw new Error("broken predicate");
      },
      { what: "x" },
    ),
  ).rejects.toThrow("broken predicate");
});

test("waitForMessage gives the newest living message that fits, at once or when it comes or is edited", async () => {
  const { api, call } = await serve();
  const soon = api.waitForMessage(7, ({ text }) => text === "done");
  await call("sendMessage", { chat_id: 7, text: "working" });
  await call("editMessageText", { chat_id: 7, message_id: 1, text: "done" });
  expect((await soon).messageId).toBe(1);
  expect((await api.waitForMessage(7, ({ text }) => text === "done")).messageId).toBe(1);
  await call("deleteMessage", { chat_id: 7, message_id: 1 });
  await expect(api.waitForMessage(7, () => true, { timeoutMs: 20, what: "a ghost" })).rejects.toThrow(
    "20 ms for a ghost",
  );
});

test("a listener is told until it is ended", async () => {
  const { api, alice, call } = await serve();
  const heard: string[] = [];
  const offCalls = api.on("call", ({ method }) => heard.push(method));
  const offChanges = api.on("change", ({ kind }) => heard.push(kind));
  alice.send("a");
  await call("sendMessage", { chat_id: 7, text: "b" });
  await api.waitFor(() => heard.length === 3, { what: "both to be told" });
  offCalls();
  offChanges();
  await call("sendMessage", { chat_id: 7, text: "c" });
  expect(heard).toEqual(["message_sent", "message_sent", "sendMessage"]);
});

test("a sticker, a photo and another's message are sent as they are given, and the photo can be fetched", async () => {
  const { api, alice, call } = await serve();
  const photo = api.addFile({ fileName: "p.png", content: Buffer.from("89504e47", "hex") });
  alice.sendRaw({ sticker: { file_id: "s", emoji: "🙂" } });
  alice.sendRaw({ photo: [{ ...photo, width: 1, height: 1 }], caption: "look" });
  const anonymous = { id: 1087968824, is_bot: true, first_name: "Group", username: "GroupAnonymousBot" };
  const group = api.addChat({ id: -5, type: "group", title: "G" });
  api
    .user({ id: 7, firstName: "Alice" })
    .chat(-5)
    .sendRaw({ from: anonymous, sender_chat: group, text: "psst" });
  const messages = updatesOf(await call("getUpdates")).map((update) => dig(update, "message"));
  expect(messages).toMatchObject([
    { sticker: { emoji: "🙂" }, from: { id: 7 } },
    { photo: [{ file_id: photo.file_id }], caption: "look" },
    { from: { id: 1087968824 }, sender_chat: { id: -5 }, text: "psst" },
  ]);
  expect((await call("getFile", { file_id: photo.file_id })).result).toMatchObject({ file_size: 4 });
});

test("an injected channel post makes the channel known, so that an answer to it would be seen", async () => {
  const { api, call } = await serve();
  const chat = { id: -1009, type: "channel", title: "News" };
  const updateId = api.inject({
    channel_post: { message_id: 1, date: 1, chat, sender_chat: chat, text: "hi" },
  });
  expect(updatesOf(await call("getUpdates"))[0]).toMatchObject({
    update_id: updateId,
    channel_post: { text: "hi" },
  });
  expect((await call("sendMessage", { chat_id: -1009, text: "x" })).ok).toBe(true);
  expect(api.messages(-1009)).toHaveLength(1);
});

test("a blocked bot is told so and may not write until it is unblocked", async () => {
  const { alice, call } = await serve();
  const updateId = alice.setBlocked(true);
  expect(await call("sendMessage", { chat_id: 7, text: "x" })).toMatchObject({
    status: 403,
    description: "Forbidden: bot was blocked by the user",
  });
  expect(updatesOf(await call("getUpdates"))[0]).toMatchObject({
    update_id: updateId,
    my_chat_member: { old_chat_member: { status: "member" }, new_chat_member: { status: "kicked" } },
  });
  alice.setBlocked(false);
  expect((await call("sendMessage", { chat_id: 7, text: "x" })).ok).toBe(true);
});

test("members of a group are known once they have spoken, and a bot that left may not come back", async () => {
  const { api, call } = await serve();
  api.addChat({ id: -1001, type: "supergroup", title: "S" });
  const bob = api.user({ id: 9, firstName: "Bob" });
  const member = (): Promise<Reply> => call("getChatMember", { chat_id: -1001, user_id: 9 });
  expect((await member()).description).toBe("Bad Request: member not found");
  bob.chat(-1001).send("hi");
  expect((await member()).result).toMatchObject({ status: "member", user: { id: 9 } });
  expect((await call("leaveChat", { chat_id: -1001 })).result).toBe(true);
  expect(await call("sendMessage", { chat_id: -1001, text: "x" })).toMatchObject({
    status: 403,
    description: "Forbidden: bot is not a member of the supergroup chat",
  });
  expect((await call("leaveChat", { chat_id: 7 })).status).toBe(400);
  expect(() => bob.chat(-77)).toThrow(/no chat -77/);
});

test("supergroups number their messages apart from private chats", async () => {
  const { api, alice } = await serve();
  api.addChat({ id: -1001, type: "supergroup", title: "S" });
  const bob = api.user({ id: 9, firstName: "Bob" });
  expect([alice.send("a"), bob.chat().send("b"), bob.chat(-1001).send("c")].map((s) => s.messageId)).toEqual([
    1, 2, 2,
  ]);
});

test("topics are made by either side, written to, renamed and deleted with what is in them", async () => {
  const { api, call } = await serve();
  api.addChat({ id: -1001, type: "supergroup", title: "S", isForum: true });
  const bob = api.user({ id: 9, firstName: "Bob" }).chat(-1001);
  const threadId = bob.createTopic("project");
  const inTopic = { chat_id: -1001, message_thread_id: threadId, text: "x" };
  bob.send("in it", { threadId });
  expect((await call("sendMessage", inTopic)).result).toMatchObject({
    message_thread_id: threadId,
    is_topic_message: true,
  });
  const reply = await call("sendMessage", {
    chat_id: -1001,
    text: "y",
    reply_parameters: { message_id: threadId + 1 },
  });
  expect(reply.result).toMatchObject({ message_thread_id: threadId });
  expect((await call("sendMessage", { ...inTopic, message_thread_id: 1 })).description).toBe(
    "Bad Request: message thread not found",
  );

  const made = await call("createForumTopic", { chat_id: -1001, name: "of the bot" });
  expect(made.result).toMatchObject({ name: "of the bot" });
  const topic = { chat_id: -1001, message_thread_id: threadId };
  expect((await call("editForumTopic", { ...topic, name: "project" })).description).toBe(
    "Bad Request: TOPIC_NOT_MODIFIED",
  );
  expect((await call("editForumTopic", { ...topic, name: "renamed" })).result).toBe(true);
  expect((await call("deleteForumTopic", topic)).result).toBe(true);
  expect(api.messages(-1001).filter((m) => m.threadId === threadId && !m.isDeleted)).toEqual([]);
  expect((await call("sendMessage", inTopic)).description).toBe("Bad Request: message thread not found");
  expect((await call("deleteForumTopic", topic)).description).toBe("Bad Request: TOPIC_ID_INVALID");
});

test("private chats have topics only where the bot has them switched on", async () => {
  const off = await serve();
  expect((await off.call("createForumTopic", { chat_id: 7, name: "x" })).description).toBe(
    "Bad Request: the chat is not a forum",
  );
  const on = await serve({ botInfo: { has_topics_enabled: true } });
  const { result } = await on.call("createForumTopic", { chat_id: 7, name: "x" });
  const sent = await on.call("sendMessage", {
    chat_id: 7,
    message_thread_id: dig(result, "message_thread_id"),
    text: "y",
  });
  expect(sent.ok).toBe(true);
  expect((await on.call("createForumTopic", { chat_id: 7, name: " " })).description).toBe(
    "Bad Request: name must be non-empty",
  );
});

test("the log and the messages of a chat keep to their caps", async () => {
  const { api, alice, call } = await serve({ maxLog: 10, maxMessagesPerChat: 3 });
  for (let i = 0; i < 50; i += 1) alice.send(`${i}`);
  for (let i = 0; i < 50; i += 1) await call("getMe");
  expect(api.messages(7).map(({ text }) => text)).toEqual(["47", "48", "49"]);
  expect(api.log.length).toBeGreaterThanOrEqual(10);
  expect(api.log.length).toBeLessThanOrEqual(20);
});

test("the log knows when an update was made, when a call came and when it was answered", async () => {
  const { api, alice, clock, call } = await serve();
  const { updateId } = alice.send("hi");
  clock.ms += 40;
  await call("sendMessage", { chat_id: 7, text: "yes" });
  expect(api.injectedAt(updateId)).toBe(clock.ms - 40);
  expect(api.log[0]).toEqual({
    method: "sendMessage",
    payload: { chat_id: 7, text: "yes" },
    at: clock.ms,
    answeredAt: clock.ms,
    fault: null,
    updateIds: [],
    response: { ok: true, result: expect.objectContaining({ text: "yes" }) },
  });
});
