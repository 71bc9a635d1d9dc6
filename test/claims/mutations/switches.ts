import type { Mutation } from "../mutation.ts";

const NO_SWITCH = "No setting, variable or argument";

export const SWITCHES: readonly Mutation[] = [
  {
    claim: NO_SWITCH,
    also: ["Without a working sandbox the daemon does not start"],
    gone: "the sandbox may be off in production",
    edits: [
      [
        "src/config/cross-check.ts",
        'if (environment === "production") return fault("SANDBOX"',
        'if (sandbox === undefined) return fault("SANDBOX"',
      ],
    ],
    red: ["SANDBOX=off is refused in production and warned about in development"],
  },
  {
    claim: NO_SWITCH,
    gone: "a bound may be set to nothing",
    edits: [
      [
        "src/config/settings.ts",
        'RATE_LIMIT_REQUESTS: standard("20", wholeNumber(1, 10_000)',
        'RATE_LIMIT_REQUESTS: standard("20", wholeNumber(0, 10_000)',
      ],
    ],
    red: ["every setting is known for what it can do to a mechanism, and one alone takes one away"],
  },
  {
    claim: NO_SWITCH,
    gone: "a variable lets everybody in",
    edits: [
      [
        "src/security/authenticate.ts",
        "|| people.roleOf(userId) === null;",
        '|| (process.env.ADMIT_ALL !== "1" && people.roleOf(userId) === null);',
      ],
    ],
    red: [
      "the environment is read in one place, arguments in the two entries, and by programs that the jail runs",
    ],
  },
  {
    claim: NO_SWITCH,
    gone: "the daemon is started with what is for tests",
    edits: [
      [
        "src/start.ts",
        "onReady: flushCompileCache }",
        "onReady: flushCompileCache, housekeepingEveryMs: 1_000 }",
      ],
    ],
    red: ["what tests hand to the daemon no command hands to it"],
  },
  {
    claim: NO_SWITCH,
    gone: "there is an option that leaves the sandbox out",
    edits: [
      [
        "src/cli.ts",
        '  .option("--supervised",',
        '  .option("--no-sandbox", "without a sandbox")\n  .option("--supervised",',
      ],
    ],
    red: ["no option of the command line has to do with a mechanism"],
  },
];
