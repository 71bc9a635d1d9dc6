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
import { recordHere } from "./record-here.ts";

interface TokenOptions {
  readonly envFile?: string;
}

const MAX_DAYS = 30;
/** At the machine no person of Telegram's asks. */
const MACHINE = { userId: null, conversation: null };

/** Makes an invite, prints its token, which nothing keeps, and returns the exit code. Throws `config_invalid`. */
export function createInviteToken(options: TokenOptions & { role: string; days: string }): number {
  const role = roleOf(options.role);
  const days = Number(options.days);
  if (role === null)
    throw new AppError("config_invalid", `--role: expected owner or member, got ${options.role}`);
  if (!Number.isInteger(days) || days < 1 || days > MAX_DAYS)
    throw new AppError("config_invalid", `--days: expected 1 to ${MAX_DAYS}, got ${options.days}`);
  return withAccess(options, (access, { access: { takesTokens } }) => {
    const made = access.invite(role, days, MACHINE);
    if (made === null) return "There are 50 open invites: revoke some first (sallyport token list).\n";
    const { id, expiresAt } = made.invite;
    const whom = takesTokens ? "Whoever sends it" : "A person of ALLOWED_USERS who sends it";
    return [
      `${made.token}\n`,
      `Invite ${id}, role ${role}, good for one login until ${iso(expiresAt)}. It is not shown again.\n`,
      `${whom} to the bot in a private chat is in: /login <token>\n`,
    ].join("");
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
    return lines.length === 0 ? "Nobody may come in, and no invite is open.\n" : lines.join("");
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
  let isDone = false;
  const code = withAccess(options, (access, { access: { allowedUsers } }) => {
    isDone = word === undefined ? access.revokePerson(id, MACHINE) : access.revokeInvite(id, MACHINE);
    const listed = word === undefined && allowedUsers.includes(id);
    const said = isDone ? "Revoked.\n" : "There is no such login and no such open invite.\n";
    return listed
      ? `${said}${id} stands in ALLOWED_USERS: take it out there and restart the daemon.\n`
      : said;
  });
  return isDone ? code : EXIT.failure;
}

/** Gives what is printed by `act`, which runs in one transaction on the daemon's own database. */
function withAccess({ envFile }: TokenOptions, act: (access: Access, config: Config) => string): number {
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
  process.stdout.write(store.transaction(() => act(access, config)));
  return EXIT.ok;
}

function roleOf(word: string): Role | null {
  return word === "owner" || word === "member" ? word : null;
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}
