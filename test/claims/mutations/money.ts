import type { Mutation } from "../mutation.ts";

const RATE = "Requests are limited by exact token buckets";
const BUDGET = "A person's turns spend at most his budget";

export const MONEY: readonly Mutation[] = [
  {
    claim: RATE,
    gone: "a bucket gives what it has not",
    edits: [["src/security/token-bucket.ts", "if (missing > 0)", "if (missing > 2 * rate.windowMs)"]],
    red: ["never more than burst + rate x time is admitted in any window, clock jumps included"],
  },
  {
    claim: RATE,
    gone: "what was counted is not stored",
    edits: [["src/security/limit-rate.ts", "entry.isDirty ? [", 'entry.isDirty && key === "" ? [']],
    red: ["buckets and the told refusal survive a restart"],
  },
  {
    claim: RATE,
    gone: "a request is charged as often as it is judged",
    edits: [["src/security/limit-rate.ts", 'acts.get(request.dedupeKey)?.kind === "took"', "acts.size < 0"]],
    red: ["H09: a burst of n admits n requests: one token a request, however often the gate judges it"],
  },
  {
    claim: RATE,
    gone: "everybody's bucket is each person's own",
    edits: [["src/security/limit-rate.ts", ":*`", ":*".concat("$", "{userId}`")]],
    red: [
      "one person's requests do not use up another's, but all together have five times one's",
      "looking of all together has five times one's, apart from their work",
    ],
  },
  {
    claim: RATE,
    gone: "what a press starts takes no token",
    edits: [
      [
        "src/security/limit-rate.ts",
        "const wished = tokensOf(request);",
        'const wished = request.body.kind === "button" ? 0 : tokensOf(request);',
      ],
    ],
    red: ["a press takes a token for each work that it starts, and none where it starts none"],
  },
  {
    claim: RATE,
    gone: "a press takes tokens though it will be refused",
    edits: [
      [
        "src/security/tokens-of.ts",
        'if (press.kind === "refused") return 0;',
        'if (press.kind === "refused") return 1;',
      ],
    ],
    red: [
      "a press that will be refused takes no token: of another's key, elsewhere, a second time, or of none",
    ],
  },
  {
    claim: "What was used while the database took nothing",
    gone: "what could not be written is forgotten",
    edits: [
      [
        "src/turns/owed-usage.ts",
        "if (!isStoreFault(error)) throw error;",
        "if (isStoreFault(error)) return;",
      ],
    ],
    red: ["H10: what was used while the store took nothing is kept, and charged before the turn is settled"],
  },
  {
    claim: "Who is refused for that is told once in a window",
    gone: "the refusal is told after each wait",
    edits: [["src/security/limit-rate.ts", "Math.max(rate.windowMs, retryAfterMs)", "retryAfterMs"]],
    red: ["a refusal is told once in a window of the rate, each person for himself"],
  },
  {
    claim: BUDGET,
    gone: "what running turns have reserved may be reserved again",
    edits: [["src/security/limit-cost.ts", "money.unspent - reserved(userId)", "money.unspent"]],
    red: [
      "however turns reserve, settle and fail, spent plus reserved never exceeds the budget",
      "two turns at once overspend a budget by no more than the requests that were under way",
    ],
  },
  {
    claim: BUDGET,
    gone: "days are those of Greenwich",
    edits: [
      [
        "src/security/cost-window.ts",
        '    timeZone,\n    year: "numeric"',
        '    timeZone: "UTC",\n    year: "numeric"',
      ],
    ],
    red: ["a day in the owner's zone begins at his midnight"],
  },
  {
    claim: BUDGET,
    gone: "anybody may grant",
    edits: [
      [
        "src/telegram/handle-grant.ts",
        "principal === null || !isForOwner(deps, request, MONEY_WORDS.ownersOnly)",
        "principal === null",
      ],
    ],
    red: [
      "whose budget is spent is told what is left and when it returns; an owner grants more, and it outlives a restart",
    ],
  },
  {
    claim: "What a turn has under way when it ends",
    gone: "what is under way goes on when its payer is gone",
    edits: [
      [
        "src/egress/leases.ts",
        "          payerEnd.abort();\n          payerEnd = new",
        "          payerEnd = new",
      ],
    ],
    red: [
      "H10: what a payer has under way when it is taken away is cut, and told by then; what waits or comes in later is refused",
      "H10: what a program of the jail has under way when the turn ends is cut, and charged with it",
    ],
  },
  {
    claim: "What a turn has under way when it ends",
    gone: "what runs beside a request counts for nothing",
    edits: [["src/egress/pending.ts", "sum.count === 0 ? 0", "sum.count >= 0 ? 0"]],
    red: ["H10: requests of a program of the jail spend no more than the budget and one of them"],
  },
  {
    claim: "What a turn has under way when it ends",
    gone: "a cut answer is charged by what came of it, whatever it was to be",
    edits: [["src/egress/meter.ts", "deps.asked.isStreamed ?", "deps.asked.model !== null ?"]],
    red: [
      "H10: an answer that was to come whole and was cut is charged as if all had been written that was asked for",
    ],
  },
  {
    claim: "A turn that reaches what one request may cost is ended",
    gone: "a turn goes on above what one request may cost",
    edits: [
      [
        "src/turns/payer.ts",
        "spentMicroUsd + pendingMicroUsd < limitMicroUsd",
        "spentMicroUsd + pendingMicroUsd < limitMicroUsd * 1_000",
      ],
    ],
    red: [
      "a turn that reaches what one request may cost is ended, says so, and goes on in its session when a person pays for more",
    ],
  },
];
