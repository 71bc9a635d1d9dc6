import fc from "fast-check";
import type { Update } from "grammy/types";
import { describe, expect, test } from "vitest";
import type { Request } from "../../src/domain/request.ts";
import { createAuthenticate } from "../../src/security/authenticate.ts";
import { laneOf, requestOf } from "../../src/telegram/request.ts";
import { LOGIN_DIGEST } from "../../src/telegram/update-parts.ts";

const ADA = { id: 7, is_bot: false, first_name: "Ada" };
const BOT = { id: 9, is_bot: true, first_name: "Somebot" };
/** How Telegram names the author of what an anonymous administrator writes. */
const ANONYMOUS = { id: 1087968824, is_bot: true, first_name: "Group", username: "GroupAnonymousBot" };
const HOME = { id: 7, type: "private", first_name: "Ada" };
const GROUP = { id: -1001, type: "supergroup", title: "Team", is_forum: true };
const CHANNEL = { id: -1002, type: "channel", title: "News" };

const { gate } = createAuthenticate({
  people: { roleOf: (userId) => (userId === ADA.id ? "member" : null) },
  isOpenChat: () => false,
});

const update = (body: object): Update => ({ update_id: 5, ...body });
const message = (change: object = {}): object => ({
  message_id: 3,
  date: 1_800_000_000,
  chat: HOME,
  from: ADA,
  text: "hello",
  ...change,
});
const command = (text: string, length = text.split(/\s/)[0]?.length ?? 0): object =>
  message({ text, entities: [{ type: "bot_command", offset: 0, length }] });
const query = (change: object = {}): object => ({
  id: "77",
  from: ADA,
  chat_instance: "1",
  message: message({ from: BOT, message_id: 4 }),
  data: "nonce",
  ...change,
});
const membership = { chat: HOME, from: ADA, date: 1, old_chat_member: {}, new_chat_member: {} };

/** Every update type of the Bot API with a person behind it, sent by `from` (core.telegram.org/bots/api#update). */
const byType = (from: object, chat: object = HOME): Readonly<Record<string, object>> => ({
  message: message({ from, chat }),
  edited_message: message({ from, chat, edit_date: 2 }),
  callback_query: query({ from, message: message({ from: BOT, chat }) }),
  my_chat_member: { ...membership, from, chat },
  chat_member: { ...membership, from, chat },
  chat_join_request: { chat, from, user_chat_id: 1, date: 1 },
  inline_query: { id: "1", from, query: "q", offset: "" },
  chosen_inline_result: { result_id: "1", from, query: "q" },
  shipping_query: { id: "1", from, invoice_payload: "x" },
  pre_checkout_query: { id: "1", from, currency: "XTR", total_amount: 1 },
  poll_answer: { poll_id: "1", user: from, option_ids: [0] },
  message_reaction: { chat, message_id: 3, user: from, date: 1, old_reaction: [], new_reaction: [] },
  business_message: message({ from, chat }),
  business_connection: { id: "1", user: from, user_chat_id: 1, date: 1 },
  purchased_paid_media: { from, paid_media_payload: "x" },
  guest_message: message({ from, chat }),
  a_type_of_tomorrow: { from, chat, anything: 1 },
});

describe("H07: every update type becomes a request that authentication judges", () => {
  test.each(Object.keys(byType(ADA)))("%s", (type) => {
    const judge = (from: object, chat?: object) =>
      gate(requestOf(update({ [type]: byType(from, chat)[type] })));
    expect(requestOf(update({ [type]: byType(ADA)[type] })).principal).toEqual({
      userId: 7,
      displayName: "Ada",
    });
    expect(judge(ADA)).toMatchObject({ kind: "admit" });
    expect(judge({ ...ADA, id: 8 })).toMatchObject({ kind: "deny", reason: "not_whitelisted" });
    expect(judge({ ...ADA, is_bot: true })).toMatchObject({ kind: "deny", reason: "no_person" });
  });

  test.each([
    ["a channel post", { channel_post: message({ chat: CHANNEL, from: undefined, sender_chat: CHANNEL }) }],
    ["a channel post that names a person", { channel_post: message({ chat: CHANNEL }) }],
    ["an edited channel post", { edited_channel_post: message({ chat: CHANNEL }) }],
    [
      "an anonymous administrator",
      { message: message({ chat: GROUP, from: ANONYMOUS, sender_chat: GROUP }) },
    ],
    ["a person in a channel's name", { message: message({ chat: GROUP, sender_chat: CHANNEL }) }],
    ["an edit in a channel's name", { edited_message: message({ chat: GROUP, sender_chat: CHANNEL }) }],
    ["another bot", { message: message({ from: BOT }) }],
    ["a message without an author", { message: message({ from: undefined }) }],
    ["a poll's end, which nobody sends", { poll: { id: "1", question: "?", options: [] } }],
    ["an update with nothing in it", {}],
  ])("%s has no person behind it and is refused", (_, body) => {
    const request = requestOf(update(body));
    expect(request.principal).toBeNull();
    expect(gate(request)).toMatchObject({ kind: "deny", reason: "no_person" });
  });

  test.each(["message", "edited_message", "callback_query", "my_chat_member", "chat_member"])(
    "%s of a whitelisted person in a group is refused: groups are not open",
    (type) => {
      const request = requestOf(update({ [type]: byType(ADA, GROUP)[type] }));
      expect(request).toMatchObject({ chatType: "supergroup", conversation: { chatId: -1001 } });
      expect(gate(request)).toMatchObject({ kind: "deny", reason: "not_private" });
    },
  );
});

