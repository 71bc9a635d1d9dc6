import type { Mutation } from "../mutation.ts";

const LEFT = "Nothing of a turn is left running";
const NO_NAMESPACES = "Where no sandbox holds processes together";
const PROVE = "src/jail/proof/prove-jail.ts";
const TRIES = "At every start the daemon tries";
const ONE_ACT = "One act that succeeds";

export const ENDS: readonly Mutation[] = [
  {
    claim: LEFT,
    also: ["Processes | end with the jail"],
    gone: "a jail lives on without its daemon",
    edits: [["src/jail/bwrap-options.ts", "--die-with-parent --new-session", "--new-session"]],
    red: ["H50: nothing is left of a turn when the daemon is ended by %s"],
  },
  {
    claim: LEFT,
    gone: "a jail lives on without its daemon",
    edits: [["src/jail/bwrap-options.ts", "--die-with-parent --new-session", "--new-session"]],
    red: ["H50: nothing is left of a turn when its jail does not end and the daemon stops waiting for it"],
  },
  {
    claim: LEFT,
    gone: "without a sandbox nobody looks for what a program left",
    edits: [
      [
        "src/jail/host-process.ts",
        "if (!(await endTree(tree))) {",
        "if (tree.root < 0 && !(await endTree(tree))) {",
      ],
    ],
    red: [
      "H50: when the CLI without a sandbox is ended by SIGKILL, the turn has crashed, nothing of it is left, and the session goes on",
    ],
  },
  {
    claim: NO_NAMESPACES,
    gone: "what an earlier life left is not looked for",
    edits: [
      ["src/jail/open-jail.ts", "  await reap({ list: () => listProcesses(platform, wanted), log });\n", ""],
    ],
    red: [
      "H50: is ended when the next life opens its jail, setsid grandchildren and those with a wiped environment too",
    ],
  },
  {
    claim: NO_NAMESPACES,
    // Of this home only: a daemon that took any home's would end the jails of the tests that run beside it.
    gone: "whatever begins like a mark of this home is taken for one",
    edits: [
      [
        "src/jail/mark.ts",
        "isIn: (entry) => own.test(entry),",
        "isIn: (entry) => entry.startsWith(`${VARIABLE}=${home}`),",
      ],
    ],
    red: ["H44: is known by its environment and by nothing else: a look-alike lives on, the true one ends"],
  },
  {
    claim: TRIES,
    gone: "the self-test tries only what is special to the system",
    edits: [
      [
        PROVE,
        "[...commonAttempts(arena, home), ...attemptsOfSystem(arena, platform)]",
        "[...attemptsOfSystem(arena, platform)]",
      ],
    ],
    red: ["every attempt is held by the sandbox of this system, and each succeeds without it"],
  },
  {
    claim: TRIES,
    gone: "turns run while the self-test goes on",
    edits: [
      ["src/open-claude.ts", "    const lines = await proveJail({", "    void proveJail({"],
      [
        "src/open-claude.ts",
        "signal: ending });\n    ending.throwIfAborted(); // what was not answered then was cut off\n    assertProved(lines);\n    const count",
        "signal: ending }).then((lines) => {\n    const count",
      ],
      [
        "src/open-claude.ts",
        '      "no way out of the sandbox was found",\n    );\n',
        '      "no way out of the sandbox was found",\n    );\n    });\n',
      ],
    ],
    red: ["a prompt that comes before the proof waits for it, and then runs"],
  },
  {
    claim: ONE_ACT,
    gone: "what the self-test found ends nothing",
    edits: [["src/open-claude.ts", "    assertProved(lines);\n", ""]],
    red: ["a sandbox that does not hold: the daemon polls, runs no turn, names the way and ends with 78"],
  },
  {
    claim: ONE_ACT,
    gone: "an act that succeeds in the jail is taken for held",
    edits: [
      [
        PROVE,
        '  if (isThrough({ ...seen, side: jailed })) {\n    return wanted === "done"',
        '  if (wanted === "done" && isThrough({ ...seen, side: jailed })) {\n    return wanted === "done"',
      ],
    ],
    red: ["a sandbox that %s is found out, and the way is named"],
  },
  {
    claim: ONE_ACT,
    gone: "no answer counts as held",
    edits: [
      [
        PROVE,
        "  if (seen.answer === NO_ANSWER)\n    return",
        '  if (seen.answer === NO_ANSWER && name === "")\n    return',
      ],
    ],
    red: ["a sandbox that ends before its program has answered proves nothing"],
  },
  {
    claim: "Without a working sandbox the daemon does not start",
    gone: "where bubblewrap is not found, something else is taken for it",
    edits: [
      [
        "src/jail/open-jail.ts",
        '  const bwrap = await findOnPath("bwrap");',
        '  const bwrap = (await findOnPath("bwrap")) ?? "/usr/bin/bwrap";',
      ],
    ],
    red: ["without bubblewrap the line to install it is told"],
  },
];
