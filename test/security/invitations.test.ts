import { createHmac } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hideTokens, tokenIn } from "../../src/domain/login-token.ts";
import type { Role } from "../../src/domain/person.ts";
import { digestOfToken, findByDigest, makeToken } from "../../src/security/login-token.ts";
import { HOUR_MS, type PeopleBench, peopleBy, SECRET } from "./people-bench.ts";

const DAY_MS = 24 * HOUR_MS;
const OWNER = 1;
const NEWCOMER = 5;
const OTHER = 6;
const HERE = { chatId: NEWCOMER, threadId: null };
const BY = { userId: OWNER, conversation: null };

const settings = { allowedUsers: [OWNER], ownerUsers: [OWNER], takesTokens: true };

/** Makes an invite and gives the digest of its token, and the token. */
function invited({ access }: PeopleBench, role: Role = "member", days = 1) {
  const made = access.invite(role, days, BY);
  if (!made) throw new Error("no invite was made");
  return { ...made, digest: access.digestOf(made.token) };
}

/** The same at the machine, which asks for no owner. */
const madeAtMachine = ({ access }: Pick<PeopleBench, "access">, role: Role = "member"): string =>
  access.digestOf(access.invite(role, 1, { userId: null, conversation: null })?.token ?? "");

const logIn = ({ access }: Pick<PeopleBench, "access">, digest: string, userId = NEWCOMER) =>
  access.logIn(digest, { userId, conversation: HERE });

const typesOf = ({ events }: PeopleBench): readonly string[] => events.map(({ type }) => type);

test("an invite of an owner admits one person, once, in the role that it names", () => {
  const bench = peopleBy(settings);
  expect(bench.people.roleOf(NEWCOMER)).toBeNull();
  const { digest, invite } = invited(bench, "owner");
  expect(logIn(bench, digest)).toEqual({
    kind: "in",
    role: "owner",
    until: bench.clock() + 42 * HOUR_MS,
    invite,
  });
  expect(bench.people.roleOf(NEWCOMER)).toBe("owner");
  expect(bench.people.owners.all()).toEqual([OWNER, NEWCOMER]);
  expect(bench.events).toEqual([
    { type: "auth.invite", id: invite.id, role: "owner", expiresAt: bench.clock() + DAY_MS },
    { type: "auth.attempt" },
    { type: "auth.login", role: "owner", inviteId: invite.id, isSecondFactor: false },
  ]);
});

test("who is told in what role he is in is told the one that he has: the settings' own where that is higher", () => {
  const bench = peopleBy(settings);
  expect(logIn(bench, invited(bench).digest, OWNER)).toMatchObject({ kind: "in", role: "owner" });
  expect(bench.events.at(-1)).toMatchObject({ type: "auth.login", role: "member" }); // what the token was for
});

test("a token that was used admits nobody, not even the same person again, and that is on record", () => {
  const bench = peopleBy(settings);
  const { digest } = invited(bench);
  logIn(bench, digest);
  for (const userId of [OTHER, NEWCOMER]) {
    bench.events.length = 0;
    expect(logIn(bench, digest, userId)).toEqual({ kind: "refused", reason: "used" });
    expect(bench.events).toEqual([
      { type: "auth.attempt" },
      { type: "auth.failure", reason: "token_used", unrecorded: 0 },
      { type: "violation.replay", what: "token" },
    ]);
  }
  expect(bench.people.roleOf(OTHER)).toBeNull();
});

test("a token is good to its last millisecond; past it, revoked, made up, or of another secret it admits nobody", () => {
  const bench = peopleBy(settings);
  const [edge, past, revoked, foreign] = [invited(bench), invited(bench), invited(bench), invited(bench)];
  expect(bench.access.revokeInvite(revoked.invite.id, BY)).toBe(true);
  expect(bench.access.revokeInvite(revoked.invite.id, BY)).toBe(false);
  bench.clock.turn(DAY_MS - 1);
  expect(logIn(bench, edge.digest)).toMatchObject({ kind: "in" });
  expect(logIn(bench, digestOfToken(`${SECRET}!`, foreign.token), OTHER)).toMatchObject({
    reason: "unknown",
  });
  expect(logIn(bench, bench.access.digestOf(makeToken()), OTHER)).toMatchObject({ reason: "unknown" });
  expect(logIn(bench, revoked.digest, OTHER)).toMatchObject({ reason: "revoked" });
  bench.clock.turn(1);
  expect(logIn(bench, past.digest, OTHER)).toMatchObject({ reason: "expired" });
  expect(bench.access.revokeInvite(past.invite.id, BY)).toBe(false);
  expect(typesOf(bench), "only a token that was used is a replay").not.toContain("violation.replay");
  expect(bench.people.roleOf(OTHER)).toBeNull();
});

