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
