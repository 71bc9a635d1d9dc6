import { expect, test } from "vitest";
import { type Reply, serve } from "./bot-api.fixture.ts";

const NOT_MODIFIED =
  "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message";

function expectRefusal(reply: Reply, description: string): void {
  expect({ status: reply.status, description: reply.description }).toEqual({
    status: 400,
    description: `Bad Request: ${description}`,
  });
}

function keyboardOf(count: number, data = "x"): object {
  const row = Array.from({ length: count }, (_, index) => ({ text: `b${index}`, callback_data: data }));
  return { inline_keyboard: [row] };
}

test("a sent message is given back as Telegram stores it and shown to the person", async () => {
  const { api, call, clock } = await serve();
  const { result } = await call("sendMessage", {
    chat_id: 7,
    text: "hi",
    entities: [{ type: "bold", offset: 0, length: 2 }],
    reply_markup: keyboardOf(1, "go"),
  });
  expect(result).toMatchObject({
    message_id: 1,
    date: Math.floor(clock.ms / 1000),
    chat: { id: 7, type: "private" },
    from: { is_bot: true },
    text: "hi",
  });
  expect(api.lastMessage(7)).toMatchObject({
    messageId: 1,
    isFromBot: true,
    text: "hi",
    entities: [{ type: "bold", offset: 0, length: 2 }],
    keyboard: { inline_keyboard: [[{ text: "b0", callback_data: "go" }]] },
    sentAt: clock.ms,
    editedAt: null,
    isDeleted: false,
  });
});

test.each([
  [
    "a topic that is no number",
    { chat_id: 7, text: "x", message_thread_id: "one" },
    "can't parse message_thread_id as a Number",
  ],
  ["no chat", { text: "x" }, "chat_id is empty"],
  ["an unknown chat", { chat_id: 8, text: "x" }, "chat not found"],
  ["a public name", { chat_id: "@nobody", text: "x" }, "chat not found"],
  ["an empty text", { chat_id: 7, text: "" }, "message text is empty"],
  ["a missing text", { chat_id: 7 }, "message text is empty"],
  ["a text of blanks", { chat_id: 7, text: " \n\u200b\u00a0" }, "text must be non-empty"],
  ["a text of 4097 characters", { chat_id: 7, text: "x".repeat(4097) }, "message is too long"],
  ["more than 32768 bytes", { chat_id: 7, text: "x".repeat(32_769) }, "text is too long"],
  ["a lone surrogate", { chat_id: 7, text: "a\ud83d" }, "strings must be encoded in UTF-8"],
  [
    "a reply to nothing",
    { chat_id: 7, text: "x", reply_parameters: { message_id: 99 } },
    "message to be replied not found",
  ],
  ["a topic that is none", { chat_id: 7, text: "x", message_thread_id: 5 }, "message thread not found"],
  ["too many buttons", { chat_id: 7, text: "x", reply_markup: keyboardOf(101) }, "reply markup is too long"],
  [
    "65 bytes of callback data",
    { chat_id: 7, text: "x", reply_markup: keyboardOf(1, `${"я".repeat(32)}x`) },
    "BUTTON_DATA_INVALID",
  ],
  [
    "a button that does nothing",
    { chat_id: 7, text: "x", reply_markup: keyboardOf(1, "") },
    "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
  ],
  [
    "a button without text",
    { chat_id: 7, text: "x", reply_markup: { inline_keyboard: [[{ text: "", callback_data: "x" }]] } },
    "inline keyboard button text must be non-empty",
  ],
  [
    "a button to localhost",
    {
      chat_id: 7,
      text: "x",
      reply_markup: { inline_keyboard: [[{ text: "x", url: "http://localhost:3000" }]] },
    },
    "inline keyboard button URL 'http://localhost:3000' is invalid: Wrong HTTP URL",
  ],
  [
    "a keyboard that is no array of arrays",
    { chat_id: 7, text: "x", reply_markup: { inline_keyboard: [{ text: "x" }] } },
    'Field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays',
  ],
  [
    "a markup that is no object",
    { chat_id: 7, text: "x", reply_markup: 5 },
    "object expected as reply markup",
  ],
  [
    "an unknown button style",
    {
      chat_id: 7,
      text: "x",
      reply_markup: { inline_keyboard: [[{ text: "x", callback_data: "x", style: "pink" }]] },
    },
    "can't parse inline keyboard button: invalid button style specified",
  ],
])("sendMessage refuses %s", async (_, payload, description) => {
  const { api, call } = await serve();
  expectRefusal(await call("sendMessage", payload), description);
  expect(api.messages(7)).toEqual([]);
});

