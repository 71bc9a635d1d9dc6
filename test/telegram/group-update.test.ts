import type { Update } from "grammy/types";
import { expect, test } from "vitest";
import { isAddressed, moveIn, withoutMention } from "../../src/telegram/group-update.ts";

const ME = { id: 42, username: "sallyport_bot" };
const inGroup = (content: object): Update =>
  ({
    update_id: 1,
    message: { message_id: 1, date: 1, chat: { id: -5, type: "group", title: "T" }, ...content },
  }) as Update;
const command = (text: string, length = text.length) =>
  inGroup({ text, entities: [{ type: "bot_command", offset: 0, length }] });

test("a reply to the bot is meant for it, the beginning of a topic that it made is not", () => {
  expect(isAddressed(inGroup({ text: "x", reply_to_message: { from: { id: 42 } } }), ME)).toBe(true);
  expect(isAddressed(inGroup({ text: "x", reply_to_message: { from: { id: 43 } } }), ME)).toBe(false);
  const topic = { from: { id: 42 }, forum_topic_created: { name: "n" } };
  expect(isAddressed(inGroup({ text: "x", reply_to_message: topic }), ME)).toBe(false);
});

test("its name is meant for it in text and under a picture, by mention or by id; its commands are, and no other bot's", () => {
  const mention = [{ type: "mention", offset: 3, length: 14 }];
  expect(isAddressed(inGroup({ text: "hi @SallyPort_Bot", entities: mention }), ME)).toBe(true);
  expect(isAddressed(inGroup({ caption: "hi @sallyport_bot", caption_entities: mention }), ME)).toBe(true);
  expect(isAddressed(inGroup({ text: "hi @sallyport_box", entities: mention }), ME)).toBe(false);
  expect(isAddressed(inGroup({ text: "hi @sallyport_bot" }), ME)).toBe(false); // Telegram found no mention there
  const byId = [{ type: "text_mention", offset: 0, length: 2, user: { id: 42 } }];
  expect(isAddressed(inGroup({ text: "hi", entities: byId }), ME)).toBe(true);
  for (const text of ["/status", "/status@sallyport_bot", "/STATUS"])
    expect(isAddressed(command(text), ME)).toBe(true);
  for (const text of ["/status@other_bot", "/nothing"]) expect(isAddressed(command(text), ME)).toBe(false);
  for (const odd of [{}, { text: 5 }, { entities: "x" }]) expect(isAddressed(inGroup(odd), ME)).toBe(false);
});

test("the name is taken from the beginning of what is said, and from nowhere else", () => {
  expect(withoutMention("@sallyport_bot, do it", ME)).toBe("do it");
  expect(withoutMention("@SALLYPORT_BOT do @sallyport_bot", ME)).toBe("do @sallyport_bot");
  expect(withoutMention("@sallyport_bottle", ME)).toBe("@sallyport_bottle");
  expect(withoutMention("ask @sallyport_bot", ME)).toBe("ask @sallyport_bot");
});

test("that a group became a supergroup is read in both chats", () => {
  expect(moveIn(inGroup({ migrate_to_chat_id: -1005 }))).toEqual({ from: -5, to: -1005 });
  expect(moveIn(inGroup({ migrate_from_chat_id: -4 }))).toEqual({ from: -4, to: -5 });
  expect(moveIn(inGroup({ text: "x" }))).toBeNull();
});
