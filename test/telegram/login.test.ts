import { expect, test } from "vitest";
import { makeToken } from "../../src/security/login-token.ts";
import { createDoorBench, type DoorBench } from "../support/door.ts";

const STRANGER = 66;
const SECRET = "a-secret-of-thirty-two-characters";

const typesOf = ({ store }: DoorBench, userId: number): readonly string[] =>
  [...store.audit.rows()].filter((row) => row.userId === userId).map(({ type }) => type);

const isTaken = ({ api }: DoorBench) =>
  api.waitFor(() => api.pendingUpdates().length === 0, { what: "all updates are taken" });

test("while the bot is locked a stranger's logins lead to nothing: no row, no call, and owners are told of the knocking", async () => {
  const bench = await createDoorBench({ tokenSecret: SECRET });
  bench.live();
  bench.owner.send("/lock");
  await bench.owner.reads("🔒 Locked.");
  const stranger = bench.chatOf(STRANGER);
  for (let guess = 1; guess <= 30; guess += 1) stranger.send(`/login ${makeToken()}`);
  await bench.owner.reads("who is not admitted has written to me");
  await isTaken(bench);
  bench.owner.send("/help");
  await bench.owner.reads("/status:");
  expect(bench.store.outbox.chats()).not.toContain(STRANGER);
  expect(bench.api.log.filter(({ method }) => method === "deleteMessage")).toEqual([]);
  expect(typesOf(bench, STRANGER)).toEqual(["auth.failure"]);
});

test("owners are told of a stranger who tries tokens, and the message is taken off the screen after the answer", async () => {
  const bench = await createDoorBench({ tokenSecret: SECRET });
  bench.live();
  const stranger = bench.chatOf(STRANGER);
  const { messageId } = stranger.send(`/login ${makeToken()}`);
  await bench.owner.reads("has tried to log in with a token that is not good (id 66)");
  await stranger.reads("That did not work.");
  const isOff = () => bench.api.messages(STRANGER).find((one) => one.messageId === messageId)?.isDeleted;
  await bench.api.waitFor(() => isOff() === true, { what: "the message is deleted" });
  const calls = bench.api.log
    .filter(({ payload }) => payload.chat_id === STRANGER)
    .map(({ method }) => method);
  expect(calls).toEqual(["sendMessage", "deleteMessage"]);
});

test("/revoke says what it ended: of a listed owner with a turn at work only the invite that he made", async () => {
  const bench = await createDoorBench({ tokenSecret: SECRET });
  const life = bench.live();
  bench.partner.send("/invite");
  await bench.partner.reads("good for one login");
  bench.partner.send("long work");
  const turn = await life.asked();
  bench.owner.send("/revoke 9");
  const taken = "1 open invite that 9 made is taken back.";
  const listed =
    "9 stands in ALLOWED_USERS, which is the file of whoever runs this machine: he is taken out there, and the bot started anew.";
  expect((await bench.owner.reads("taken back")).text).toBe(`${taken} ${listed}`);
  expect(turn.signal.aborted).toBe(false);
  bench.owner.send("/invite");
  const { text } = await bench.owner.reads("good for one login");
  bench.partner.send(/\/login \S+/.exec(text)?.[0] ?? "");
  await bench.partner.reads("You are in, as an owner.");
  bench.owner.send("/revoke 9");
  expect((await bench.owner.reads("The login of 9")).text).toBe(`The login of 9 is ended. ${listed}`);
  expect(turn.signal.aborted).toBe(false);
});