test("any parse mode is refused: this server takes entities", async () => {
  const { call } = await serve();
  const { status, description } = await call("sendMessage", {
    chat_id: 7,
    text: "<b>x</b>",
    parse_mode: "HTML",
  });
  expect(status).toBe(400);
  expect(description).toMatch(/^Bad Request: can't parse entities/);
});

test("what lies exactly on a limit is taken", async () => {
  const { api, call } = await serve();
  const text = "😀".repeat(4096);
  const markup = {
    inline_keyboard: Array.from({ length: 50 }, () =>
      [0, 1].map((n) => ({ text: `${n}`, callback_data: "я".repeat(32) })),
    ),
  };
  expect((await call("sendMessage", { chat_id: 7, text, reply_markup: markup })).ok).toBe(true);
  expect(api.lastMessage(7)?.text).toBe(text);
});

test("a reply shows what it answers, and one to nothing goes through where that was allowed", async () => {
  const { api, alice, call } = await serve();
  const { messageId } = alice.send("question");
  await call("sendMessage", { chat_id: 7, text: "answer", reply_parameters: { message_id: messageId } });
  expect(api.lastMessage(7)?.replyTo).toBe(messageId);
  const lenient = { message_id: 99, allow_sending_without_reply: true };
  expect((await call("sendMessage", { chat_id: 7, text: "x", reply_parameters: lenient })).ok).toBe(true);
  expect(api.lastMessage(7)?.replyTo).toBe(null);
});

test("a text is edited once, and the same again is not modified", async () => {
  const { api, call, clock } = await serve();
  await call("sendMessage", { chat_id: 7, text: "one", reply_markup: keyboardOf(1) });
  clock.ms += 5000;
  const edit = { chat_id: 7, message_id: 1, text: "two" };
  expect((await call("editMessageText", edit)).result).toMatchObject({
    text: "two",
    edit_date: clock.ms / 1000,
  });
  expect(api.lastMessage(7)).toMatchObject({ text: "two", keyboard: null, editedAt: clock.ms });
  expectRefusal(await call("editMessageText", edit), NOT_MODIFIED);
  expectRefusal(await call("editMessageText", { ...edit, text: "two \n" }), NOT_MODIFIED);
  expect((await call("editMessageText", { ...edit, reply_markup: keyboardOf(2) })).ok).toBe(true);
  expectRefusal(await call("editMessageText", { ...edit, reply_markup: keyboardOf(2) }), NOT_MODIFIED);
  expect(
    (await call("editMessageText", { ...edit, entities: [{ type: "code", offset: 0, length: 1 }] })).ok,
  ).toBe(true);
});

test("buttons are changed and taken away without a new edit date", async () => {
  const { api, call } = await serve();
  await call("sendMessage", { chat_id: 7, text: "one", reply_markup: keyboardOf(1) });
  const edit = { chat_id: 7, message_id: 1 };
  expectRefusal(await call("editMessageReplyMarkup", { ...edit, reply_markup: keyboardOf(1) }), NOT_MODIFIED);
  expectRefusal(
    await call("editMessageReplyMarkup", { ...edit, reply_markup: { force_reply: true } }),
    "inline keyboard expected",
  );
  expect((await call("editMessageReplyMarkup", { ...edit, reply_markup: { inline_keyboard: [] } })).ok).toBe(
    true,
  );
  expect(api.lastMessage(7)).toMatchObject({ text: "one", keyboard: null, editedAt: null });
  expectRefusal(await call("editMessageReplyMarkup", edit), NOT_MODIFIED);
});

test("only the bot's own, living, text messages can be edited as text", async () => {
  const { alice, call } = await serve();
  const { messageId } = alice.send("mine");
  expectRefusal(
    await call("editMessageText", { chat_id: 7, message_id: messageId, text: "x" }),
    "message can't be edited",
  );
  expectRefusal(
    await call("editMessageText", { chat_id: 7, message_id: 99, text: "x" }),
    "message to edit not found",
  );
  expectRefusal(await call("editMessageText", { text: "x" }), "message identifier is not specified");
  expectRefusal(await call("editMessageText", { text: "x", inline_message_id: "a" }), "MESSAGE_ID_INVALID");
  await call("sendMessage", { chat_id: 7, text: "text" });
  expectRefusal(
    await call("editMessageCaption", { chat_id: 7, message_id: 2, caption: "c" }),
    "there is no caption in the message to edit",
  );
});

test("a caption is edited, but not beyond 1024 characters, and a document has no text", async () => {
  const { api, call } = await serve();
  const { file_id: document } = api.addFile({ fileName: "a.txt", content: Buffer.from("a") });
  expectRefusal(
    await call("sendDocument", { chat_id: 7, document, caption: "c".repeat(1025) }),
    "message caption is too long",
  );
  await call("sendDocument", { chat_id: 7, document });
  const edit = { chat_id: 7, message_id: api.lastMessage(7)?.messageId };
  expect((await call("editMessageCaption", { ...edit, caption: "c".repeat(1024) })).ok).toBe(true);
  expect(api.lastMessage(7)?.text).toHaveLength(1024);
  expectRefusal(
    await call("editMessageCaption", { ...edit, caption: "c".repeat(1025) }),
    "message caption is too long",
  );
  expectRefusal(
    await call("editMessageText", { ...edit, text: "x" }),
    "there is no text in the message to edit",
  );
});

test("a deleted message is gone for every method, and shown as deleted", async () => {
  const { api, call } = await serve();
  await call("sendMessage", { chat_id: 7, text: "one" });
  expect((await call("deleteMessage", { chat_id: 7, message_id: 1 })).result).toBe(true);
  expect(api.messages(7)[0]?.isDeleted).toBe(true);
  expect(api.lastMessage(7)).toBeUndefined();
  expectRefusal(await call("deleteMessage", { chat_id: 7, message_id: 1 }), "message to delete not found");
  expectRefusal(
    await call("editMessageText", { chat_id: 7, message_id: 1, text: "x" }),
    "message to edit not found",
  );
  expectRefusal(await call("deleteMessage", { chat_id: 7 }), "message identifier is not specified");
});

test("several are deleted at once, unknown ones among them, but never more than 100", async () => {
  const { api, alice, call } = await serve();
  alice.send("a");
  alice.send("b");
  expect((await call("deleteMessages", { chat_id: 7, message_ids: [1, 2, 50] })).result).toBe(true);
  expect(api.messages(7).every(({ isDeleted }) => isDeleted)).toBe(true);
  const ids = Array.from({ length: 101 }, (_, index) => index + 1);
  expectRefusal(
    await call("deleteMessages", { chat_id: 7, message_ids: ids }),
    "too many message identifiers specified",
  );
  expectRefusal(await call("deleteMessages", { chat_id: 7 }), "message identifiers are not specified");
});

test("nothing is deleted after 48 hours, nor another's message in a group without rights", async () => {
  const { api, clock, call } = await serve();
  await call("sendMessage", { chat_id: 7, text: "old" });
  clock.ms += 48 * 3_600_000 + 1;
  expectRefusal(
    await call("deleteMessage", { chat_id: 7, message_id: 1 }),
    "message can't be deleted for everyone",
  );
  const bob = api.user({ id: 9, firstName: "Bob" });
  api.addChat({ id: -100_1, type: "supergroup", title: "Plain" });
  api.addChat({ id: -100_2, type: "supergroup", title: "Ruled", isBotAdmin: true });
  const plain = bob.chat(-100_1).send("x");
  const ruled = bob.chat(-100_2).send("x");
  expectRefusal(
    await call("deleteMessage", { chat_id: -100_1, message_id: plain.messageId }),
    "message can't be deleted",
  );
  expect((await call("deleteMessage", { chat_id: -100_2, message_id: ruled.messageId })).ok).toBe(true);
});

test("one reaction from the allowed list is shown, replaced and taken away", async () => {
  const { api, alice, call } = await serve();
  const { messageId } = alice.send("hi");
  const react = (...emoji: string[]): Promise<Reply> =>
    call("setMessageReaction", {
      chat_id: 7,
      message_id: messageId,
      reaction: emoji.map((e) => ({ type: "emoji", emoji: e })),
    });
  expect((await react("👀")).result).toBe(true);
  expect(api.lastMessage(7)?.reactions).toEqual(["👀"]);
  expectRefusal(await react("✅"), "REACTION_INVALID");
  expectRefusal(await react("👍", "👎"), "REACTIONS_TOO_MANY");
  expect((await react()).result).toBe(true);
  expect(api.lastMessage(7)?.reactions).toEqual([]);
  expectRefusal(
    await call("setMessageReaction", { chat_id: 7, message_id: 99, reaction: [] }),
    "message to react not found",
  );
});

test("messages are copied and forwarded with what they carry, and pinned", async () => {
  const { api, alice, call } = await serve();
  const { file_id: document } = api.addFile({ fileName: "a.txt", content: Buffer.from("a") });
  await call("sendDocument", { chat_id: 7, document, caption: "c" });
  const from = { chat_id: 7, from_chat_id: 7, message_id: 1 };
  const copy = await call("copyMessage", from);
  expect(copy.result).toEqual({ message_id: 2 });
  expect(api.lastMessage(7)).toMatchObject({ text: "c", document: { fileName: "a.txt" } });
  alice.send("forward me");
  const forward = await call("forwardMessage", { ...from, message_id: 3 });
  expect(forward.result).toMatchObject({
    text: "forward me",
    from: { is_bot: true },
    forward_origin: { sender_user: { id: 7 } },
  });
  expectRefusal(await call("copyMessage", { ...from, message_id: 99 }), "message to copy not found");
  expectRefusal(await call("forwardMessage", { ...from, message_id: 99 }), "message to forward not found");
  expect((await call("pinChatMessage", { chat_id: 7, message_id: 1 })).result).toBe(true);
  expect(api.messages(7)[0]?.isPinned).toBe(true);
  expectRefusal(await call("pinChatMessage", { chat_id: 7, message_id: 99 }), "message to pin not found");
});

test("chat actions and drafts are seen as they come, and wrong ones are refused", async () => {
  const { api, call } = await serve();
  const seen: object[] = [];
  const off = api.on("change", (change) => seen.push(change));
  expect((await call("sendChatAction", { chat_id: 7, action: "typing" })).result).toBe(true);
  expect((await call("sendMessageDraft", { chat_id: 7, draft_id: 3, text: "thin" })).result).toBe(true);
  expect(seen).toEqual([
    { kind: "chat_action", chatId: 7, threadId: null, action: "typing" },
    { kind: "draft", chatId: 7, threadId: null, draftId: 3, text: "thin" },
  ]);
  off();
  expectRefusal(
    await call("sendChatAction", { chat_id: 7, action: "sleeping" }),
    "wrong parameter action in request",
  );
  expect(seen).toHaveLength(2);
  api.addChat({ id: -5, type: "group", title: "G" });
  expectRefusal(
    await call("sendMessageDraft", { chat_id: -5, draft_id: 3, text: "x" }),
    "TEXTDRAFT_PEER_INVALID",
  );
  expectRefusal(await call("sendMessageDraft", { chat_id: 7, text: "x" }), "RANDOM_ID_INVALID");
});

test("commands are kept by scope and language", async () => {
  const { call } = await serve();
  expectRefusal(
    await call("setMyCommands", { commands: [], scope: { type: "chat", chat_id: 8 } }),
    "chat not found",
  );
  expectRefusal(
    await call("setMyCommands", { commands: [], scope: { type: "mine" } }),
    "can't parse BotCommandScope: Unsupported type specified",
  );
  const commands = [{ command: "start", description: "Begin" }];
  const scope = { type: "chat", chat_id: 7 };
  expect((await call("setMyCommands", { commands, scope })).result).toBe(true);
  expect((await call("getMyCommands", { scope })).result).toEqual(commands);
  expect((await call("getMyCommands")).result).toEqual([]);
  expect((await call("deleteMyCommands", { scope })).result).toBe(true);
  expect((await call("getMyCommands", { scope })).result).toEqual([]);
  expectRefusal(
    await call("setMyCommands", { commands: [{ command: "No", description: "x" }] }),
    "BOT_COMMAND_INVALID",
  );
  expectRefusal(
    await call("setMyCommands", { commands: [{ command: "a", description: "" }] }),
    "BOT_COMMAND_DESCRIPTION_INVALID",
  );
  expectRefusal(
    await call("setMyCommands", { commands: [{ command: "a" }] }),
    "can't parse BotCommand: Can't find field \"description\"",
  );
  expect((await call("setMyDescription", { description: "d" })).result).toBe(true);
  expectRefusal(
    await call("setMyShortDescription", { short_description: "d".repeat(121) }),
    "short_description is too long",
  );
});
