import type { Mutation } from "../mutation.ts";

const MODELS = "src/claude/model-rules.ts";
const WIRE = "src/egress/wire-request.ts";
const A_TURN_USES = "A turn uses the model that was chosen";
const A_TURN_COSTS = "A turn costs what the proxy metered";

export const CREDENTIALS: readonly Mutation[] = [
  {
    claim: "The API key or subscription token never enters",
    gone: "what the jail shows goes out in the credential's place",
    edits: [
      [
        "src/egress/upstream.ts",
        "headers: { ...headers, ...credentialHeader } });",
        "headers: { ...credentialHeader, ...headers } });",
      ],
      [
        "src/egress/headers.ts",
        "/^(?:accept|content-type",
        "/^(?:x-api-key|authorization|accept|content-type",
      ],
    ],
    red: ["the API gets the real key, the jail's side never sees it"],
  },
  {
    claim: "A CLI that would be paid for by another",
    gone: "the key goes out beside the subscription's token",
    edits: [
      [
        "src/egress/upstream.ts",
        ": { authorization: `Bearer ${secret}` };",
        ': { authorization: `Bearer ${secret}`, "x-api-key": secret };',
      ],
    ],
    red: ["H30: a refused subscription ends the turn; no key takes its place"],
  },
  {
    claim: A_TURN_USES,
    gone: "a dearer model of a subagent's is nobody's to say",
    edits: [
      ["src/claude/turn.ts", "return named !== null && models.isDearer(named);", 'return named === "";'],
    ],
    red: ["H30: a subagent on a dearer model than the chosen one is a person's to say, in mode jail too: %s"],
  },
  {
    claim: A_TURN_USES,
    gone: "any model may be used",
    edits: [
      [
        MODELS,
        "      if (allowed.has(canonicalModel(request.model)) || isSmall(request)) return null;",
        '      if (request.model !== "" || isSmall(request)) return null;',
      ],
    ],
    red: [
      "H30: %s may not",
      "H30: a program in the jail does not get a model that nobody chose, and that it asked is told once",
    ],
  },
  {
    claim: A_TURN_USES,
    gone: "the owners do not hear of a model that nobody chose",
    edits: [["src/turns/run-turn.ts", "() => presenter.modelRefused(work, model)", "() => undefined"]],
    red: [
      "H30: a model that nobody chose and the fallback are put on record, and the owners hear of the first",
    ],
  },
  {
    claim: A_TURN_USES,
    gone: "that the fallback answers is told to nobody",
    edits: [
      [
        "src/claude/turn.ts",
        '        if (models.isFallback(model)) sayOnce({ kind: "fell_back", model });\n',
        "",
      ],
    ],
    red: ["H30: the fallback answers only when it is set, and that it does is told"],
  },
  {
    claim: "The API's own machines are no way out",
    gone: "the API's web search can be had by a setting",
    edits: [
      ["src/config/claude-tools.ts", "/^(?!WebSearch$)[A-Z]", "/^[A-Z]"],
      ["src/config/claude-tools.ts", "nearMissOf(name, [...KNOWN_TOOLS, NOT_TO_BE_HAD], 1)", "null"],
    ],
    red: ["the API's web search, which no filter sees, is not among the tools that can be had"],
  },
  {
    claim: "The API's own machines are no way out",
    gone: "tools and servers of the API's own may be asked for",
    edits: [
      [WIRE, "  if (odd !== undefined) return refused(", '  if (odd === "") return refused('],
      [WIRE, "  if ((mcp_servers ?? []).length > 0)\n", "  if ((mcp_servers ?? []).length > 99)\n"],
    ],
    red: ["H30: %s is refused: the API's machines are no way out of the jail"],
  },
  {
    claim: "The API's own machines are no way out",
    gone: "what came is what goes out, whatever was read of it",
    edits: [[WIRE, "  const body = Buffer.from(JSON.stringify(json));", "  const body = bytes;"]],
    red: ["a second model hidden behind the first is the one that is judged, and the only one that goes out"],
  },
  {
    claim: "A request that is large",
    gone: "large requests are read where they come",
    edits: [
      [
        "src/egress/wire-reader.ts",
        "const MAX_INLINE_BYTES = 1024 * 1024;",
        "const MAX_INLINE_BYTES = 1024 ** 3;",
      ],
    ],
    red: ["a body of the largest size, made to be slow, does not hold up the daemon"],
  },
  {
    claim: A_TURN_COSTS,
    gone: "what runs beside a request counts for nothing",
    edits: [
      [
        "src/egress/pending.ts",
        "return sum.count === 0 ? 0 : sum.cost + costOf(wire, sum);",
        "return sum.count < 0 ? costOf(wire, sum) : 0;",
      ],
    ],
    red: [
      "H10: requests that run side by side wait while they may cost too much together, until that is known",
    ],
  },
  {
    claim: A_TURN_COSTS,
    gone: "the CLI's own sum is believed",
    edits: [
      [
        "src/turns/settle.ts",
        "  if (meteredMicroUsd > 0 || byCliMicroUsd === null) {",
        "  if (byCliMicroUsd === null) {",
      ],
    ],
    red: [
      "H10: over 40 turns that finish, are interrupted, killed, crash, are retried, cut or use a subagent of another model, the ledger is what was served",
    ],
  },
  {
    claim: A_TURN_COSTS,
    gone: "an answer that is cut costs nothing",
    edits: [
      [
        "src/egress/forward.ts",
        '    (meter ?? (isConnected && isSent ? exchange.createMeter("") : null))?.end("cut");\n',
        "",
      ],
    ],
    red: ["H10: a turn that is interrupted, and one whose process is killed, have their true input charged"],
  },
  {
    claim: A_TURN_COSTS,
    gone: "a payer that refuses is not asked",
    edits: [
      [
        "src/egress/guarded-payer.ts",
        "        return payer.mayStart(request, pendingMicroUsd);",
        '        return payer.mayStart(request, pendingMicroUsd).kind === "wait" ? { kind: "wait" } : { kind: "ok" };',
      ],
    ],
    red: ["a spent budget is one request, shown as it stands, and the next turn is fine"],
  },
  {
    claim: "Settings refuse to start on any fault",
    gone: "whatever stands before an equals sign is shown as a key",
    edits: [
      ["src/config/env-file.ts", "return NAME.test(key) ? key :", "return key !== NAME.source ? key :"],
    ],
    red: ["what may be a secret on a line of its own is not shown as a key"],
  },
  {
    claim: "Settings refuse to start on any fault",
    gone: "the first fault is told and no other",
    edits: [
      [
        "src/config/load.ts",
        "    throw configError(allFaults, secretTexts,",
        "    throw configError(allFaults.slice(0, 1), secretTexts,",
      ],
    ],
    red: [
      "H81: every fault is told at once, a line each, with key, expectation and what came, and ends with exit code 78",
    ],
  },
  {
    claim: "Settings refuse to start on any fault",
    gone: "a secret shows in JSON",
    edits: [["src/config/secret.ts", "    toJSON: () => SHOWN,", "    toJSON: () => value,"]],
    red: ["secrets print as [redacted] in whatever way they are printed"],
  },
  {
    claim: "The bot token and known secret values",
    gone: "known values are not looked for",
    edits: [
      [
        "src/log/redact.ts",
        "const known = spansOfKnown(text, forms);",
        "const known = spansOfForms(text, formsOf([]));",
      ],
    ],
    red: ["no text holds a secret afterwards, other text stays, and doing it twice changes nothing"],
  },
];
