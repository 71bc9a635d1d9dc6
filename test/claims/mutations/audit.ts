import type { Mutation } from "../mutation.ts";

export const AUDIT: readonly Mutation[] = [
  {
    claim: "What people, turns and commands at the machine do",
    gone: "LOG_LEVEL hides security events",
    edits: [
      ["src/security/security.ts", "log: securityLogger(log),", "log: [log, securityLogger][0] as Logger,"],
    ],
    red: ["a security event is a line of the log at every level, and nothing else of its importance is: %s"],
  },
  {
    claim: "What people, turns and commands at the machine do",
    gone: "a login is of another risk than the page says",
    edits: [["src/security/risk.ts", '"auth.login": "medium"', '"auth.login": "low"']],
    red: ["the table of events and their risk in SECURITY.md is the one by which they are recorded"],
  },
  {
    claim: "What people, turns and commands at the machine do",
    gone: "a turn that was stopped leaves no record of its end",
    edits: [
      [
        "src/turns/run-turn.ts",
        '    record({ type: "turn.stopped", workId: work.id, durationMs }, { work });\n',
        "",
      ],
    ],
    red: [
      "a day with the daemon is on record, is one chain over restarts and commands at the machine, and its head goes silently to the owner",
    ],
  },
  {
    claim: "What people, turns and commands at the machine do",
    gone: "a fallback leaves no record",
    edits: [
      [
        "src/turns/run-turn.ts",
        '        lateRecord.put({ type: "turn.fell_back", workId: work.id, model: event.model }, work);',
        "        return;",
      ],
    ],
    red: [
      "what happens in a turn without anybody's doing is on record: a fallback, a model that nobody chose, one without a price, a lost jail",
    ],
  },
  {
    claim: "Every text of every event passes one redaction",
    gone: "texts are cut, but not redacted",
    edits: [["src/security/audit.ts", "shorten(redactText(text), MAX_TEXT)", "shorten(text, MAX_TEXT)"]],
    red: ["H20: no secret in a text of $type gets into the store or the log"],
  },
  {
    claim: "Every text of every event passes one redaction",
    gone: "texts are redacted, but not cut",
    edits: [["src/security/audit.ts", "shorten(redactText(text), MAX_TEXT)", "redactText(text)"]],
    red: ["what is no secret is kept as it is, and a text of any length is cut"],
  },
  {
    claim: "A name that aims out of the approved directory",
    gone: "a link that leads out is no violation",
    edits: [
      [
        "src/security/path-violation.ts",
        'isOutside(error) ? "symlink_escape" : null',
        "isOutside(error) ? null : null",
      ],
    ],
    red: [
      "H01: below %s the name %j is the violation %s",
      "H01: /repo lists, pages, chooses by button or by name, stays inside the approved directory, and keeps what was sent before the choice",
    ],
  },
  {
    claim: "A start with other settings than the last one",
    gone: "changed settings are noted, but not put on record",
    edits: [["src/ops/note-settings.ts", "if (keys.length > 0) record(", "if (keys.length > 999) record("]],
    red: [
      "a start with other settings than the last one is on record with their names, and the next one like it is not",
    ],
  },
  {
    claim: "A start with other settings than the last one",
    gone: "the key may be read by everybody",
    edits: [["src/ops/home-key.ts", "mode: 0o600", "mode: 0o644"]],
    red: [
      "the key of the settings is readable by its owner alone; without it, or with a broken one, nothing is compared and nothing claimed",
    ],
  },
  {
    claim: "What a member wants that is for owners",
    gone: "a member is told, but nothing is put on record",
    edits: [["src/telegram/owners-only.ts", "  record(\n", '  if (text === "") record(\n']],
    red: ["that a member wanted /lock, which is for owners, is on record as refused"],
  },
  {
    claim: "A start on a full disk ends",
    gone: "it says only what SQLite says",
    edits: [["src/start.ts", "undefined : troubleOf(error)?.mend;", "undefined : troubleOf(null)?.mend;"]],
    red: ["a start on a full disk ends, says what to do, and succeeds when there is room"],
  },
  {
    claim: "Only owners read it in the chat",
    gone: "an owner is shown it wherever he asks",
    edits: [["src/telegram/handle-audit.ts", 'return request.chatType === "private";', "return true;"]],
    red: ["in a group the audit is shown to nobody, an owner neither"],
  },
  {
    claim: "Only owners read it in the chat",
    gone: "whoever is admitted may read it",
    edits: [
      [
        "src/telegram/handle-audit.ts",
        "if (!isForOwner(deps, request, AUDIT_WORDS.ownersOnly)) return false;",
        "",
      ],
    ],
    red: ["a member's /audit shows nothing, and that he asked is on record"],
  },
  {
    claim: "Only owners read it in the chat",
    gone: "what is shown is not redacted",
    edits: [
      ["src/security/audit-text.ts", ".map(([name, value]) => redactText(`", ".map(([name, value]) => (`"],
    ],
    red: ["/audit turns its pages back, one use a key, and never shows a secret"],
  },
  {
    claim: "An export is readable by its owner alone",
    gone: "an export is readable by everybody",
    edits: [["src/ops/audit-export.ts", 'open(path, "wx", 0o600)', 'open(path, "wx", 0o644)']],
    red: [
      "an export in JSON lines is a chain that anybody can check, and ends with the head that `audit verify --head` knows",
    ],
  },
  {
    claim: "An export is readable by its owner alone",
    gone: "formulas are written as they are",
    edits: [["src/ops/audit-formats.ts", "/^[=+\\-@\\t\\r\\n]/.test(text)", "text.length < 0"]],
    red: ["no text in a CSV export is a formula to a spreadsheet, and none breaks out of its cell"],
  },
  {
    claim: "Processes that write at the same time",
    gone: "transactions take the write lock only when they write, after they have read the last row",
    edits: [
      [
        "src/store/transactions.ts",
        "const run = (): T => write.immediate();",
        "const run = (): T => write.deferred();",
      ],
    ],
    red: [
      "two processes and a command at the machine that write at the same time make one chain, and none of their rows is lost",
    ],
  },
  {
    claim: "Once a day its head goes",
    gone: "no head goes to the owners",
    edits: [["src/ops/housekeeping.ts", "if (tellHead(`${id}:${hash}`) > 0) ", ""]],
    red: [
      "once a day the owners get the head of the audit, where it is a new one, and it stays part of the chain",
    ],
  },
  {
    claim: "What cannot be put on record is not done",
    gone: "a call whose record fails runs all the same",
    edits: [
      [
        "src/claude/gate.ts",
        '        if (judgement.kind === "allow") onPolicy(call, { kind: "allowed" });\n',
        '        try {\n          if (judgement.kind === "allow") onPolicy(call, { kind: "allowed" });\n        } catch {}\n',
      ],
    ],
    red: [
      "H17: while the disk is full no tool call runs, no message is admitted, no /lock locks; the log says why and what to do, and when there is room all goes on and the owners are told",
    ],
  },
  {
    claim: "What cannot be put on record is not done",
    gone: "nobody says why, and nobody is told",
    edits: [["src/store/transactions.ts", "        onTrouble?.(trouble);\n", ""]],
    red: [
      "H17: while another program keeps the database locked no key does anything and nothing is admitted; the log says so, and when it lets go each is done once",
    ],
  },
  {
    claim: "What cannot be put on record is not done",
    gone: "the command says only what SQLite says",
    edits: [["src/store/fault.ts", "  if (error instanceof AppError) return troubleOf(error.cause);\n", ""]],
    red: ["an unlock that cannot be put on record unlocks nothing, and says what to do"],
  },
  {
    claim: "Nothing is let out of the jail before",
    gone: "a host is let through without a record",
    edits: [
      [
        "src/turns/recorded-net.ts",
        'if (verdict.kind === "allow" && target !== null) tell(target);',
        'if (verdict.kind === "deny" && target !== null) tell(target);',
      ],
    ],
    red: ["no host is let through before it is on record, and one that cannot be put there is denied"],
  },
  {
    claim: "Nothing is let out of the jail before",
    gone: "what the store did not take is never tried again",
    edits: [["src/turns/late-record.ts", "    timer = setTimeout(flush, AGAIN_MS).unref();\n", ""]],
    red: [
      "what has happened while the store took nothing is put on record in its order once it takes something, with what goes with it",
    ],
  },
  {
    claim: "By a clock that has jumped by days",
    gone: "the clock is believed whatever it says",
    edits: [
      [
        "src/ops/housekeeping.ts",
        "if (isForgetting && !isTrusted()) return;",
        "if (isForgetting) isTrusted();",
      ],
    ],
    red: [
      "by a clock that jumps a year ahead nothing is forgotten, the owners are told, and once it is right again all goes on",
    ],
  },
  {
    claim: "By a clock that has jumped by days",
    gone: "a row of the future keeps all that comes after it",
    edits: [["src/ops/forget.ts", "at >= due && at <= now()", "at >= due"]],
    red: ["one row of the future keeps nothing that is too old"],
  },
  {
    claim: "By a clock that has jumped by days",
    gone: "what bears a time to come is given up",
    edits: [["src/ops/forget.ts", "passed.findLast(({ at }) => at < due) ?? upTo", "passed.at(-1) ?? upTo"]],
    red: ["by a clock that went back for good nothing is forgotten that is not old"],
  },
  {
    claim: "Once a day its head goes",
    gone: "a head of a long audit is taken for a bot token",
    edits: [["src/domain/secret-shapes.ts", "(?=[\\w-]{0,40}[A-Z])(?=[\\w-]{0,40}[a-z])", ""]],
    red: ["the head of a long audit reaches the owners whole: a number and 64 hex digits are no bot token"],
  },
  {
    claim: "An export is readable by its owner alone",
    gone: "commands know no secret of the settings",
    edits: [
      [
        "src/config/known-secrets.ts",
        "return [...own, ...Object.values(tracked)];",
        "return [...Object.values(tracked)];",
      ],
    ],
    red: [
      "what became known as a secret after it was stored is neither shown nor exported, and the chain of the other rows can still be checked",
    ],
  },
];
