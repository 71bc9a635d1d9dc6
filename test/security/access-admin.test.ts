import { expect, test } from "vitest";
import { HOUR_MS, peopleBy } from "./people-bench.ts";

const [OWNER, NEWCOMER, OTHER] = [1, 5, 6];
const BY = { userId: OWNER, conversation: null };
const settings = { allowedUsers: [OWNER], ownerUsers: [OWNER], takesTokens: true };

/** A bench with NEWCOMER logged in as an owner. */
function createBench() {
  const bench = peopleBy(settings);
  const { access } = bench;
  const login = (userId: number, role: "owner" | "member"): void => {
    const made = access.invite(role, 1, BY);
    if (!made) throw new Error("no invite was made");
    access.logIn(access.digestOf(made.token), { userId, conversation: null });
  };
  login(NEWCOMER, "owner");
  bench.events.length = 0;
  return { ...bench, login };
}

test("tokens are on where they are taken or needed, and a secret is there", () => {
  const isOn = (over: object, secret?: string | null): boolean =>
    peopleBy({ ...settings, takesTokens: false, ...over }, secret).access.isOn;
  expect(isOn({})).toBe(false);
  expect(isOn({ takesTokens: true })).toBe(true);
  expect(isOn({ needsToken: true })).toBe(true);
  expect(isOn({ takesTokens: true, needsToken: true })).toBe(true);
  expect(isOn({ takesTokens: true }, null)).toBe(false);
});

test("where tokens are needed of the listed only, the door is open to them and to nobody else", () => {
  const { access } = peopleBy({ ...settings, takesTokens: false, needsToken: true });
  expect([OWNER, NEWCOMER].map(access.isOpenFor)).toEqual([true, false]);
  expect(peopleBy({ ...settings, takesTokens: false }).access.isOpenFor(OWNER)).toBe(false);
});

test("a token that others have seen is burnt: its invite admits nobody, and that is on record", () => {
  const { access, events } = createBench();
  const made = access.invite("member", 1, BY);
  const digest = access.digestOf(made?.token ?? "");
  events.length = 0;
  access.burn(access.digestOf("spt_of-nobody"), BY);
  expect(events).toEqual([]);
  access.burn(digest, BY);
  expect(events).toEqual([{ type: "auth.revoke", what: "invite", id: made?.invite.id }]);
  expect(access.openInvites()).toEqual([]);
  expect(access.logIn(digest, { userId: OTHER, conversation: null })).toEqual({
    kind: "refused",
    reason: "revoked",
  });
});

test("to revoke a person ends the login, and takes back the open invites that are that person's and no others", () => {
  const { access, events } = createBench();
  const his = access.invite("member", 1, { userId: NEWCOMER, conversation: null });
  const mine = access.invite("member", 1, BY);
  events.length = 0;
  expect(access.revokePerson(NEWCOMER, BY)).toEqual({ hadLogin: true, invites: 1 });
  expect(events).toEqual([
    { type: "auth.revoke", what: "invite", id: his?.invite.id },
    { type: "auth.revoke", what: "login", id: NEWCOMER },
  ]);
  expect(access.openInvites().map(({ id }) => id)).toEqual([mine?.invite.id]);
  events.length = 0;
  expect(access.revokePerson(NEWCOMER, BY)).toEqual({ hadLogin: false, invites: 0 });
  expect(events).toEqual([]);
  access.invite("member", 1, { userId: OTHER, conversation: null });
  events.length = 0;
  expect(access.revokePerson(OTHER, BY)).toEqual({ hadLogin: false, invites: 1 });
  expect(events).toHaveLength(1);
});

test("the people are those who may come in, with their role and until when", () => {
  const { access, clock, login } = createBench();
  const seenAt = clock();
  login(OTHER, "member");
  const until = clock() + 42 * HOUR_MS;
  expect(access.people()).toEqual([
    { userId: OWNER, role: "owner", isListed: true, login: null },
    { userId: NEWCOMER, role: "owner", isListed: false, login: { until, seenAt } },
    { userId: OTHER, role: "member", isListed: false, login: { until, seenAt } },
  ]);
});

test("a sweep ends the logins whose time is over, and no others", () => {
  const { access, clock, login } = createBench();
  expect([access.isOverdue(), access.sweep()]).toEqual([false, []]);
  clock.turn(41 * HOUR_MS);
  login(OTHER, "member");
  clock.turn(HOUR_MS);
  expect(access.isOverdue()).toBe(true);
  expect(access.sweep()).toEqual([{ userId: NEWCOMER, cause: "idle" }]);
  expect(access.isOverdue()).toBe(false);
  expect(access.people().map(({ userId }) => userId)).toEqual([OWNER, OTHER]);
});
