import { expect, test } from "vitest";
import { createIsOpenChat } from "../../src/security/open-chats.ts";

/** A group -5 that became -1005, and a group -6 that became -1006. */
const chats = { movedFrom: (chatId: number) => (chatId < -1_000 ? chatId + 1_000 : null) };

test("H26: a group of the list is open, under its new id too, and no other is", () => {
  const isOpen = createIsOpenChat([-5], chats);
  expect([-5, -1_005].map(isOpen)).toEqual([true, true]);
  expect([-6, -1_006, 5, 0].map(isOpen)).toEqual([false, false, false, false]);
});

test("without a list no group is open, and none is looked up", () => {
  const isOpen = createIsOpenChat([], {
    movedFrom: () => {
      throw new Error("looked up");
    },
  });
  expect([-5, -1_005].map(isOpen)).toEqual([false, false]);
});
