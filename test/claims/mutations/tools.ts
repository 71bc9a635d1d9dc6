import type { Mutation } from "../mutation.ts";

const JUDGE = "src/claude/judge.ts";
const GATE = "src/claude/gate.ts";
const HOOK = "src/claude/hook.ts";
const EVERY_CALL = "Every tool call, of a subagent too";
const FILE_TOOLS = "The file tools are kept from secrets";
const MODE_JAIL = "In mode `jail` edits";

export const TOOLS: readonly Mutation[] = [
  {
    claim: "Nothing is allowed beforehand",
    gone: "a tool is allowed beforehand",
    edits: [
      [
        "src/claude/argv.ts",
        '    "--strict-mcp-config",\n',
        '    "--strict-mcp-config",\n    "--allowedTools=Bash",\n',
      ],
    ],
    red: ["H02: nothing is allowed beforehand: no allow rule, no bypass, no flag that swallows what follows"],
  },
  {
    claim: EVERY_CALL,
    gone: "the hook is called for the file tools alone",
    edits: [[HOOK, 'matcher: "*", hookCallbackIds', 'matcher: "Read|Edit|Write", hookCallbackIds']],
    red: ["H02: the hook sees every call: those that the CLI allows by itself, and a subagent's"],
  },
  {
    claim: "The hook would see a tool of an MCP server",
    gone: "the hook is called for the file tools alone",
    edits: [[HOOK, 'matcher: "*", hookCallbackIds', 'matcher: "Read|Edit|Write", hookCallbackIds']],
    red: ["H02: the hook sees the call of an MCP server's tool: %s"],
  },
  {
    claim: EVERY_CALL,
    gone: "a call that the CLI ends by itself is not noticed",
    edits: [
      [
        "src/claude/turn.ts",
        "if (isError) tellRefused(toolUseId);",
        "if (isError) unhooked.hook(toolUseId);",
      ],
    ],
    red: [
      "what the CLI ends before the hook sees it is told: a tool that is not offered, an input that it does not take; and nothing else",
    ],
  },
  {
    claim: EVERY_CALL,
    gone: "a call that the CLI ended by itself is not put on record",
    edits: [
      [
        "src/turns/run-turn.ts",
        'if (event.kind === "tool_refused") {',
        'if (event.kind === "tool_refused" && !event.name) {',
      ],
    ],
    red: ["a call that the CLI ended before the hook is on record, and shown as any other"],
  },
  {
    claim: EVERY_CALL,
    gone: "what is not known is treated like a command",
    edits: [[JUDGE, "? inJail : LEAVE;\n    return ASK;", "? inJail : LEAVE;\n    return inJail;"]],
    red: ["H02: %s %j is %s in mode jail, %s in mode ask"],
  },
  {
    claim: EVERY_CALL,
    gone: "a tool of an MCP server is judged by its name",
    edits: [[JUDGE, "    if (call.isMcp) return ASK;\n", ""]],
    red: ["a tool of an MCP server is asked about, whatever it is called"],
  },
  {
    claim: EVERY_CALL,
    gone: "a call that cannot be put on record is let pass",
    edits: [
      [
        GATE,
        '        return { kind: "deny", reason: closed(error, call.toolName) };',
        '        closed(error, call.toolName);\n        seen.set(call.toolUseId, call);\n        return { kind: "none" };',
      ],
      [
        GATE,
        '        return { kind: "deny", message: closed(error, asked.toolName) };',
        '        closed(error, asked.toolName);\n        return { kind: "allow", input: asked.input };',
      ],
    ],
    red: ["a call that cannot be put on record is not done"],
  },
  {
    claim: EVERY_CALL,
    gone: "what is left to the CLI is told to nobody",
    edits: [[GATE, '        if (judgement.kind === "leave") onPolicy(call, { kind: "left" });\n', ""]],
    red: [
      "a call that is left to the CLI is put on record before the CLI lets it run",
      "a call that is left to the CLI and cannot be put on record is not done",
    ],
  },
  {
    claim: "When that hook is not answered",
    gone: "a call goes on when the hook fails",
    edits: [
      [HOOK, '  readonly onFailure: "block";', '  readonly onFailure?: "block";'],
      [HOOK, '[{ ...matcher, onFailure: "block" }]', "[matcher]"],
    ],
    red: ["H02: a hook that is %s blocks the call, and nobody is asked"],
  },
  {
    claim: "When that hook is not answered",
    gone: "the hook has no opinion of what it cannot read",
    edits: [
      [GATE, '        return { kind: "deny", reason: UNREADABLE };', '        return { kind: "none" };'],
    ],
    red: ["H02: a hook_callback %s is answered with a denial, and the turn goes on"],
  },
  {
    claim: "A CLI that does not take the hook",
    gone: "it is not looked at whether the CLI took the hook",
    edits: [
      [
        "src/claude/start-check.ts",
        "if (data.hooks_applied !== true || data.hook_on_failure_supported !== true) {",
        "if (data.hooks_applied !== true && data.hooks_applied !== false && data.hooks_applied !== undefined) {",
      ],
    ],
    red: [
      "H02: a CLI that did not take our hook is not prompted and leaves no process",
      "H02: a CLI that lets a call pass when our hook fails is not prompted and leaves no process",
    ],
  },
  {
    claim: MODE_JAIL,
    gone: "what the policy allows is on no record",
    edits: [
      [
        "src/turns/ask-claude.ts",
        'else if (verdict.kind === "allowed") record({ type: "tool.allowed", by, ...fields }, { work });\n      else',
        'else if (verdict.kind !== "allowed")',
      ],
    ],
    red: [
      "H02: in mode jail an edit and a command run without a question and are on record; a question of Claude's is still asked",
    ],
  },
  {
    claim: MODE_JAIL,
    gone: "what the hook allows is told to nobody",
    edits: [[GATE, '        if (judgement.kind === "allow") onPolicy(call, { kind: "allowed" });\n', ""]],
    red: [
      "in mode jail edits and commands run unasked, with exactly the input that was judged, and are put on record",
    ],
  },
  {
    claim: MODE_JAIL,
    gone: "mode jail holds without a sandbox too",
    edits: [
      [
        "src/open-claude.ts",
        'const mode = sandbox === "off" && asked.permissionMode === "jail" ? "ask" : asked.permissionMode;',
        "const mode = asked.permissionMode;",
      ],
    ],
    red: ["without a sandbox mode jail asks like mode ask"],
  },
  {
    claim: FILE_TOOLS,
    gone: "names are compared letter by letter",
    edits: [
      [
        JUDGE,
        "if (isSecret(`${path}/x`) || isSecret(`${foldPath(path)}/x`)) return true;",
        "if (isSecret(`${path}/x`)) return true;",
      ],
      [JUDGE, "if (isSecret(at) || isSecret(foldPath(at))) return true;", "if (isSecret(at)) return true;"],
      [JUDGE, "isProtected(foldPath(path))", "isProtected(path)"],
    ],
    red: [
      "H05: no spelling turns a secret into a file that may be read or written",
      "H22: no spelling lets a file be written that runs something later",
    ],
  },
  {
    claim: FILE_TOOLS,
    gone: "a denial of the hook's is no more than no opinion",
    edits: [
      [
        GATE,
        '        if (judgement.kind === "deny") return { kind: "deny", reason: REASONS[judgement.cause] };\n',
        '        if (judgement.kind === "deny") return { kind: "none" };\n',
      ],
    ],
    red: ["the hook alone denies what the CLI, its rules and a person would let pass"],
  },
  {
    claim: FILE_TOOLS,
    gone: "the CLI is given no rules",
    edits: [
      [
        "src/claude/argv.ts",
        "`--settings=${JSON.stringify({ permissions: { deny: rules } })}`,",
        "`--settings=${JSON.stringify({ permissions: { deny: rules.slice(rules.length) } })}`,",
      ],
      ["src/claude/prove.ts", "checkRules(taken, rules)", "checkRules(taken, [])"],
    ],
    red: ["the rules alone deny what the hook and a person would let pass"],
  },
  {
    claim: FILE_TOOLS,
    gone: "a person's no is a yes",
    edits: [
      [
        "src/claude/turn.ts",
        '      if (answer.kind === "allow") allowModel(asked);\n      return answer;',
        '      allowModel(asked);\n      return { kind: "allow", input: asked.input };',
      ],
    ],
    red: ["a person alone denies what the rules and the hook would let pass"],
  },
  {
    claim: "A call that a person is asked about",
    gone: "what runs is what the CLI holds by the time of the answer",
    edits: [
      [
        "src/turns/approvals.ts",
        "answeredInput(decided.input, decided.answers) : decided.input,",
        "answeredInput(decided.input, decided.answers) : ask.input,",
      ],
    ],
    red: ["an allowed call runs with exactly the input that was shown and stored"],
  },
  {
    claim: "No answer in time is a denial",
    gone: "no answer in time is a yes",
    edits: [
      [
        "src/turns/approvals.ts",
        "        store.transaction(() => close(approval, { kind }, null));",
        '        store.transaction(() => close(approval, { kind: kind === "expired" ? "allow" : kind }, null));',
      ],
    ],
    red: ["nobody's answer is a denial, in time"],
  },
  {
    claim: "A message that comes too late",
    gone: "what is kept stands in the queue",
    edits: [["src/turns/turns.ts", "      if (work) late.offer(work);\n", "      if (work) accept(work);\n"]],
    red: [
      "H40: a message that comes too late is kept and offered; it neither runs by itself nor holds up a fresh one",
    ],
  },
  {
    claim: "A message that comes too late",
    gone: "how old a message is is told by the clock of this machine",
    edits: [
      [
        "src/telegram/server-clock.ts",
        "      aheadMs = serverTime - now();",
        "      aheadMs = 0 * serverTime;",
      ],
    ],
    red: ["a machine whose clock is an hour %s takes a fresh message for fresh and an old one for old"],
  },
  {
    claim: "After a crash nothing that had begun",
    gone: "what had begun is queued again",
    edits: [
      [
        "src/turns/recovery.ts",
        'for (const work of store.work.inStates(["running", "waiting"])) interrupt(work, "restart");',
        'for (const work of store.work.inStates(["running", "waiting"])) store.work.requeue(work.id);',
      ],
    ],
    red: [
      "H41, H43: after a crash nothing that had begun runs again; it is offered, charged, and its queue is held",
    ],
  },
];
