import { expect, test } from "vitest";
import type { RequestBody } from "../../src/domain/request.ts";
import { createAuthenticate } from "../../src/security/authenticate.ts";
import type { People } from "../../src/security/people.ts";
import { peopleBy } from "./people-bench.ts";
import { request, requestOf } from "./requests.ts";

/** People who are in as long as their id is in the set. */
const listing = (ids: ReadonlySet<number>): Pick<People, "roleOf"> => ({
  roleOf: (userId) => (ids.has(userId) ? "member" : null),
});

const bodies: RequestBody[] = [
  { kind: "prompt", text: "hello" },
  { kind: "edit", text: "hello" },
  { kind: "command", name: "status", argument: "" },
  { kind: "button", nonce: "n", callbackId: "c" },
  { kind: "unsupported", what: "sticker" },
];

test("a person on the whitelist is admitted in a private chat, with the request as it came", () => {
  const { gate } = createAuthenticate({ people: listing(new Set([7])), isOpenChat: () => false });
  const asked = request();
  expect(gate(asked)).toEqual({ kind: "admit", request: asked });
});

test("H04: an empty whitelist admits nobody", () => {
  const { gate, isStranger } = createAuthenticate({
    people: peopleBy({ allowedUsers: [] }).people,
    isOpenChat: () => false,
  });
  expect(gate(request())).toMatchObject({ kind: "deny", reason: "not_whitelisted" });
  expect(isStranger(7)).toBe(true);
});

test("H07: every kind of request goes through the same check, buttons, edits and control included", () => {
  const { gate } = createAuthenticate({ people: listing(new Set([7])), isOpenChat: () => false });
  for (const body of bodies)
    for (const kind of ["work", "look", "control"] as const) {
      expect(gate(requestOf(8, { body, kind }))).toMatchObject({ kind: "deny", reason: "not_whitelisted" });
      expect(gate(requestOf(7, { body, kind }))).toMatchObject({ kind: "admit" });
    }
});

test("an arrival without a person behind it is refused, whatever its chat is", () => {
  const { gate, isStranger } = createAuthenticate({ people: listing(new Set([7])), isOpenChat: () => false });
  for (const chatType of ["private", "group", "supergroup", "channel"] as const)
    expect(gate(request({ principal: null, chatType }))).toMatchObject({ kind: "deny", reason: "no_person" });
  expect(isStranger(null)).toBe(true);
});

test("an admitted person is refused outside of private chats, and a stranger there as a stranger", () => {
  const { gate } = createAuthenticate({ people: listing(new Set([7])), isOpenChat: () => false });
  for (const chatType of ["group", "supergroup", "channel"] as const) {
    expect(gate(request({ chatType }))).toMatchObject({ kind: "deny", reason: "not_private" });
    expect(gate(requestOf(8, { chatType }))).toMatchObject({ kind: "deny", reason: "not_whitelisted" });
  }
});

test("in an open group and its supergroup an admitted person is heard, nobody else is, and no channel is one", () => {
  const open = -100;
  const { gate } = createAuthenticate({
    people: listing(new Set([7])),
    isOpenChat: (chatId) => chatId === open,
  });
  const inChat = (chatId: number, chatType: "group" | "supergroup" | "channel") =>
    ({ chatType, conversation: { chatId, threadId: null } }) as const;
  for (const chatType of ["group", "supergroup"] as const) {
    expect(gate(request(inChat(open, chatType)))).toMatchObject({ kind: "admit" });
    expect(gate(requestOf(8, inChat(open, chatType)))).toMatchObject({ reason: "not_whitelisted" });
    expect(gate(request(inChat(-101, chatType)))).toMatchObject({ reason: "not_private" });
  }
  expect(gate(request(inChat(open, "channel")))).toMatchObject({ reason: "not_private" });
});

test("H26: identity is the numeric id: neither a name nor the chat lets anybody in", () => {
  const { gate } = createAuthenticate({ people: listing(new Set([7])), isOpenChat: () => false });
  const impostor = request({
    principal: { userId: 8, displayName: "Ann" },
    conversation: { chatId: 7, threadId: null },
  });
  expect(gate(impostor)).toMatchObject({ kind: "deny", reason: "not_whitelisted" });
  const renamed = request({ principal: { userId: 7, displayName: "Bob" } });
  expect(gate(renamed)).toMatchObject({ kind: "admit" });
});

test("numbers that are no user ids are strangers even when the whitelist holds them", () => {
  const odd = [Number.NaN, 0, -7, 1.5, Number.POSITIVE_INFINITY, 2 ** 53];
  const { isStranger } = createAuthenticate({ people: listing(new Set(odd)), isOpenChat: () => false });
  for (const id of odd) expect(isStranger(id)).toBe(true);
});

test("who is taken out of the whitelist is out at the next request", () => {
  const allowedUsers = new Set([7]);
  const { gate, isStranger } = createAuthenticate({ people: listing(allowedUsers), isOpenChat: () => false });
  expect(gate(request())).toMatchObject({ kind: "admit" });
  allowedUsers.delete(7);
  expect(gate(request())).toMatchObject({ kind: "deny" });
  expect(isStranger(7)).toBe(true);
});
