import type { Config } from "../config/config.ts";
import type { AuditEvent } from "../domain/audit-event.ts";
import type { Now } from "../domain/clock.ts";
import type { LogoutCause, Role, TokenRefusal } from "../domain/person.ts";
import type { ConversationRef } from "../domain/request.ts";
import type { Invite } from "../store/invites.ts";
import type { Login } from "../store/logins.ts";
import type { Store } from "../store/store.ts";
import { createLockOut } from "./lock-out.ts";
import { digestOfToken, findByDigest, makeToken } from "./login-token.ts";
import type { People } from "./people.ts";

/** How many invites may be open: each login looks at all of them. */
const MAX_OPEN = 50;
const DAY_MS = 86_400_000;

/** Who asks, and where; null at the machine. */
export interface Asker {
  readonly userId: number | null;
  readonly conversation: ConversationRef | null;
}

/** What a login came to. `role` is the one that its person has now: the settings may give a higher one. `ignored` = the door is closed: nothing was looked at. */
export type LoginEnd =
  | { readonly kind: "in"; readonly role: Role; readonly until: number; readonly invite: Invite }
  | { readonly kind: "refused"; readonly reason: TokenRefusal }
  | { readonly kind: "ignored" };

/** What revoking a person came to: whether a login was ended, and how many open invites of his were taken back. */
export interface Revoked {
  readonly hadLogin: boolean;
  readonly invites: number;
}

/** A person who may come in, for owners' eyes. */
export interface Admitted {
  readonly userId: number;
  readonly role: Role;
  readonly isListed: boolean;
  readonly login: { readonly until: number; readonly seenAt: number } | null;
}

interface AccessDeps {
  readonly access: Config["access"];
  /** Null where no tokens are taken. */
  readonly secret: string | null;
  readonly store: Pick<Store, "invites" | "logins" | "loginFailures">;
  readonly people: People;
  readonly record: (event: AuditEvent, who: Asker) => void;
  readonly now: Now;
}

/**
 * Invites and logins. All but the digest and what only looks is called inside a transaction and puts itself on record.
 * A token in clear leaves this room once: to whoever it is shown to when it is made.
 */
export interface Access {
  /** Tokens are taken at all. */
  readonly isOn: boolean;
  readonly digestOf: (token: string) => string;
  /** False where a login of that person would not be looked at: no tokens are taken, not from strangers, or too many failed. */
  readonly isOpenFor: (userId: number) => boolean;
  readonly logIn: (digest: string, who: Asker & { readonly userId: number }) => LoginEnd;
  /** False when the person is not logged in. */
  readonly logOut: (who: Asker & { readonly userId: number }) => boolean;
  /** True when the person has a login that began after that time (ms since the epoch). */
  readonly hasBegunSince: (userId: number, at: number) => boolean;
  /** Null when too many are open. */
  readonly invite: (
    role: Role,
    days: number,
    by: Asker,
  ) => { readonly token: string; readonly invite: Invite } | null;
  readonly revokeInvite: (id: number, by: Asker) => boolean;
  /** Revokes the invite of a token that others have seen. */
  readonly burn: (digest: string, by: Asker) => void;
  /** Ends the person's login, and takes back the invites that he made and nobody has used. */
  readonly revokePerson: (userId: number, by: Asker) => Revoked;
  /** True when the time of a login is over that was not ended yet. */
  readonly isOverdue: () => boolean;
  /** Ends the logins and invites whose time is over, and gives the logins. */
  readonly sweep: () => readonly { readonly userId: number; readonly cause: LogoutCause }[];
  /** Ends every login, and takes back the open invites that people made; those made at the machine go on. */
  readonly endAll: (by: Asker) => void;
  readonly people: () => readonly Admitted[];
  /** Those that count just now. */
  readonly openInvites: () => readonly Invite[];
}

