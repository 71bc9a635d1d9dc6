import type { Mutation } from "../mutation.ts";

export const WHO_GETS_IN: readonly Mutation[] = [
  {
    claim: "Only numeric user ids on the whitelist",
    gone: "an empty whitelist admits everybody",
    edits: [
      [
        "src/security/people.ts",
        "if (!listed.has(userId)) return null;",
        "if (listed.size > 0 && !listed.has(userId)) return null;",
      ],
    ],
    red: ["H04: an empty whitelist admits nobody"],
  },
  {
    claim: "Every kind of update goes through",
    gone: "buttons are not authenticated",
    edits: [
      [
        "src/security/authenticate.ts",
        "    gate: (request) => {\n",
        '    gate: (request) => {\n      if (request.body.kind === "button") return { kind: "admit", request };\n',
      ],
    ],
    red: ["H07: every kind of request goes through the same check, buttons, edits and control included"],
  },
  {
    claim: "Names and chats are never identity",
    gone: "whoever writes in a chat with the number of an admitted person is admitted",
    edits: [
      [
        "src/security/authenticate.ts",
        "if (isStranger(request.principal.userId))",
        "if (isStranger(request.principal.userId) && isStranger(request.conversation.chatId))",
      ],
    ],
    red: ["H26: identity is the numeric id: neither a name nor the chat lets anybody in"],
  },
  {
    claim: "A command is the word of who wrote it",
    gone: "a forwarded command is carried out",
    edits: [
      [
        "src/telegram/request.ts",
        "message.forward_origin !== undefined || message.via_bot !== undefined",
        "false",
      ],
    ],
    red: [
      "a command that was forwarded is nobody's here; words are a prompt, and the token of a login counts",
      "a command that was forwarded from somebody hidden is nobody's here; words are a prompt, and the token of a login counts",
      "a command that was sent by way of a bot is nobody's here; words are a prompt, and the token of a login counts",
      "a stranger's command that an owner forwards does nothing but be answered in one line and go on record",
    ],
  },
  {
    claim: "The gates run in one order",
    gone: "a refusal is passed over and the next gate is asked",
    edits: [
      [
        "src/security/admit.ts",
        "        verdict = pass(gate, verdict.request, (record) => record());",
        '        const step = pass(gate, verdict.request, (record) => record());\n        passed.set(verdict.request, GATE_ORDER.indexOf(gate) + 1);\n        if (step.kind === "admit") verdict = step;',
      ],
    ],
    red: ["a request refused by %s never reaches the next gate, and is reported once"],
  },
  {
    claim: "A button carries a random nonce",
    gone: "a button works again and again",
    edits: [["src/store/buttons.ts", "&& !isReusable(press.action)) useUp", "&& press === null) useUp"]],
    red: ["a button works once, takes its group with it, and only for its person, an owner, or nobody else"],
  },
  {
    claim: "A button carries a random nonce",
    gone: "anybody may press a button",
    edits: [
      ["src/store/buttons.ts", "if (row.user_id !== userId && !isOwner)", "if (row.user_id < 0 && !isOwner)"],
    ],
    red: ["a button works once, takes its group with it, and only for its person, an owner, or nobody else"],
  },
  {
    claim: "A button carries a random nonce",
    gone: "what a button carries says what it does",
    edits: [
      [
        "src/store/buttons.ts",
        'randomBytes(16).toString("base64url")',
        'Buffer.from(`${action.kind}:${JSON.stringify(action)}`).toString("base64url")',
      ],
    ],
    red: ["H24: callback data is a nonce of 22 characters that says nothing"],
  },
  {
    claim: "An owner's `/lock` ends the turns",
    gone: "what runs goes on",
    edits: [["src/turns/halt.ts", "        endAll();\n", ""]],
    red: [
      "/lock of an owner ends everybody's turns, keeps what waits, and tells everybody whom it touches and all owners who it was",
    ],
  },
  {
    claim: "An owner's `/lock` ends the turns",
    gone: "prompts come in while it is locked",
    edits: [
      [
        "src/security/check-lock.ts",
        '    case "edit":\n    case "login":\n      return false;',
        '    case "edit":\n    case "login":\n      return true;',
      ],
    ],
    red: ["locked: %j is refused to everybody, owners too"],
  },
  {
    claim: "An owner's `/lock` ends the turns",
    gone: "keys let work begin while it is locked",
    edits: [
      ["src/security/check-lock.ts", "return action === null || !isBeginning(action);", "return true;"],
    ],
    red: ["locked: the key %j, which lets work begin or go on, is refused"],
  },
  {
    claim: "An owner's `/lock` ends the turns",
    gone: "the lock lives in memory and ends with the daemon",
    edits: [
      [
        "src/security/lock.ts",
        "  return {\n    state: () => {",
        "  let kept: string | null = null;\n  return {\n    state: () => {",
      ],
      ["src/security/lock.ts", "const text = facts.get(FACT);", "const text = kept;"],
      [
        "src/security/lock.ts",
        "facts.set(FACT, JSON.stringify({ since: now(), by } satisfies LockState)),",
        "void (kept = JSON.stringify({ since: now(), by } satisfies LockState)),",
      ],
    ],
    red: [
      "/lock kills what runs, outlives the daemon's end, and `sallyport unlock` opens it while the daemon runs and while it does not",
    ],
  },
  {
    claim: "A `/lock` that is delivered again",
    gone: "a message that comes again is taken for a new one",
    edits: [
      [
        "src/store/inbox.ts",
        "ON CONFLICT (update_id) DO NOTHING",
        "ON CONFLICT (update_id) DO UPDATE SET state = 'new', body = excluded.body",
      ],
    ],
    red: [
      "H27: a /lock that Telegram delivers once more after the unlocking does not lock again, nor does one of long ago",
    ],
  },
  {
    claim: "A `/lock` that is delivered again",
    gone: "a /lock of before the unlocking locks again",
    edits: [["src/telegram/handle-lock.ts", "(lock.openedAt() ?? Number.NEGATIVE_INFINITY)", "0"]],
    red: [
      "H27: a /lock that Telegram delivers once more after the unlocking does not lock again, nor does one of long ago",
    ],
  },
  {
    claim: "What ends something for the sake of safety",
    gone: "a /lock, /revoke or /logout that comes late is given up",
    edits: [["src/telegram/handle-command.ts", ', "logout", "revoke", "lock"];', "];"]],
    red: [
      "a /lock that comes hours late locks all the same",
      "a /revoke and a /logout that were sent after the login began end it",
    ],
  },
  {
    claim: "What ends something for the sake of safety",
    gone: "a command of long ago ends a login that began after it",
    edits: [["src/security/invitations.ts", "(logins.of(userId)?.beganAt ?? at) > at", "userId > at"]],
    red: ["a /revoke and a /logout of before the login end nothing, and that is told"],
  },
];
