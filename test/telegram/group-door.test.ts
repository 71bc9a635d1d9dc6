import { expect, test } from "vitest";
import type { AuditEvent } from "../../src/domain/audit-event.ts";
import { createLogger } from "../../src/log/logger.ts";
import { createGroupDoor } from "../../src/telegram/group-door.ts";
import { testStore } from "../support/store.ts";

test("a group whose leaving could not be put on record is not left, and is left when it is heard again", () => {
  const left: (string | number)[] = [];
  const recorded: AuditEvent[] = [];
  let isFull = true;
  const door = createGroupDoor({
    api: { leaveChat: async (chatId) => left.push(chatId) > 0 || true },
    store: testStore(),
    record: (event) => {
      if (isFull) throw new Error("database or disk is full");
      recorded.push(event);
    },
    now: () => Date.UTC(2026, 10, 23, 12),
    log: createLogger({ level: "silent", format: "json", secretValues: [] }),
  });
  expect(() => door.leave(-7)).toThrow("full");
  expect(left).toEqual([]);
  isFull = false;
  door.leave(-7);
  door.leave(-7);
  expect(left).toEqual([-7]);
  expect(recorded).toEqual([{ type: "chat.left", chatId: -7, unrecorded: 0 }]);
});

test("each of 300 groups that the bot was put in is left; twenty an hour are on record, and the records count the others", () => {
  let nowMs = Date.UTC(2026, 10, 23, 12);
  const left: (string | number)[] = [];
  const recorded: AuditEvent[] = [];
  const door = createGroupDoor({
    api: { leaveChat: async (chatId) => left.push(chatId) > 0 || true },
    store: testStore(),
    record: (event) => void recorded.push(event),
    now: () => nowMs,
    log: createLogger({ level: "silent", format: "json", secretValues: [] }),
  });
  const groups = Array.from({ length: 300 }, (_, n) => -1000 - n);
  for (const chatId of groups) door.leave(chatId);
  expect(left).toEqual(groups);
  expect(recorded).toHaveLength(20);

  nowMs += 3_600_000;
  door.leave(-7);
  expect(recorded.slice(20)).toEqual([{ type: "chat.left", chatId: -7, unrecorded: 280 }]);
});