export function createAccess({ access, secret, store, people, record, now }: AccessDeps): Access {
  const { invites, logins } = store;
  const lockOut = createLockOut({ failures: store.loginFailures, now });

  function isOpenFor(userId: number): boolean {
    const isListed = people.isListed(userId);
    const isTaken = isListed ? access.takesTokens || access.needsToken : access.takesTokens;
    return secret !== null && isTaken && !lockOut.isLocked(userId, isListed);
  }

  function end(login: Login, cause: LogoutCause, who: Asker = nowhere(login.userId)): void {
    if (logins.end(login.userId)) record({ type: "auth.logout", cause }, who);
  }

  function refuse(reason: TokenRefusal, who: Asker & { readonly userId: number }): LoginEnd {
    record({ type: "auth.failure", reason: `token_${reason}`, unrecorded: 0 }, who);
    if (reason === "used") record({ type: "violation.replay", what: "token" }, who);
    for (const lockout of lockOut.failed(who.userId)) record({ type: "auth.lockout", ...lockout }, who);
    return { kind: "refused", reason };
  }

  function reasonOf(invite: Invite | null): TokenRefusal {
    if (invite === null) return "unknown";
    if (invite.usedBy !== null) return "used";
    return invite.settledAt !== null && invite.settledAt >= invite.expiresAt ? "expired" : "revoked";
  }

  /** An invite is worth what its maker is worth now: one of somebody who is no owner any more makes nobody one. */
  const openInvites = (): readonly Invite[] =>
    invites.open().filter(({ madeBy }) => madeBy === null || people.owners.has(madeBy));

  const revokeInvite = (id: number, by: Asker): boolean => {
    if (!invites.revoke(id)) return false;
    record({ type: "auth.revoke", what: "invite", id }, by);
    return true;
  };

  return {
    isOn: secret !== null && (access.takesTokens || access.needsToken),
    digestOf: (token) => digestOfToken(secret ?? "", token),
    isOpenFor,
    logIn: (digest, who) => {
      const { userId } = who;
      if (!isOpenFor(userId)) return { kind: "ignored" };
      record({ type: "auth.attempt" }, who);
      invites.expire();
      const invite = findByDigest(openInvites(), digest);
      if (invite === null || !invites.use(invite.id, userId))
        return refuse(reasonOf(invites.ofDigest(digest)), who);
      const before = logins.of(userId);
      if (before) end(before, people.endOf(before) ?? "replaced");
      const { role } = invite;
      const isSecondFactor = people.isListed(userId);
      const login = logins.begin({ userId, role, inviteId: invite.id, isSecondFactor });
      lockOut.forgive(userId);
      record({ type: "auth.login", role, inviteId: invite.id, isSecondFactor }, who);
      return { kind: "in", role: people.roleOf(userId) ?? role, until: people.untilOf(login), invite };
    },
    logOut: (who) => {
      const login = logins.of(who.userId);
      if (login) end(login, "asked", who);
      return login !== null;
    },
    hasBegunSince: (userId, at) => (logins.of(userId)?.beganAt ?? at) > at,
    invite: (role, days, by) => {
      if (openInvites().length >= MAX_OPEN) return null;
      const token = makeToken();
      const digest = digestOfToken(secret ?? "", token);
      const invite = invites.make({ digest, role, madeBy: by.userId, expiresAt: now() + days * DAY_MS });
      record({ type: "auth.invite", id: invite.id, role, expiresAt: invite.expiresAt }, by);
      return { token, invite };
    },
    revokeInvite,
    burn: (digest, by) => {
      const invite = findByDigest(invites.open(), digest);
      if (invite) revokeInvite(invite.id, by);
    },
    revokePerson: (userId, by) => {
      const made = invites.open().filter(({ madeBy }) => madeBy === userId);
      for (const { id } of made) revokeInvite(id, by);
      const hadLogin = logins.end(userId);
      if (hadLogin) record({ type: "auth.revoke", what: "login", id: userId }, by);
      return { hadLogin, invites: made.length };
    },
    isOverdue: () => logins.current().some((login) => people.endOf(login) !== null),
    sweep: () => {
      invites.expire();
      return logins.current().flatMap((login) => {
        const cause = people.endOf(login);
        if (cause === null) return [];
        end(login, cause);
        return [{ userId: login.userId, cause }];
      });
    },
    endAll: (by) => {
      for (const { id, madeBy } of invites.open()) if (madeBy !== null) revokeInvite(id, by);
      for (const login of logins.current())
        end(login, "locked", { ...nowhere(login.userId), conversation: by.conversation });
    },
    people: () =>
      people.all().flatMap((userId) => {
        const role = people.roleOf(userId);
        const login = logins.of(userId);
        const isListed = people.isListed(userId);
        const shown = login && { until: people.untilOf(login), seenAt: login.seenAt };
        return role === null ? [] : [{ userId, role, isListed, login: shown }];
      }),
    openInvites,
  };
}

function nowhere(userId: number): Asker {
  return { userId, conversation: null };
}
