import type { Mutation } from "../mutation.ts";

const COMES_IN = "Who is not on the whitelist comes in only with a token";
const COUNTS = "An invite counts while who made it is an owner";
const DIGESTS = "Of a token only its HMAC-SHA256 is stored";
const ENDS = "A login ends after `AUTH_SESSION_HOURS`";
const GROUPS = "In groups of `ALLOWED_CHATS` the same people";
const CLEAR = "A token in clear is shown once";
const STRANGERS = "Strangers get no answer but";
const REVOKED = "Who is revoked is out at the next request";
const LOCK_OUT = "Logins that fail lock the door";
const SECOND = "With `REQUIRE_TOKEN` the id of somebody";

/** Mutations of what is claimed of invites and logins. */
export const LOGINS: readonly Mutation[] = [
  {
    claim: CLEAR,
    gone: "a /login is one only where Telegram marks it as a command",
    edits: [
      [
        "src/telegram/request.ts",
        "const digest = isEdit ? null : loginDigestIn(update);",
        'const digest = command?.name === "login" ? loginDigestIn(update) : null;',
      ],
    ],
    red: ["a /login is one however it is formatted: it is taken off the screen, and guesses are counted"],
  },
  {
    claim: "A key does for whoever presses it",
    gone: "whoever was offered a key about a host may press it for ever",
    edits: [
      ["src/telegram/handle-hosts.ts", "if (!isForOwner(deps, request, HOSTS_FOR_OWNERS)) return;", ""],
    ],
    red: ["an owner who came back as a member can do nothing with the keys that he got as an owner"],
  },
  {
    claim: "A key does for whoever presses it",
    gone: "whoever was offered a key about a secret file may press it for ever",
    edits: [
      [
        "src/telegram/handle-expose.ts",
        "  if (!isForOwner(deps, request, EXPOSE_WORDS.ownersOnly)) return;\n  if (store",
        "  if (store",
      ],
    ],
    red: ["an owner who came back as a member can do nothing with the keys that he got as an owner"],
  },
  {
    claim: COMES_IN,
    gone: "whoever logs in is a member",
    edits: [
      [
        "src/security/invitations.ts",
        "const login = logins.begin({ userId, role, inviteId",
        'const login = logins.begin({ userId, role: "member", inviteId',
      ],
    ],
    red: ["an invite of an owner admits one person, once, in the role that it names"],
  },
  {
    claim: COMES_IN,
    gone: "an invite stays open when it was used",
    edits: [
      [
        "src/security/invitations.ts",
        "if (invite === null || !invites.use(invite.id, userId))",
        "if (invite === null)",
      ],
    ],
    red: ["a token that was used admits nobody, not even the same person again, and that is on record"],
  },
  {
    claim: COMES_IN,
    gone: "an invite has no end",
    edits: [
      [
        "src/store/invites.ts",
        "WHERE settled_at IS NULL AND expires_at > ? ORDER BY id",
        "WHERE settled_at IS NULL AND expires_at + 86400000 > ? ORDER BY id",
      ],
      [
        "src/store/invites.ts",
        "WHERE id = ? AND settled_at IS NULL AND expires_at > ?",
        "WHERE id = ? AND settled_at IS NULL AND expires_at + 86400000 > ?",
      ],
      [
        "src/store/invites.ts",
        "WHERE settled_at IS NULL AND expires_at <= ?",
        "WHERE settled_at IS NULL AND expires_at + 86400000 <= ?",
      ],
    ],
    red: [
      "a token is good to its last millisecond; past it, revoked, made up, or of another secret it admits nobody",
    ],
  },
  {
    claim: COMES_IN,
    gone: "an invite is past its time by the clock alone",
    edits: [["src/store/invites.ts", "expire.run(now(), now()));", "expire.run(now(), 0));"]],
    red: [
      "a token that was refused as past its time, or swept away, is not good again when the clock is set back",
    ],
  },
  {
    claim: COUNTS,
    gone: "an invite outlives its maker's rights",
    edits: [["src/security/invitations.ts", "madeBy === null || people.owners.has(madeBy)", "madeBy !== 0"]],
    red: [
      "one of somebody who is not on the whitelist any more lets in neither himself nor anybody else",
      "an owner whose login is over does not come back by an invite of his own, nor does /lock leave him one",
    ],
  },
  {
    claim: COUNTS,
    gone: "/lock leaves the invites that people made",
    edits: [
      ["src/security/invitations.ts", "if (madeBy !== null) revokeInvite(id, by);", "void [id, madeBy];"],
    ],
    red: [
      "an owner whose login is over does not come back by an invite of his own, nor does /lock leave him one",
    ],
  },
  {
    claim: DIGESTS,
    gone: "the token is hashed without the secret",
    edits: [
      [
        "src/security/login-token.ts",
        'createHmac("sha256", secret)',
        'createHmac("sha256", "*".repeat(secret.length))',
      ],
    ],
    red: [
      "H08: what is stored of a token is its HMAC-SHA256 under the very secret, and nothing of the token",
    ],
  },
  {
    claim: DIGESTS,
    gone: "the look ends where the digest is found",
    edits: [
      [
        "src/security/login-token.ts",
        "timingSafeEqual(own, wanted)) found = candidate;",
        "timingSafeEqual(own, wanted)) return candidate;",
      ],
    ],
    red: ["H08: a digest is compared whole, and every candidate is looked at wherever the match stands"],
  },
  {
    claim: CLEAR,
    gone: "a token stays in the texts that are stored",
    edits: [["src/telegram/rim.ts", "const hidden = hideTokens(body);", "const hidden = body;"]],
    red: ["H35: a token in clear is in no table, log, file or backup, whatever message it comes in"],
  },
  {
    claim: CLEAR,
    gone: "the message with the token stays on the screen",
    edits: [["src/telegram/handle-login.ts", "  replies.unsay(request);\n  const answer", "  const answer"]],
    red: [
      "invited, logged in, at work, over a restart, and revoked in the middle of a turn: out at once, and silence",
    ],
  },
  {
    claim: STRANGERS,
    gone: "owners are told of every stranger",
    edits: [
      ["src/telegram/stranger-notice.ts", "if (rest === 0) tellOrWait();", "if (rest >= 0) tellOrWait();"],
    ],
    red: [
      "H19: owners are told of the first stranger at once, and of all others once an hour, by their number",
    ],
  },
  {
    claim: STRANGERS,
    gone: "a notice that the store does not take ends the daemon",
    edits: [
      [
        "src/telegram/stranger-notice.ts",
        "      timer = setTimeout(tellOrWait, AGAIN_MS).unref();\n",
        "      throw error;\n",
      ],
    ],
    red: [
      "H19: a notice that the store does not take waits for it, ends nothing, and still counts everybody",
    ],
  },
  {
    claim: GROUPS,
    gone: "each group that is left is on record",
    edits: [
      [
        "src/telegram/group-door.ts",
        'recordContact(throttle(chatId), (unrecorded) => record({ type: "chat.left", chatId, unrecorded }, who));',
        'record({ type: "chat.left", chatId, unrecorded: 0 }, who);',
      ],
    ],
    red: [
      "each of 300 groups that the bot was put in is left; twenty an hour are on record, and the records count the others",
    ],
  },
  {
    claim: "Who may come in, and which invites are open",
    gone: "/users is answered wherever it is asked",
    edits: [
      [
        "src/telegram/handle-access.ts",
        'else if (request.chatType !== "private")',
        "else if (deps.now() < 0)",
      ],
    ],
    red: ["/users tells nobody in a group who may come in"],
  },
  {
    claim: GROUPS,
    gone: "a supergroup that is heard too early is left",
    edits: [["src/telegram/group-door.ts", "      if (isOpenChat(chatId)) return;\n", ""]],
    red: ["a supergroup that is heard before it is told that it was an open group is not left"],
  },
  {
    claim: GROUPS,
    gone: "a group is left once and never again",
    edits: [["src/telegram/group-door.ts", "    leaving.delete(chatId);\n", ""]],
    red: [
      "a group that the bot is put in again is left again, at once too",
      "a leaving that failed is told as such, and tried again when the group is heard again",
    ],
  },
  {
    claim: STRANGERS,
    gone: "whatever looks a little like a login is answered",
    edits: [
      ["src/telegram/rim.ts", "return userId !== null && token !== null &&", "return userId !== null &&"],
      [
        "src/security/authenticate.ts",
        'if (isStranger(request.principal.userId))\n        return { kind: "deny", reason: "not_whitelisted", detail: null };',
        'if (isStranger(request.principal.userId)) return { kind: "locked", since: 0 };',
      ],
    ],
    red: [
      "a forged token, one of another secret and one of another shape admit nobody; after five the door is shut, and nothing is said",
    ],
  },
  {
    claim: SECOND,
    gone: "the whitelist is enough, in the whole daemon",
    edits: [["src/security/people.ts", "if (access.needsToken) return lent;", ""]],
    red: [
      "REQUIRE_TOKEN: a person of the whitelist is a stranger until he logs in, with a token made at the machine while the daemon runs",
    ],
  },
  {
    claim: REVOKED,
    gone: "what another process revokes is not looked for",
    edits: [
      [
        "src/turns/expel.ts",
        "if (isGone || admission.isOverdue()) clean();",
        "if (admission.isOverdue()) clean();",
      ],
    ],
    red: [
      "`sallyport token revoke` ends the turn of a running daemon at its next look; a bot without a whitelist begins so",
    ],
  },
  {
    claim: ENDS,
    gone: "use prolongs a login for ever",
    edits: [
      [
        "src/security/people.ts",
        "if (at - beganAt >= access.sessionMs ||",
        "if (at - seenAt >= access.sessionMs ||",
      ],
    ],
    red: ["a week after its begin, however much it was used"],
  },
  {
    claim: ENDS,
    gone: "a login that is not used lives as long as another",
    edits: [["src/security/people.ts", 'return at - seenAt >= idleMs ? "idle" : null;', "return null;"]],
    red: ["after a quarter of that when it is not used"],
  },
  {
    claim: ENDS,
    gone: "who is refused was not here",
    edits: [
      [
        "src/telegram/chain.ts",
        "        if (principal !== null && !isStranger(principal.userId)) seen(principal.userId);\n",
        "",
      ],
    ],
    red: ["who writes and is refused has used his login all the same; what a stranger writes uses none"],
  },
  {
    claim: ENDS,
    gone: "logins count where tokens are not taken any more",
    edits: [
      [
        "src/security/people.ts",
        "const hasLogins = access.takesTokens || access.needsToken;",
        "const hasLogins = true;",
      ],
      [
        "src/security/people.ts",
        "listed.has(login.userId) : access.takesTokens;",
        "listed.has(login.userId) : true;",
      ],
    ],
    red: ["logins outlive a restart, and none counts where tokens are not taken any more"],
  },
  {
    claim: REVOKED,
    gone: "the invites of who is revoked stay good",
    edits: [["src/security/invitations.ts", "for (const { id } of made) revokeInvite(id, by);", ""]],
    red: ["who is revoked is out at the next look, with the invites that he made"],
  },
  {
    claim: REVOKED,
    gone: "what he left running goes on",
    edits: [
      [
        "src/telegram/handle-access.ts",
        "  const revoked = access.revokePerson(id, by);\n  turns.expel();",
        "  const revoked = access.revokePerson(id, by);",
      ],
      ["src/turns/expel.ts", "active.forEach(end);", ""],
    ],
    red: [
      "invited, logged in, at work, over a restart, and revoked in the middle of a turn: out at once, and silence",
    ],
  },
  {
    claim: REVOKED,
    gone: "what the gates said a moment ago is enough",
    edits: [["src/telegram/chain.ts", "if (!isRevoked(ctx.request)) for", "for"]],
    red: ["who is taken out between the gates and the writing leaves nothing behind, and his update is done"],
  },
  {
    claim: LOCK_OUT,
    gone: "nobody is locked out by his own failures",
    edits: [["src/security/lock-out.ts", "isClosed(userId) ||", ""]],
    red: [
      "after five failures a person's logins are not looked at for a quarter of an hour, the true token neither; then twice as long",
    ],
  },
  {
    claim: LOCK_OUT,
    gone: "many accounts may guess as much as they like",
    edits: [["src/security/lock-out.ts", "(!isListed && isClosed(ALL))", "false"]],
    red: [
      "guessing from many accounts closes the door for all strangers after 50, for nobody who is in, and not for the whitelist",
    ],
  },
  {
    claim: LOCK_OUT,
    gone: "strangers lock the whitelist out",
    edits: [["src/security/lock-out.ts", "(!isListed && isClosed(ALL))", "isClosed(ALL)"]],
    red: [
      "guessing from many accounts closes the door for all strangers after 50, for nobody who is in, and not for the whitelist",
    ],
  },
  {
    claim: LOCK_OUT,
    gone: "a failure while the door is closed opens it",
    edits: [["src/security/lock-out.ts", "Math.max(until ?? 0, row?.lockedUntil ?? 0),", "until ?? 0,"]],
    red: ["a slip of somebody on the whitelist does not open a door that is closed to all strangers"],
  },
  {
    claim: LOCK_OUT,
    gone: "a lock-out goes by the clock alone",
    edits: [
      [
        "src/security/lock-out.ts",
        "row === null ? 0 : row.lastAt - now();",
        "row === null ? 0 : 0 * row.lastAt;",
      ],
    ],
    red: ["a clock that is set back locks nobody out for longer, and opens the door to nobody sooner"],
  },
  {
    claim: SECOND,
    gone: "the whitelist is enough",
    edits: [["src/security/people.ts", "if (access.needsToken) return lent;", ""]],
    red: ["a person of the whitelist is a stranger until he has logged in, and nobody else can"],
  },
  {
    claim: GROUPS,
    gone: "whoever is in an open group is admitted",
    edits: [
      [
        "src/security/authenticate.ts",
        "      if (isStranger(request.principal.userId))",
        "      if (isStranger(request.principal.userId) && !isOpenChat(request.conversation.chatId))",
      ],
      [
        "src/telegram/rim.ts",
        "if (!isStranger(userId)) return true;",
        'if (!isStranger(userId) || request.chatType !== "private") return true;',
      ],
    ],
    red: [
      "in an open group the bot hears an admitted person who names it, replies to it or sends it a command, and nobody and nothing else",
      "H26: a group that becomes a supergroup goes on with its project and session, and lets nobody in whom his own id does not",
    ],
  },
  {
    claim: GROUPS,
    gone: "the bot stays where it was put",
    edits: [["src/telegram/rim.ts", "if (!isFarewell(update)) deps.groups.leave(chatId);", ""]],
    red: ["a group that is not open is left, whoever spoke there, and that is on record"],
  },
];