describe("commands", () => {
  test.each([
    ["/new", "new", "", "look"],
    ["/stop", "stop", "", "control"],
    ["/stop@sallyport_bot", "stop", "", "control"],
    ["/status", "status", "", "look"],
    ["/repo  my project ", "repo", "my project", "look"],
    ["/repo@sallyport_bot\nx", "repo", "x", "look"],
    ["/STOP", "stop", "", "control"],
  ])("%j is the command %s with the argument %j", (text, name, argument, kind) => {
    const request = requestOf(update({ message: command(text) }));
    expect(request).toMatchObject({ kind, body: { kind: "command", name, argument } });
  });

  test.each(["/clear", "/model opus", "/constructor", "/__proto__", "/stopit", "/"])(
    "%j is no command of this bot and goes to Claude as it stands",
    (text) => {
      const request = requestOf(update({ message: command(text) }));
      expect(request).toMatchObject({ kind: "work", body: { kind: "prompt", text } });
    },
  );

  test("a command counts only at the very beginning, and only where Telegram marks it", () => {
    const later = message({ text: "xnew /new", entities: [{ type: "bot_command", offset: 5, length: 4 }] });
    expect(requestOf(update({ message: later })).body).toEqual({ kind: "prompt", text: "xnew /new" });
    const bold = message({ text: "/new", entities: [{ type: "bold", offset: 0, length: 4 }] });
    expect(requestOf(update({ message: bold })).body).toEqual({ kind: "prompt", text: "/new" });
    expect(requestOf(update({ message: message({ text: "/stop" }) })).body.kind).toBe("prompt");
    const both = [
      { type: "bold", offset: 0, length: 9 },
      { type: "bot_command", offset: 0, length: 5 },
    ];
    const formatted = message({ text: "/repo app", entities: both });
    expect(requestOf(update({ message: formatted })).body).toEqual({
      kind: "command",
      name: "repo",
      argument: "app",
    });
  });

  test.each([
    ["forwarded", { forward_origin: { type: "user", date: 1, sender_user: BOT } }],
    [
      "forwarded from somebody hidden",
      { forward_origin: { type: "hidden_user", date: 1, sender_user_name: "E" } },
    ],
    ["sent by way of a bot", { via_bot: BOT }],
  ])(
    "a command that was %s is nobody's here; words are a prompt, and the token of a login counts",
    (_, mark) => {
      for (const text of ["/lock", "/grant 7 50", "/stop"])
        expect(requestOf(update({ message: { ...command(text), ...mark } }))).toMatchObject({
          kind: "look",
          body: { kind: "unsupported", what: "forwarded command" },
        });
      for (const text of ["hello", "/clear"])
        expect(requestOf(update({ message: { ...command(text), ...mark } })).body).toEqual({
          kind: "prompt",
          text,
        });
      const login = { message: { ...command("/login"), ...mark }, [LOGIN_DIGEST]: "0".repeat(64) };
      expect(requestOf(update(login)).body.kind).toBe("login");
    },
  );

  test("a message that is edited into a command is an edit, not a command", () => {
    const request = requestOf(update({ edited_message: command("/stop") }));
    expect(request).toMatchObject({ kind: "look", body: { kind: "edit", text: "/stop" } });
  });
});

test("a message carries its chat, its id, its time and a key that is the same at every delivery", () => {
  expect(requestOf(update({ message: message() }))).toEqual({
    origin: "telegram",
    dedupeKey: "telegram:5",
    kind: "work",
    principal: { userId: 7, displayName: "Ada" },
    conversation: { chatId: 7, threadId: null },
    chatType: "private",
    messageId: 3,
    sentAt: 1_800_000_000_000,
    isStale: false,
    body: { kind: "prompt", text: "hello" },
    cleaned: [],
  } satisfies Request);
});

test.each([
  "sticker",
  "photo",
  "document",
  "voice",
  "audio",
  "video",
  "video_note",
  "poll",
  "dice",
  "location",
  "contact",
])("a %s without text is named as what it is", (what) => {
  const body = { message: message({ text: undefined, [what]: {} }) };
  expect(requestOf(update(body)).body).toEqual({ kind: "unsupported", what });
});

