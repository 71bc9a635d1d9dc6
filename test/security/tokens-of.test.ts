import { expect, test } from "vitest";
import { createTokensOf } from "../../src/security/tokens-of.ts";
import { testStore } from "../support/store.ts";
import { request } from "./requests.ts";

const CHAT = { chatId: 7, threadId: null };

/** Tokens by a real store, and a work of message `messageId` in the private chat of person 7. */
function world() {
  const store = testStore();
  const conversationId = store.conversations.at(CHAT).id;
  const work = (messageId: number): number => {
    const key = `m${messageId}`;
    const draft = { uuid: key, dedupeKey: key, conversationId, userId: 7, project: "p", text: key };
    return store.work.submit({ ...draft, messageId })?.id ?? 0;
  };
  return { store, work, tokensOf: createTokensOf({ store, isOwner: () => false }) };
}

const edit = (messageId: number, where = CHAT) =>
  request({ kind: "look", conversation: where, messageId, body: { kind: "edit", text: "better" } });

test("what starts work or looks takes one token, control takes none", () => {
  const { tokensOf } = world();
  expect([request(), request({ kind: "look" }), request({ kind: "control" })].map(tokensOf)).toEqual([
    1, 1, 0,
  ]);
});

test("the correction of a message that waits takes no token, any other edit takes one", () => {
  const { store, work, tokensOf } = world();
  const [queued, offered, running, dropped] = [work(1), work(2), work(3), work(4)];
  store.offered.take(offered);
  store.work.prepare(running, "session", 5);
  store.work.end(dropped, "dropped");
  expect([1, 2, 3, 4, 5].map((messageId) => tokensOf(edit(messageId)))).toEqual([0, 0, 1, 1, 1]);
  expect(tokensOf(edit(1, { chatId: 8, threadId: null }))).toBe(1);
  expect(store.work.get(queued)?.state).toBe("queued");
});