test("a token that was refused as past its time, or swept away, is not good again when the clock is set back", () => {
  const bench = peopleBy(settings);
  const [refused, swept] = [invited(bench), invited(bench)];
  bench.clock.turn(DAY_MS);
  expect(logIn(bench, refused.digest)).toEqual({ kind: "refused", reason: "expired" });
  bench.clock.turn(-DAY_MS);
  expect(logIn(bench, refused.digest)).toEqual({ kind: "refused", reason: "expired" });
  expect(logIn(bench, swept.digest)).toEqual({ kind: "refused", reason: "expired" });
  const { digest } = invited(bench);
  bench.clock.turn(DAY_MS);
  bench.access.sweep();
  bench.clock.turn(-DAY_MS);
  expect(logIn(bench, digest)).toEqual({ kind: "refused", reason: "expired" });
  expect(bench.access.openInvites()).toEqual([]);
});

test("H08: what is stored of a token is its HMAC-SHA256 under the very secret, and nothing of the token", () => {
  const bench = peopleBy(settings);
  const { token, invite } = invited(bench);
  expect(token).toMatch(/^spt_[\w-]{43}$/);
  expect(invite.digest).toBe(createHmac("sha256", SECRET).update(token).digest("hex"));
  expect(JSON.stringify(bench.store.invites.open())).not.toContain(token.slice(4));
  expect(new Set(Array.from({ length: 100 }, makeToken)).size).toBe(100);
});

test("H08: a digest is compared whole, and every candidate is looked at wherever the match stands", () => {
  const looked: string[] = [];
  const candidates = ["aa", "bb", "cc"].map((digest) => ({
    get digest() {
      looked.push(digest);
      return digest;
    },
  }));
  for (const wanted of ["aa", "cc", "zz", "a", "aab", ""]) {
    looked.length = 0;
    const found = findByDigest(candidates, wanted);
    expect(found === null ? null : found.digest).toBe(["aa", "cc"].includes(wanted) ? wanted : null);
    expect(new Set(looked)).toEqual(new Set(["aa", "bb", "cc"]));
  }
});

describe("a login ends", () => {
  test("a week after its begin, however much it was used", () => {
    const bench = peopleBy(settings);
    logIn(bench, invited(bench).digest);
    for (let hour = 1; hour < 168; hour += 1) {
      bench.clock.turn(HOUR_MS);
      bench.store.logins.seen(NEWCOMER);
      expect(bench.people.roleOf(NEWCOMER)).toBe("member");
    }
    bench.clock.turn(HOUR_MS - 1);
    expect(bench.people.roleOf(NEWCOMER)).toBe("member");
    expect(bench.access.isOverdue()).toBe(false);
    bench.clock.turn(1);
    expect(bench.people.roleOf(NEWCOMER)).toBeNull();
    expect(bench.access.isOverdue()).toBe(true);
    expect(bench.access.sweep()).toEqual([{ userId: NEWCOMER, cause: "expired" }]);
    expect(bench.events.at(-1)).toEqual({ type: "auth.logout", cause: "expired" });
    expect(bench.access.sweep()).toEqual([]);
    expect(bench.store.logins.of(NEWCOMER)).toBeNull();
  });

  test("after a quarter of that when it is not used", () => {
    const bench = peopleBy(settings);
    logIn(bench, invited(bench).digest);
    bench.clock.turn(42 * HOUR_MS - 1);
    expect(bench.people.roleOf(NEWCOMER)).toBe("member");
    bench.clock.turn(1);
    expect(bench.people.roleOf(NEWCOMER)).toBeNull();
    expect(bench.access.sweep()).toEqual([{ userId: NEWCOMER, cause: "idle" }]);
  });

  test("when the clock it began under was far ahead", () => {
    const bench = peopleBy(settings);
    logIn(bench, invited(bench).digest);
    bench.clock.turn(-60_000);
    expect(bench.people.roleOf(NEWCOMER)).toBe("member");
    bench.clock.turn(-1);
    expect(bench.people.roleOf(NEWCOMER)).toBeNull();
  });

  test("for good where that clock was an hour ahead or more, and for as long as it is ahead where it was set by minutes", () => {
    const bench = peopleBy(settings);
    logIn(bench, invited(bench).digest);
    bench.clock.turn(-HOUR_MS);
    expect(bench.people.roleOf(NEWCOMER)).toBeNull();
    expect(bench.access.sweep()).toEqual([]);
    bench.clock.turn(HOUR_MS - 60_000);
    expect(bench.people.roleOf(NEWCOMER)).toBe("member");
    bench.clock.turn(60_000 - HOUR_MS - 1);
    expect(bench.access.sweep()).toEqual([{ userId: NEWCOMER, cause: "expired" }]);
  });

  test("when its person says so, when he logs in again, and when all are ended", () => {
    const bench = peopleBy(settings);
    expect(bench.access.logOut({ userId: NEWCOMER, conversation: HERE })).toBe(false);
    logIn(bench, invited(bench).digest);
    expect(bench.access.logOut({ userId: NEWCOMER, conversation: HERE })).toBe(true);
    expect(bench.people.roleOf(NEWCOMER)).toBeNull();
    logIn(bench, invited(bench).digest);
    logIn(bench, invited(bench, "owner").digest);
    expect(bench.people.roleOf(NEWCOMER)).toBe("owner");
    bench.access.endAll(BY);
    expect(bench.people.roleOf(NEWCOMER)).toBeNull();
    expect(bench.people.roleOf(OWNER)).toBe("owner");
    const causes = bench.events.flatMap((event) => (event.type === "auth.logout" ? event.cause : []));
    expect(causes).toEqual(["asked", "replaced", "locked"]);
  });
});