test("an animation, which comes as a document too, and a pinned message are named", () => {
  const of = (content: object) =>
    requestOf(update({ message: message({ text: undefined, ...content }) })).body;
  expect(of({ pinned_message: {} })).toEqual({ kind: "unsupported", what: "service message" });
  expect(of({ animation: {} })).toEqual({ kind: "unsupported", what: "animation" });
});

test("topics are conversations of their own; the thread of a mere reply is not", () => {
  const inTopic = message({ is_topic_message: true, message_thread_id: 12 });
  expect(requestOf(update({ message: inTopic })).conversation).toEqual({ chatId: 7, threadId: 12 });
  expect(laneOf(update({ message: inTopic }))).toBe("7:12");
  const reply = message({ message_thread_id: 12 });
  expect(requestOf(update({ message: reply })).conversation).toEqual({ chatId: 7, threadId: null });
  expect(laneOf(update({ message: reply }))).toBe("7:0");
});

test("a press belongs to the chat of its message, and to the person's own when the message is out of reach", () => {
  expect(requestOf(update({ callback_query: query() }))).toMatchObject({
    kind: "control",
    messageId: 4,
    conversation: { chatId: 7, threadId: null },
    body: { kind: "button", nonce: "nonce", callbackId: "77" },
  });
  const old = query({ message: { chat: GROUP, message_id: 4, date: 0 } });
  expect(requestOf(update({ callback_query: old }))).toMatchObject({
    conversation: { chatId: -1001 },
    chatType: "supergroup",
  });
  const inline = query({ message: undefined, data: undefined, inline_message_id: "x" });
  expect(requestOf(update({ callback_query: inline }))).toMatchObject({
    conversation: { chatId: 7, threadId: null },
    body: { nonce: "" },
  });
});

test("presses of a person keep their order and wait for no message; messages, edits and /stop of a chat keep theirs", () => {
  expect(laneOf(update({ message: command("/stop") }))).toBe("7:0");
  expect(laneOf(update({ callback_query: query() }))).toMatch(/^keys:\d+$/);
  expect(laneOf(update({ message: message() }))).toBe("7:0");
  expect(laneOf(update({ edited_message: message() }))).toBe("7:0");
  expect(laneOf(update({ message: command("/new") }))).toBe("7:0");
});

/** Values in which any part may be missing, doubled, of a wrong type or nonsense. */
const anything = fc.anything({ withBigInt: false, withDate: false, maxDepth: 3 });
const bent = (whole: object) =>
  fc
    .record({ key: fc.constantFrom(...Object.keys(whole)), value: anything })
    .map(({ key, value }) => ({ ...whole, [key]: value }));
const types = Object.keys(byType(ADA));
const strange = fc.oneof(
  fc.dictionary(fc.constantFrom(...types, "channel_post", "x"), anything),
  ...["message", "edited_message"].map((type) => bent(message()).map((value) => ({ [type]: value }))),
  bent(query()).map((value) => ({ callback_query: value })),
  bent(membership).map((value) => ({ my_chat_member: value })),
  fc.tuple(bent(message()), bent(query())).map(([one, other]) => ({ message: one, callback_query: other })),
);

test("any JSON object with an update id becomes a request, and nothing throws", () => {
  fc.assert(
    fc.property(strange, (body) => {
      const parsed = JSON.parse(JSON.stringify({ ...body, update_id: 5 })) as Update;
      const request = requestOf(parsed);
      const lane = laneOf(parsed);
      expect(request.dedupeKey).toBe("telegram:5");
      expect(lane === undefined || typeof lane === "string").toBe(true);
      expect(Number.isSafeInteger(request.conversation.chatId)).toBe(true);
      expect(request.messageId === null || Number.isSafeInteger(request.messageId)).toBe(true);
      if (request.body.kind === "prompt") expect(typeof request.body.text).toBe("string");
    }),
    { numRuns: 2_000 },
  );
});

test("nothing that is added to a stranger's update makes it admitted", () => {
  const fromStranger = (type: string): object => byType({ ...ADA, id: 8 }, { ...HOME, id: 8 })[type] ?? {};
  const hostile = fc
    .tuple(
      fc.constantFrom(...types),
      fc.dictionary(fc.string(), anything),
      fc.dictionary(fc.string(), anything),
    )
    .map(([type, inside, beside]) => ({ ...beside, [type]: { ...inside, ...fromStranger(type) } }));
  fc.assert(
    fc.property(hostile, (body) => {
      const parsed = JSON.parse(JSON.stringify({ ...body, update_id: 5 })) as Update;
      expect(gate(requestOf(parsed)).kind).toBe("deny");
    }),
    { numRuns: 1_000 },
  );
});
