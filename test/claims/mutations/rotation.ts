import type { Mutation } from "../mutation.ts";

const SCAN = "`sallyport credentials --scan` finds where";
const CHANGED = "A credential that has another value than before is on record";

/** What is known of credentials, and told of them. */
export const ROTATION: readonly Mutation[] = [
  {
    claim: "The owners are told of a credential",
    gone: "credentials are old after 900 days",
    edits: [["src/ops/remind-of-credentials.ts", "ROTATE_DAYS = 90;", "ROTATE_DAYS = 900;"]],
    red: [
      "owners are told of credentials that are 90 days old, by name and age, once and then every 30 days",
      "owners are told of credentials that are old, as a daily chore",
    ],
  },
  {
    claim: "The owners are told of a credential",
    gone: "the reminder is used up while no owner is there to read it",
    edits: [
      [
        "src/ops/remind-of-credentials.ts",
        "if (tellOwners(oldCredentialsText(due)) === 0) return 0;",
        "tellOwners(oldCredentialsText(due));",
      ],
    ],
    red: [
      "owners are told of credentials that are 90 days old, by name and age, once and then every 30 days",
    ],
  },
  {
    claim: CHANGED,
    gone: "another value is not put on record",
    edits: [
      [
        "src/ops/note-credentials.ts",
        "if (before !== null)\n      record(",
        "if (before !== null && before.since < 0)\n      record(",
      ],
    ],
    red: [
      "its age begins when its value is first seen, goes on over starts, and begins anew with another value, which is on record",
    ],
  },
  {
    claim: CHANGED,
    gone: "a fingerprint is the value's beginning",
    edits: [
      [
        "src/ops/known-credentials.ts",
        "fingerprints?.shown(name) ?? null",
        "loaded.secrets.named.find((one) => one.name === name)?.value.reveal() ?? null",
      ],
    ],
    red: ["shows each with its place, age and status, and neither a value nor a part of one"],
  },
  {
    claim: "What `TRACK_CREDENTIALS` names is kept out of the log",
    gone: "tracked credentials are no secrets of the log's",
    edits: [
      [
        "src/config/load.ts",
        'raw.explicit[key] ?? ""])), ...raw.tracked };',
        'raw.explicit[key] ?? ""])) };',
      ],
    ],
    red: ["what TRACK_CREDENTIALS names is a secret of the log's, and of nothing else"],
  },
  {
    claim: "Every name in the README's table for rotation",
    gone: "there is no API key among the secrets",
    edits: [["src/config/settings.ts", '  "ANTHROPIC_API_KEY",\n] as const;', "] as const;"]],
    red: ["H83: the README says of every credential how it is renewed, and of nothing else"],
  },
  {
    claim: SCAN,
    gone: "a value that is part of a file's name is told with the place",
    edits: [
      [
        "src/ops/credentials.ts",
        'const hide = (text: string): string => redact(text, "none");',
        'const hide = (text: string): string => redact(text, "none") && text;',
      ],
    ],
    red: [
      "finds a credential in logs, backups, sessions, projects, histories of shells and of git, and in the database, and shows none",
    ],
  },
  {
    claim: SCAN,
    gone: "the middle between two pieces is not looked at",
    edits: [["src/ops/scan/search.ts", "bytes.length - longest + 1);", "bytes.length - longest * 0);"]],
    red: ["finds a value %s, however the bytes are cut, on its line"],
  },
  {
    claim: SCAN,
    gone: "the database is not looked through",
    edits: [["src/store/texts.ts", "text: value }", "text: value.slice(0, 0) }"]],
    red: [
      "finds a credential in logs, backups, sessions, projects, histories of shells and of git, and in the database, and shows none",
    ],
  },
  {
    claim: SCAN,
    gone: "git runs on the host",
    edits: [["src/ops/scan/histories.ts", 'sandbox: "require",', 'sandbox: "off",']],
    red: ["H18: a hostile repository runs nothing, and what is no history is told"],
  },
  {
    claim: SCAN,
    gone: "what was left out is not told",
    edits: [["src/ops/scan/files.ts", "if (left > 0)", "if (left > 0 && left < 0)"]],
    red: ["a bound is kept and told: nothing passes for looked through that was not"],
  },
  {
    claim: SCAN,
    gone: "copies of the database are bytes alone",
    edits: [["src/ops/scan/home.ts", "copies.push(path);", "copies.splice(path.length);"]],
    red: [
      "a value that SQLite has cut to pieces is found in a backup and in what a restore replaced, which stay as they are",
    ],
  },
  {
    claim: SCAN,
    gone: "a folder of git's own is no repository",
    edits: [["src/ops/scan/files.ts", 'basename(folder) !== ".git"', 'basename(folder) === ""']],
    red: [
      "bare repositories are looked through, in a project and as one, and what a removed submodule left in .git/modules",
    ],
  },
  {
    claim: SCAN,
    gone: "names in a history are not looked at",
    edits: [
      ["src/ops/scan/tree-names.ts", "if (found.length === 0) return;", "if (found.length < 99) return;"],
    ],
    red: [
      "a value in the name of a file is found, in the history and in the work tree, and the name is told without it",
    ],
  },
  {
    claim: SCAN,
    gone: "a database that cannot be read passes for one that was",
    edits: [["src/ops/scan/home.ts", "isDatabaseRead: stored.fault === null", "isDatabaseRead: bytes >= 0"]],
    red: [
      "a damaged database is told with what to do, while the rest is looked through; it ends with 1 and says nothing of all being well",
    ],
  },
];
