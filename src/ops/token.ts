import type { Config } from "../config/config.ts";
import { readEnvironment } from "../config/environment.ts";
import { loadConfig } from "../config/load.ts";
import { systemNow } from "../domain/clock.ts";
import { AppError, EXIT } from "../domain/errors.ts";
import type { Role } from "../domain/person.ts";
import { type Access, createAccess } from "../security/invitations.ts";
import { createPeople } from "../security/people.ts";
import { prepareHome } from "../store/home.ts";
import { openStore } from "../store/store.ts";
import { takenBackText } from "../telegram/wording-logins.ts";
import { recordHere } from "./record-here.ts";

interface TokenOptions {
  readonly envFile?: string;
}

/** What came of a command, in words; what failed goes to the standard error, and ends with 1. */
type Outcome = { readonly done: string } | { readonly failed: string };

const MAX_DAYS = 30;
/** At the machine no person of Telegram's asks. */
const MACHINE = { userId: null, conversation: null };

/** Makes an invite, prints its token, which nothing keeps, and returns the exit code. Throws `config_invalid`. */
export function createInviteToken(options: TokenOptions & { role: string; days: string }): number {
  const role = roleOf(options.role);
  const days = /^\d{1,2}$/.test(options.days) ? Number(options.days) : 0;
  if (role === null)
    throw new AppError("config_invalid", `--role: expected owner or member, got ${options.role}`);
  if (days < 1 || days > MAX_DAYS)
    throw new AppError("config_invalid", `--days: expected 1 to ${MAX_DAYS}, got ${options.days}`);
  return withAccess(options, (access, { access: { takesTokens } }) => {
    const made = access.invite(role, days, MACHINE);
    if (made === null)
      return { failed: "There are 50 open invites: revoke some first (sallyport token list).\n" };
    const { id, expiresAt } = made.invite;
    const whom = takesTokens ? "Whoever sends it" : "A person of ALLOWED_USERS who sends it";
    const lines = [
      `${made.token}\n`,
      `Invite ${id}, role ${role}, good for one login until ${iso(expiresAt)}. It is not shown again.\n`,
      `${whom} to the bot in a private chat is in: /login <token>\n`,
    ];
    return { done: lines.join("") };
  });
}

/** Prints who may come in and which invites are open, and returns the exit code. */
export function listTokens(options: TokenOptions): number {
  return withAccess(options, (access) => {
    const people = access.people().map(({ userId, role, isListed, login }) => {
      const until = login === null ? "no end" : `until ${iso(login.until)}, seen ${iso(login.seenAt)}`;
      return `${userId}\t${role}\t${isListed ? "whitelist" : "invited"}\t${until}\n`;
    });
    const invites = access
      .openInvites()
      .map(({ id, role, expiresAt }) => `invite ${id}\t${role}\topen\tuntil ${iso(expiresAt)}\n`);
    const lines = [...people, ...invites];
    return { done: lines.length === 0 ? "Nobody may come in, and no invite is open.\n" : lines.join("") };
  });
}

/**
 * Ends the login of a person (`4711`) or an open invite (`invite 3`), says what it did, and returns the exit code: 1 when there was
 * neither. A running daemon takes no request of that person any more, and ends within 2 s what he left running.
 */
export function revokeToken(options: TokenOptions & { what: readonly string[] }): number {
  const [, word, digits] = /^(invite )?([1-9]\d{0,15})$/.exec(options.what.join(" ")) ?? [];
  if (digits === undefined)
    throw new AppError(
      "config_invalid",
      `expected a user id, or "invite" and its number, got ${options.what.join(" ")}`,
    );
  const id = Number(digits);
  return withAccess(options, (access, { access: { allowedUsers } }) => {
    const done = word === undefined ? revokePerson(access, id) : revokeInvite(access, id);
    const isListed = word === undefined && allowedUsers.includes(id);
    const listed = isListed
      ? `${id} stands in ALLOWED_USERS: take it out there and restart the daemon.\n`
      : "";
    return done === null
      ? { failed: `There is no such login and no such open invite.\n${listed}` }
      : { done: done + listed };
  });
}

/** What revoking came to, in words; null when there was nothing to revoke. */
function revokePerson(access: Access, userId: number): string | null {
  const { hadLogin, invites } = access.revokePerson(userId, MACHINE);
  if (!hadLogin && invites === 0) return null;
  return `${hadLogin ? "Revoked.\n" : ""}${invites === 0 ? "" : `${takenBackText(userId, invites)}\n`}`;
}

function revokeInvite(access: Access, id: number): string | null {
  return access.revokeInvite(id, MACHINE) ? "Revoked.\n" : null;
}

/** Prints what came of `act`, which runs in one transaction on the daemon's own database, and gives the exit code. */
function withAccess({ envFile }: TokenOptions, act: (access: Access, config: Config) => Outcome): number {
  const { config, secrets } = loadConfig({ ...readEnvironment(), argv: { envFile } });
  const secret = secrets.tokenSecret?.reveal() ?? null;
  const isOn = config.access.takesTokens || config.access.needsToken;
  if (secret === null || !isOn)
    throw new AppError(
      "config_invalid",
      "No tokens are taken: set ENABLE_TOKEN_AUTH or REQUIRE_TOKEN, and AUTH_TOKEN_SECRET",
    );
  using store = openStore(prepareHome(config.home).database, systemNow, { isGuest: true });
  const record = recordHere(store);
  const people = createPeople({ access: config.access, logins: store.logins, now: systemNow });
  const access = createAccess({ access: config.access, secret, store, people, record, now: systemNow });
  const outcome = store.transaction(() => act(access, config));
  if ("failed" in outcome) {
    process.stderr.write(outcome.failed);
    return EXIT.failure;
  }
  process.stdout.write(outcome.done);
  return EXIT.ok;
}

function roleOf(word: string): Role | null {
  return word === "owner" || word === "member" ? word : null;
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}
