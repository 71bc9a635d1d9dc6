import type { LogoutCause, Role } from "../domain/person.ts";
import type { Admitted, Revoked } from "../security/invitations.ts";
import type { Invite } from "../store/invites.ts";
import { agoText, momentText, whenText, zone } from "./wording-time.ts";

/** What people read about invites and logins. */
export const ACCESS_WORDS = {
  refused: "That did not work.",
  usage: "Send /login and the token in one message: /login spt_…",
  notHere: "Log in in a private chat with me. A token that was shown here is worth nothing any more.",
  isOff: "No tokens are taken here: ENABLE_TOKEN_AUTH is off.",
  loggedOut: "You are logged out.",
  notLoggedIn: "You are not logged in with a token, so there is nothing to end.",
  ownersOnly: "That is for owners.",
  privately: "Send /invite in a private chat with me: a token is for one pair of eyes.",
  usersPrivately: "Who may come in is shown in a private chat with me alone.",
  inviteUsage: "/invite [member|owner] [days]: the days, 1 to 30, are how long the token is good.",
  tooMany: "There are 50 open invites: revoke some first (/users lists them).",
  unshown: "The token could not be shown, so the invite was revoked. Try again.",
  revokeUsage: "/revoke <user id>, or /revoke invite <number>: /users lists both.",
  nothingToRevoke: "There is no such login and no such open invite.",
  inviteRevoked: "That invite is worth nothing any more.",
  ended: {
    expired: "Your login has come to its end. An owner can give you a new token.",
    idle: "Your login was not used for a while and has ended. An owner can give you a new token.",
  },
} as const;

/** To somebody who has logged in. */
export function welcomeText(role: Role, until: number): string {
  return `You are in, as ${nameOf(role)}. If you do not come back this login ends ${whenText(until)}. /help says what I do.`;
}

/** To the owners, when somebody has logged in. */
export function newcomerText(userId: number, role: Role, invite: Pick<Invite, "id" | "madeBy">): string {
  const by = invite.madeBy === null ? "at the machine" : `by ${invite.madeBy}`;
  return `${userId} has logged in as ${nameOf(role)} with the invite ${invite.id}, made ${by}. /revoke ${userId} ends that.`;
}

/** The one time that a token is shown. */
export function inviteText({ id, role, expiresAt }: Invite, token: string): string {
  return `Invite ${id}, for ${nameOf(role)}, good for one login until ${momentText(expiresAt)} (${zone()}). Whoever sends me this line is in:\n\n/login ${token}\n\nIt is not shown again. /revoke invite ${id} takes it back.`;
}

/** How the person stands once he was revoked. `isOut` = he may not come in. */
interface Standing {
  readonly isListed: boolean;
  readonly isOut: boolean;
}

/** What revoking a person came to; null for somebody of whom there was nothing. */
export function revokedText(
  userId: number,
  { hadLogin, invites }: Revoked,
  { isListed, isOut }: Standing,
): string | null {
  if (!hadLogin && invites === 0 && !isListed) return null;
  const left = isOut ? ", and so is what he left running" : "";
  const parts = [
    hadLogin ? `The login of ${userId} is ended${left}.` : "",
    invites === 0 ? "" : takenBackText(userId, invites),
    isListed
      ? `${userId} stands in ALLOWED_USERS, which is the file of whoever runs this machine: he is taken out there, and the bot started anew.`
      : `${userId} cannot come in any more.`,
  ];
  return parts.filter((part) => part !== "").join(" ");
}

/** So many open invites that a person made are worth nothing any more. */
export function takenBackText(userId: number, invites: number): string {
  return `${invites === 1 ? "1 open invite" : `${invites} open invites`} that ${userId} made ${invites === 1 ? "is" : "are"} taken back.`;
}

/** Everybody who may come in, and what invites are open. */
export function usersText(people: readonly Admitted[], invites: readonly Invite[], now: number): string {
  const lines = people.map(({ userId, role, isListed, login }) => {
    const listed = isListed ? ", whitelist" : "";
    const until =
      login === null ? "" : `, until ${momentText(login.until)}, seen ${agoText(now - login.seenAt)}`;
    return `${userId}: ${role}${listed}${until}`;
  });
  const open = invites.map(({ id, role, madeBy, expiresAt }) => {
    const by = madeBy === null ? "the machine" : String(madeBy);
    return `invite ${id}: ${role}, by ${by}, until ${momentText(expiresAt)}`;
  });
  return [...lines, ...(open.length === 0 ? ["No open invites."] : open), `(${zone()})`].join("\n");
}

/** To somebody whose login has ended by itself; null where he knows or need not be told. */
export function endedText(cause: LogoutCause): string | null {
  return cause === "expired" || cause === "idle" ? ACCESS_WORDS.ended[cause] : null;
}

function nameOf(role: Role): string {
  return role === "owner" ? "an owner" : "a member";
}

/**
 * To the owners: who has knocked since they were last told. `logins` of the contacts were logins that were refused. `isMore` = there
 * were more people than are named.
 */
export function strangersText({
  contacts,
  logins,
  people,
  isMore,
}: {
  readonly contacts: number;
  readonly logins: number;
  readonly people: readonly (number | null)[];
  readonly isMore: boolean;
}): string {
  const [first = null] = people;
  if (contacts === 1) {
    const who = first === null ? "in the name of a chat" : `id ${first}`;
    const did = logins === 0 ? "written to me" : "tried to log in with a token that is not good";
    return `Somebody who is not admitted has ${did} (${who}). He stays out.`;
  }
  const count = people.length === 1 ? `1 person (id ${first ?? "unknown"})` : `${people.length} people`;
  const [is, out] =
    people.length === 1 ? ["is not admitted has", "He stays"] : ["are not admitted have", "They stay"];
  const tried = logins === 0 ? "" : ` ${logins} of these were logins with a token that is not good.`;
  return `${count}${isMore ? " or more" : ""} who ${is} written to me ${contacts} times since I last told you.${tried} ${out} out.`;
}
