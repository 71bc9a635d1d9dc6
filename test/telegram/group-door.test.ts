import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { AuditEvent } from "../../src/domain/audit-event.ts";
import { createLogger } from "../../src/log/logger.ts";
import { createIsOpenChat } from "../../src/security/open-chats.ts";
import { createGroupDoor } from "../../src/telegram/group-door.ts";
import { testStore } from "../support/store.ts";

const [TEAM, SUPERTEAM] = [-501, -1000501];
const HOUR_MS = 3_600_000;
/** By when a chat that is not open is left. */
const SOON_MS = 3_000;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 23, 12), toFake: ["setTimeout", "clearTimeout", "Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** The door of a bot for which TEAM is open, with what it has left and put on record. */
function createDoor() {
  const store = testStore();
  const left: (string | number)[] = [];
  const recorded: AuditEvent[] = [];
  const faults: { record: Error | null; leave: Error | null } = { record: null, leave: null };
  let output = "";
  const door = createGroupDoor({
    api: {
      leaveChat: async (chatId) => {
        left.push(chatId);
        if (faults.leave) throw faults.leave;
        return true;
      },
    },
    store,
    record: (event) => {
      if (faults.record) throw faults.record;
      recorded.push(event);
    },
    isOpenChat: createIsOpenChat([TEAM], store.chats),
    now: Date.now,
    log: createLogger({
      level: "info",
      format: "json",
      secretValues: [],
      destination: { write: (text) => (output += text) },
    }),
  });
  const pass = (ms = SOON_MS): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
  return { ...door, left, recorded, faults, pass, log: () => output };
}

test("a group whose leaving could not be put on record is not left, and is left when it is heard again", async () => {
  const { leave, left, recorded, faults, pass } = createDoor();
  faults.record = new Error("database or disk is full");
  leave(-7);
  await pass();
  expect(left).toEqual([]);
  faults.record = null;
  leave(-7);
  leave(-7);
  await pass();
  expect(left).toEqual([-7]);
  expect(recorded).toEqual([{ type: "chat.left", chatId: -7, unrecorded: 0 }]);
});

test("each of 300 groups that the bot was put in is left; twenty an hour are on record, and the records count the others", async () => {
  const { leave, left, recorded, pass } = createDoor();
  const groups = Array.from({ length: 300 }, (_, n) => -1000 - n);
  for (const chatId of groups) leave(chatId);
  await pass();
  expect(left).toEqual(groups);
  expect(recorded).toHaveLength(20);

  await pass(HOUR_MS);
  leave(-7);
  await pass();
  expect(recorded.slice(20)).toEqual([{ type: "chat.left", chatId: -7, unrecorded: 280 }]);
});

test("a group that the bot is put in again is left again, at once too", async () => {
  const { leave, left, pass } = createDoor();
  for (let time = 1; time <= 3; time += 1) {
    leave(-7);
    await pass();
  }
  expect(left).toEqual([-7, -7, -7]);
});

test("a leaving that failed is told as such, and tried again when the group is heard again", async () => {
  const { leave, left, faults, pass, log } = createDoor();
  faults.leave = new Error("Internal Server Error");
  leave(-7);
  await pass();
  expect(log()).toContain("was not left");
  expect(log()).not.toContain('"telegram.left"');
  faults.leave = null;
  leave(-7);
  await pass();
  expect(left).toEqual([-7, -7]);
  expect(log()).toContain('"telegram.left"');
});

test("a supergroup that is heard before it is told that it was an open group is not left", async () => {
  const { leave, move, left, recorded, pass } = createDoor();
  leave(SUPERTEAM);
  await pass(SOON_MS - 1);
  move({ from: TEAM, to: SUPERTEAM });
  await pass(HOUR_MS);
  expect(left).toEqual([]);
  expect(recorded).toEqual([{ type: "chat.moved", from: TEAM, to: SUPERTEAM }]);
});

test("a door that is closed leaves nothing any more", async () => {
  const { leave, close, left, pass } = createDoor();
  leave(-7);
  close();
  await pass(HOUR_MS);
  expect(left).toEqual([]);
});