test("who is revoked is out at the next look, with the invites that he made", () => {
  const bench = peopleBy(settings);
  logIn(bench, invited(bench, "owner").digest);
  const own = bench.access.invite("owner", 1, { userId: NEWCOMER, conversation: null });
  expect(bench.access.revokePerson(NEWCOMER, BY)).toMatchObject({ hadLogin: true });
  expect(bench.people.roleOf(NEWCOMER)).toBeNull();
  expect(logIn(bench, bench.access.digestOf(own?.token ?? ""), OTHER)).toMatchObject({ reason: "revoked" });
  expect(bench.access.revokePerson(NEWCOMER, BY)).toEqual({ hadLogin: false, invites: 0 });
});

describe("an invite counts while who made it is an owner", () => {
  const two = { ...settings, allowedUsers: [OWNER, OTHER], ownerUsers: [OWNER, OTHER] };
  const OTHERS = { userId: OTHER, conversation: null };

  /** The digest of an owner's token that OTHER has made. */
  const madeByOther = ({ access }: Pick<PeopleBench, "access">): string =>
    access.digestOf(access.invite("owner", 30, OTHERS)?.token ?? "");

  test.each([
    ["not on the whitelist any more", { allowedUsers: [OWNER], ownerUsers: [OWNER] }],
    ["no owner by the settings any more", { ownerUsers: [OWNER] }],
  ])("one of somebody who is %s lets in neither himself nor anybody else", (_, changed) => {
    const bench = peopleBy(two);
    const digest = madeByOther(bench);
    const later = bench.restart({ ...two, ...changed });
    expect(later.access.openInvites()).toEqual([]);
    for (const userId of [OTHER, NEWCOMER]) {
      expect(logIn(later, digest, userId)).toEqual({ kind: "refused", reason: "revoked" });
      expect(later.people.owners.all()).toEqual([OWNER]);
    }
    expect(logIn(bench.restart(two), digest)).toMatchObject({ kind: "in", role: "owner" });
  });

  test("an owner whose login is over does not come back by an invite of his own, nor does /lock leave him one", () => {
    const bench = peopleBy(settings);
    logIn(bench, invited(bench, "owner").digest, OTHER);
    const digest = madeByOther(bench);
    bench.clock.turn(168 * HOUR_MS);
    expect(logIn(bench, digest, OTHER)).toEqual({ kind: "refused", reason: "revoked" });
    logIn(bench, invited(bench, "owner").digest, OTHER);
    const [again, atMachine] = [madeByOther(bench), madeAtMachine(bench)];
    bench.access.endAll(BY);
    expect(bench.access.openInvites()).toMatchObject([{ digest: atMachine }]);
    expect(logIn(bench, invited(bench, "owner").digest, OTHER)).toMatchObject({ kind: "in" });
    expect(logIn(bench, again)).toEqual({ kind: "refused", reason: "revoked" });
    expect(logIn(bench, atMachine)).toMatchObject({ kind: "in" });
  });

  test("fifty that count for nothing keep nobody from making one that does", () => {
    const bench = peopleBy(two);
    for (let count = 0; count < 50; count += 1) madeByOther(bench);
    expect(bench.access.invite("member", 1, BY)).toBeNull();
    expect(bench.restart(settings).access.invite("member", 1, BY)).not.toBeNull();
  });
});

