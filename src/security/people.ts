import type { Config } from "../config/config.ts";
import type { Now } from "../domain/clock.ts";
import type { LogoutCause, Owners, Role } from "../domain/person.ts";
import type { Login, Logins } from "../store/logins.ts";

/** A login ends when it was not used for so large a part of its life. */
const IDLE_PART = 4;
/** A login that began so far ahead, by the clock of now, is worth nothing until then: one of the two clocks is wrong. */
const MOST_AHEAD_MS = 60_000;
/** No clock is set by so much in its daily run: the login was made under one that was wrong, and is over. */
const FAR_AHEAD_MS = 3_600_000;

interface PeopleDeps {
  readonly access: Config["access"];
  readonly logins: Pick<Logins, "of" | "current">;
  readonly now: Now;
}

/**
 * Who may come in, by the settings and by the logins on the disk. Nothing is remembered from one call to the next: a login
 * that was revoked, by whatever process, is worth nothing at the next call.
 */
export interface People {
  /** Null for a stranger. */
  readonly roleOf: (userId: number) => Role | null;
  readonly owners: Owners;
  /** Everybody who may come in just now, those of the whitelist first. */
  readonly all: () => readonly number[];
  readonly isListed: (userId: number) => boolean;
  /** Why the time of a login is over; null while it is not. */
  readonly endOf: (login: Login) => Extract<LogoutCause, "expired" | "idle"> | null;
  /** When a login ends if its person does not come back (ms since the epoch). */
  readonly untilOf: (login: Login) => number;
}

/**
 * Where a token is a second factor (`REQUIRE_TOKEN`), the token says what its person may do. Else the settings and the login
 * each give a role, and the higher one counts.
 */
export function createPeople({ access, logins, now }: PeopleDeps): People {
  const listed = new Set(access.allowedUsers);
  const listedOwners = new Set(access.ownerUsers);
  const hasLogins = access.takesTokens || access.needsToken;
  const idleMs = access.sessionMs / IDLE_PART;

  const endOf: People["endOf"] = ({ beganAt, seenAt }) => {
    const at = now();
    if (at - beganAt >= access.sessionMs || beganAt - at > FAR_AHEAD_MS) return "expired";
    return at - seenAt >= idleMs ? "idle" : null;
  };

  function counts(login: Login): boolean {
    const isWanted = login.isSecondFactor ? listed.has(login.userId) : access.takesTokens;
    return isWanted && login.beganAt - now() <= MOST_AHEAD_MS && endOf(login) === null;
  }

  function byLogin(userId: number): Role | null {
    const login = hasLogins ? logins.of(userId) : null;
    return login !== null && counts(login) ? login.role : null;
  }

  function bySettings(userId: number): Role | null {
    if (!listed.has(userId)) return null;
    return listedOwners.has(userId) ? "owner" : "member";
  }

  function roleOf(userId: number): Role | null {
    const [own, lent] = [bySettings(userId), byLogin(userId)];
    if (access.needsToken) return lent;
    return own === "owner" || lent === "owner" ? "owner" : (own ?? lent);
  }

  function all(): readonly number[] {
    const others = hasLogins ? logins.current().map(({ userId }) => userId) : [];
    return [...new Set([...listed, ...others])].filter((userId) => roleOf(userId) !== null);
  }

  return {
    roleOf,
    owners: {
      has: (userId) => roleOf(userId) === "owner",
      all: () => all().filter((userId) => roleOf(userId) === "owner"),
    },
    all,
    isListed: (userId) => listed.has(userId),
    endOf,
    untilOf: ({ beganAt, seenAt }) => Math.min(beganAt + access.sessionMs, seenAt + idleMs),
  };
}
