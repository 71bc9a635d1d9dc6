import type { Mutation } from "../mutation.ts";

const PRIVATE = "The settings file and files that hold secrets are refused";

/** How settings are read, and who else may get at them. */
export const CONFIGURATION: readonly Mutation[] = [
  {
    claim: PRIVATE,
    gone: "what others can read is a warning in production too",
    edits: [
      [
        "src/config/private-path.ts",
        'refused === "always" || environment === "production";',
        'refused === "always" || environment !== environment;',
      ],
    ],
    red: ["mode %o is refused in production with the mend, a warning in development"],
  },
  {
    claim: PRIVATE,
    gone: "a file that others may write is one that they can read",
    edits: [
      [
        "src/config/private-path.ts",
        'which others than its owner may write`, mend, refused: "always"',
        'which others than its owner may write`, mend, refused: "production"',
      ],
    ],
    red: ["mode %o, in which others write, is refused in development too, and not read"],
  },
  {
    claim: PRIVATE,
    gone: "folders above a file are not looked at",
    edits: [
      [
        "src/config/private-path.ts",
        "places.flatMap((place) => ancestorsOf(dirname(place)))",
        "places.flatMap((place) => ancestorsOf(dirname(place))).slice(0, 0)",
      ],
    ],
    red: ["a folder above it in which others may rename is refused, a sticky one such as /tmp is not"],
  },
  {
    claim: PRIVATE,
    gone: "the home folder's own mode does not matter",
    edits: [["src/config/check-home.ts", "...exposuresOfFolder({ key: KEY, path: home }, userId),", ""]],
    red: ["others may not put things in there; that they can look is mended by the start itself"],
  },
  {
    claim: "A placeholder of an example is no secret.",
    gone: "placeholders are secrets like others",
    edits: [
      [
        "src/config/strength.ts",
        "return PLACEHOLDERS.some((pattern) => pattern.test(value));",
        "return PLACEHOLDERS.length === 0 && value === value;",
      ],
    ],
    red: ["%s=%s is refused, not shown, and no second fault is made of it"],
  },
  {
    claim: "Every setting that is documented is read",
    gone: "the burst of the rate limit is a fixed one",
    edits: [["src/config/load.ts", "burst: settings.RATE_LIMIT_BURST", "burst: 10"]],
    red: ["H29: %s is read: another value makes another configuration"],
  },
  {
    claim: "Every setting that is documented is read",
    gone: "a profile's default wins over what was set",
    edits: [
      ["src/config/load.ts", "{ ...raw.profile, ...raw.explicit }", "{ ...raw.explicit, ...raw.profile }"],
    ],
    red: ["a profile's default holds only where nothing is set"],
  },
  {
    claim: "Every setting that is documented is read",
    gone: "a setting is read of which the example does not tell",
    edits: [
      [
        "src/config/settings.ts",
        '    LOG_LEVEL: standard("info",',
        '    LOG_SECRETS: standard("no", oneOf(["no", "yes"]), { meaning: "Undocumented." }),\n    LOG_LEVEL: standard("info",',
      ],
    ],
    red: [
      "H29: the example names every setting that is read and no other, in the same order",
      "the example tells meaning, unit and default of each as the schema has them",
    ],
  },
  {
    claim: "Every setting that is documented is read",
    gone: "unknown keys pass",
    edits: [
      [
        "src/config/env-file.ts",
        ".filter((key) => !known.includes(key)",
        ".filter((key) => known.includes(key)",
      ],
    ],
    red: ["%s in the settings file is refused with the suggestion %s"],
  },
  {
    claim: "A folder in which the daemon happens to be started",
    gone: "a .env of the current folder counts wherever that is",
    edits: [
      [
        "src/config/env-file.ts",
        "realPathOf(cwd) === realPathOf(programDir) && isThere(inCheckout)",
        "realPathOf(cwd) !== programDir.concat(programDir) && isThere(inCheckout)",
      ],
    ],
    red: ["a hostile current folder configures nothing"],
  },
];