test("logins outlive a restart, and none counts where tokens are not taken any more", () => {
  const bench = peopleBy(settings);
  logIn(bench, invited(bench).digest);
  expect(bench.restart(settings).people.roleOf(NEWCOMER)).toBe("member");
  const closed = bench.restart({ ...settings, takesTokens: false });
  expect(closed.people.roleOf(NEWCOMER)).toBeNull();
  expect(closed.people.all()).toEqual([OWNER]);
  expect(closed.access.isOpenFor(OTHER)).toBe(false);
  expect(bench.restart(settings, null).access.isOpenFor(OTHER)).toBe(false);
});

describe("REQUIRE_TOKEN", () => {
  const strict = { allowedUsers: [OWNER, OTHER], ownerUsers: [OWNER], needsToken: true };

  test("a person of the whitelist is a stranger until he has logged in, and nobody else can", () => {
    const bench = peopleBy(strict);
    expect(bench.people.all()).toEqual([]);
    const digest = madeAtMachine(bench, "owner");
    expect(bench.access.isOpenFor(NEWCOMER)).toBe(false);
    expect(logIn(bench, digest, NEWCOMER)).toEqual({ kind: "ignored" });
    expect(typesOf(bench)).toEqual(["auth.invite"]);
    expect(logIn(bench, digest, OWNER)).toMatchObject({ kind: "in" });
    expect(bench.people.owners.all()).toEqual([OWNER]);
    expect(bench.people.roleOf(OTHER)).toBeNull();
  });

  test("the token says what its person may do: an owner of the settings with a member's token is a member", () => {
    const bench = peopleBy(strict);
    logIn(bench, madeAtMachine(bench), OWNER);
    expect(bench.people.roleOf(OWNER)).toBe("member");
  });

  test("a login of somebody who was on the whitelist is worth nothing once he is not", () => {
    const bench = peopleBy({ ...strict, takesTokens: true });
    logIn(bench, madeAtMachine(bench), OTHER);
    logIn(bench, madeAtMachine(bench), NEWCOMER);
    const later = bench.restart({
      allowedUsers: [OWNER],
      ownerUsers: [OWNER],
      needsToken: true,
      takesTokens: true,
    });
    expect(later.people.roleOf(OTHER)).toBeNull();
    expect(later.people.roleOf(NEWCOMER)).toBe("member");
  });
});

