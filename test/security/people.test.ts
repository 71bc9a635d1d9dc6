import { expect, test } from "vitest";
import type { Role } from "../../src/domain/person.ts";
import { peopleBy } from "./people-bench.ts";

const [OWNER, MEMBER, GUEST] = [1, 2, 3];
const settings = { allowedUsers: [OWNER, MEMBER], ownerUsers: [OWNER], takesTokens: true };

/** Those of the settings, with a login of that role for one of them. */
function withLogin(userId: number, role: Role, isSecondFactor = false) {
  const bench = peopleBy(settings);
  const token = bench.access.invite(role, 1, { userId: OWNER, conversation: null });
  if (token === null) throw new Error("no invite was made");
  bench.store.logins.begin({ userId, role, inviteId: token.invite.id, isSecondFactor });
  return bench;
}

test("without a login the settings say who is what, and owners are the owners alone", () => {
  const { people } = peopleBy(settings);
  expect([OWNER, MEMBER, GUEST].map(people.roleOf)).toEqual(["owner", "member", null]);
  expect(people.all()).toEqual([OWNER, MEMBER]);
  expect(people.owners.all()).toEqual([OWNER]);
  expect([OWNER, MEMBER, GUEST].map(people.owners.has)).toEqual([true, false, false]);
});

test.each([
  [OWNER, "member", "owner"],
  [MEMBER, "owner", "owner"],
  [MEMBER, "member", "member"],
  [GUEST, "member", "member"],
  [GUEST, "owner", "owner"],
] as const)(
  "of what the settings and a login give %i, a login as %s, the higher counts: %s",
  (userId, lent, role) => {
    const { people } = withLogin(userId, lent);
    expect(people.roleOf(userId)).toBe(role);
    expect(people.owners.all().includes(userId)).toBe(role === "owner");
  },
);

test("where no tokens are taken any more a login lends nothing, a second factor of then neither", () => {
  for (const isSecondFactor of [true, false]) {
    const bench = withLogin(MEMBER, "owner", isSecondFactor);
    const later = bench.restart({ ...settings, takesTokens: false });
    expect(later.people.roleOf(MEMBER)).toBe("member");
  }
});

test("a login that is over by its time is nobody's, though it has not been swept away yet", () => {
  const bench = withLogin(GUEST, "member");
  expect(bench.people.all()).toEqual([OWNER, MEMBER, GUEST]);
  expect(bench.access.people().map(({ userId }) => userId)).toEqual([OWNER, MEMBER, GUEST]);
  bench.clock.turn(168 * 3_600_000);
  expect(bench.people.all()).toEqual([OWNER, MEMBER]);
  expect(bench.access.people().map(({ userId }) => userId)).toEqual([OWNER, MEMBER]);
});

test("when all logins are ended each is on record under its own person, at the place of whoever did it", () => {
  const bench = withLogin(GUEST, "member");
  const place = { chatId: OWNER, threadId: null };
  bench.access.endAll({ userId: OWNER, conversation: place });
  expect(bench.records.at(-1)).toEqual({
    event: { type: "auth.logout", cause: "locked" },
    who: { userId: GUEST, conversation: place },
  });
  const later = withLogin(GUEST, "member");
  later.clock.turn(168 * 3_600_000);
  later.access.sweep();
  expect(later.records.at(-1)).toEqual({
    event: { type: "auth.logout", cause: "expired" },
    who: { userId: GUEST, conversation: null },
  });
});
