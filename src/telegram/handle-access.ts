import type { Now } from "../domain/clock.ts";
import type { Owners, Role } from "../domain/person.ts";
import type { Request } from "../domain/request.ts";
import type { Access, Asker } from "../security/invitations.ts";
import type { People } from "../security/people.ts";
import type { Store } from "../store/store.ts";
import type { Turns } from "../turns/turns.ts";
import { isForOwner, type RecordRequest } from "./owners-only.ts";
import type { Replies } from "./replies.ts";
import type { Sender } from "./sender.ts";
import { ACCESS_WORDS, inviteText, revokedText, usersText } from "./wording-logins.ts";
import { lateCommandText } from "./wording-recovery.ts";

/** How long an invite is good for when nothing is said. */
const DEFAULT_DAYS = 1;
/** Commands about who may come in. */
const ACCESS_COMMANDS = ["login", "logout", "invite", "revoke", "users"] as const;
type AccessCommand = (typeof ACCESS_COMMANDS)[number];

export interface AccessCommandDeps {
  readonly access: Access;
  readonly people: Pick<People, "isListed" | "roleOf">;
  readonly owners: Owners;
  readonly turns: Pick<Turns, "expel">;
  readonly replies: Replies;
  readonly sender: Pick<Sender, "show">;
  readonly store: Pick<Store, "transaction" | "afterCommit">;
  readonly record: RecordRequest;
  readonly now: Now;
}

interface Asked {
  readonly name: AccessCommand;
  readonly argument: string;
}

/** True for a command of these. */
export function isAccessCommand(name: string): name is AccessCommand {
  return ACCESS_COMMANDS.some((one) => one === name);
}

/** Carries one out, inside a transaction. `/login` comes here only without a well-formed token. */
export function manageAccess(deps: AccessCommandDeps, request: Request, { name, argument }: Asked): void {
  const { access, replies } = deps;
  const by = askerOf(request);
  if (name === "login") {
    replies.tell(request, access.isOn ? ACCESS_WORDS.usage : ACCESS_WORDS.isOff);
    return;
  }
  if (name === "logout") {
    if (isOvertaken(deps, request, { name, userId: by.userId })) return;
    const wasIn = access.logOut(by);
    deps.turns.expel();
    replies.tell(request, wasIn ? ACCESS_WORDS.loggedOut : ACCESS_WORDS.notLoggedIn);
    return;
  }
  if (!isForOwner(deps, request, ACCESS_WORDS.ownersOnly)) return;
  if (name === "invite") invite(deps, request, argument);
  else if (name === "revoke") revoke(deps, request, argument);
  else if (request.chatType !== "private") replies.tell(request, ACCESS_WORDS.usersPrivately);
  else replies.tell(request, usersText(access.people(), access.openInvites(), deps.now()));
}

/** The token is shown by a call that no table holds; when it does not come the invite is taken back. */
function invite(deps: AccessCommandDeps, request: Request, argument: string): void {
  const by = askerOf(request);
  const { access, replies, sender, store } = deps;
  const asked = parseInvite(argument);
  const refusal = !access.isOn
    ? ACCESS_WORDS.isOff
    : request.chatType !== "private"
      ? ACCESS_WORDS.privately
      : asked === null
        ? ACCESS_WORDS.inviteUsage
        : null;
  const made = refusal === null && asked !== null ? access.invite(asked.role, asked.days, by) : null;
  if (made === null) {
    replies.tell(request, refusal ?? ACCESS_WORDS.tooMany);
    return;
  }
  const takeBack = (): void =>
    store.transaction(() => {
      access.revokeInvite(made.invite.id, by);
      replies.tell(request, ACCESS_WORDS.unshown);
    });
  store.afterCommit(() => {
    sender
      .show(request.conversation.chatId, inviteText(made.invite, made.token))
      .then((isShown) => {
        if (!isShown) takeBack();
      }, takeBack)
      .catch(() => undefined); // it cannot be written that it is revoked: nobody has seen the token, and it ends by itself
  });
}

/** Role and days of `/invite`, in any order, each optional. Null when anything else stands there. */
function parseInvite(argument: string): { readonly role: Role; readonly days: number } | null {
  const words = argument
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const roles = words.filter((word) => word === "member" || word === "owner");
  const numbers = words.filter((word) => /^([1-9]|[12]\d|30)$/.test(word));
  if (roles.length > 1 || numbers.length > 1 || roles.length + numbers.length < words.length) return null;
  return { role: roles[0] === "owner" ? "owner" : "member", days: Number(numbers[0] ?? DEFAULT_DAYS) };
}

function revoke(deps: AccessCommandDeps, request: Request, argument: string): void {
  const { access, people, turns, replies } = deps;
  const by = askerOf(request);
  const [, word, digits] = /^(invite\s+)?([1-9]\d{0,15})$/i.exec(argument) ?? [];
  const id = Number(digits);
  if (digits === undefined || !Number.isSafeInteger(id)) {
    replies.tell(request, ACCESS_WORDS.revokeUsage);
    return;
  }
  if (word !== undefined) {
    replies.tell(
      request,
      access.revokeInvite(id, by) ? ACCESS_WORDS.inviteRevoked : ACCESS_WORDS.nothingToRevoke,
    );
    return;
  }
  if (isOvertaken(deps, request, { name: "revoke", userId: id })) return;
  const revoked = access.revokePerson(id, by);
  turns.expel();
  const standing = { isListed: people.isListed(id), isOut: people.roleOf(id) === null };
  replies.tell(request, revokedText(id, revoked, standing) ?? ACCESS_WORDS.nothingToRevoke);
}

/** A command of long ago does not end a login that began after it; who sent it is told. */
function isOvertaken(
  { access, replies, now }: AccessCommandDeps,
  request: Request,
  { name, userId }: { readonly name: AccessCommand; readonly userId: number },
): boolean {
  const { isStale, sentAt } = request;
  if (!isStale || sentAt === null || !access.hasBegunSince(userId, sentAt)) return false;
  replies.tell(request, lateCommandText(name, now() - sentAt));
  return true;
}

function askerOf({ principal, conversation }: Request): Asker & { readonly userId: number } {
  return { userId: principal?.userId ?? 0, conversation };
}