describe("lock-out", () => {
  const guess = (bench: PeopleBench, userId: number) =>
    logIn(bench, bench.access.digestOf(makeToken()), userId);

  test("after five failures a person's logins are not looked at for a quarter of an hour, the true token neither; then twice as long", () => {
    const bench = peopleBy(settings);
    const { digest } = invited(bench, "member", 2);
    let lockMs = 15 * 60_000;
    for (const round of [1, 2, 3]) {
      for (let failure = 1; failure <= 5; failure += 1) {
        expect(bench.access.isOpenFor(NEWCOMER), `round ${round}`).toBe(true);
        expect(guess(bench, NEWCOMER)).toMatchObject({ kind: "refused" });
      }
      expect(bench.events.at(-1)).toEqual({
        type: "auth.lockout",
        scope: "person",
        until: bench.clock() + lockMs,
      });
      expect(logIn(bench, digest)).toEqual({ kind: "ignored" });
      bench.clock.turn(lockMs - 1);
      expect(logIn(bench.restart(settings), digest)).toEqual({ kind: "ignored" }); // over a restart too
      bench.clock.turn(1);
      lockMs *= 2;
    }
    expect(logIn(bench, digest)).toMatchObject({ kind: "in" });
  });

  test("a lock-out lasts a day at most, and a day without a failure forgets them all", () => {
    const bench = peopleBy(settings);
    for (let round = 1; round <= 12; round += 1) {
      for (let failure = 1; failure <= 5; failure += 1) guess(bench, NEWCOMER);
      bench.clock.turn(DAY_MS);
      expect(bench.access.isOpenFor(NEWCOMER)).toBe(true);
    }
    bench.clock.turn(DAY_MS);
    for (let failure = 1; failure <= 5; failure += 1) guess(bench, NEWCOMER);
    bench.clock.turn(15 * 60_000);
    expect(bench.access.isOpenFor(NEWCOMER)).toBe(true);
  });

  test("a clock that is set back locks nobody out for longer, and opens the door to nobody sooner", () => {
    const quarterMs = 15 * 60_000;
    for (const backMs of [1, 3_000, quarterMs, 365 * DAY_MS]) {
      const bench = peopleBy(settings);
      for (let id = 1000; id < 1010; id += 1) for (let no = 1; no <= 5; no += 1) guess(bench, id);
      const doors = (): readonly boolean[] => [1000, OTHER].map(bench.access.isOpenFor);
      expect(doors()).toEqual([false, false]);
      bench.clock.turn(-backMs);
      expect(doors(), `${backMs} ms back`).toEqual([false, false]);
      bench.clock.turn(quarterMs - 1);
      expect(doors()).toEqual([false, false]);
      bench.clock.turn(1);
      expect(doors()).toEqual([true, true]);
    }
  });

  test("a slip of somebody on the whitelist does not open a door that is closed to all strangers", () => {
    const bench = peopleBy(settings);
    for (let id = 1000; id < 1050; id += 1) guess(bench, id);
    expect(guess(bench, OWNER)).toMatchObject({ kind: "refused" });
    expect(bench.access.isOpenFor(OTHER)).toBe(false);
    bench.clock.turn(15 * 60_000);
    expect(bench.access.isOpenFor(OTHER)).toBe(true);
  });

  test("a success forgets the failures of that person", () => {
    const bench = peopleBy(settings);
    for (let round = 1; round <= 3; round += 1) {
      for (let failure = 1; failure <= 4; failure += 1) guess(bench, NEWCOMER);
      expect(logIn(bench, invited(bench).digest)).toMatchObject({ kind: "in" });
    }
  });

  test("guessing from many accounts closes the door for all strangers after 50, for nobody who is in, and not for the whitelist", () => {
    const bench = peopleBy({ ...settings, needsToken: true });
    logIn(bench, madeAtMachine(bench), OTHER);
    for (let id = 1000; id < 1050; id += 1) {
      expect(bench.access.isOpenFor(id)).toBe(true);
      guess(bench, id);
    }
    expect(bench.events.at(-1)).toMatchObject({ type: "auth.lockout", scope: "everybody" });
    expect(guess(bench, 1050)).toEqual({ kind: "ignored" });
    expect(bench.people.roleOf(OTHER)).toBe("member");
    expect(logIn(bench, madeAtMachine(bench, "owner"), OWNER)).toMatchObject({ kind: "in" });
    bench.clock.turn(15 * 60_000);
    expect(bench.access.isOpenFor(1050)).toBe(true);
  });
});

test("no more than 50 invites are open at a time", () => {
  const bench = peopleBy(settings);
  for (let count = 0; count < 50; count += 1) invited(bench);
  expect(bench.access.invite("member", 1, BY)).toBeNull();
  bench.clock.turn(DAY_MS);
  expect(bench.access.invite("member", 1, BY)).not.toBeNull();
});

test("H35: a token is found in any text and hidden at its length, and only a whole /login line is a login", () => {
  const token = fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => `spt_${Buffer.from(bytes).toString("base64url")}`);
  fc.assert(
    fc.property(token, fc.string(), fc.string(), (one, before, after) => {
      const text = `${before} ${one}${after}`;
      const hidden = hideTokens(text);
      expect(hidden).toHaveLength(text.length);
      expect(hidden).not.toContain(one);
      expect(hideTokens(before + after).length).toBe((before + after).length);
      expect(tokenIn(`/login ${one}`)).toBe(one);
      expect(tokenIn(`/login@a_bot  ${one}\n`)).toBe(one);
      for (const no of [
        one,
        `login ${one}`,
        ` /login ${one}`,
        `/login ${one} x`,
        `/logins ${one}`,
        `/login ${one.slice(0, -1)}`,
      ])
        expect(tokenIn(no)).toBeNull();
    }),
  );
});
