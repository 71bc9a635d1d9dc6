import type { Edit, Mutation } from "../mutation.ts";

const PARAMS = "src/jail/seatbelt-params.ts";
const NOT_HIDDEN: Edit = [
  PARAMS,
  "denyOnly: [...hidden, ...secrets.map((name) => `${project}/**/${name}`)],",
  "denyOnly: [...secrets.map((name) => `${project}/**/${name}`)],",
];
const SECRETS_OPEN: readonly Edit[] = [
  [
    PARAMS,
    "denyOnly: [...hidden, ...secrets.map((name) => `${project}/**/${name}`)],",
    "denyOnly: [...hidden],",
  ],
  [PARAMS, 'literalDenyOnly: pathsOf("mask"),', "literalDenyOnly: [],"],
];
const OBEYED_OPEN: readonly Edit[] = [
  [PARAMS, "denyWithinAllow: [...PROTECTED, ...secrets].map(", "denyWithinAllow: [...secrets].map("],
  [
    PARAMS,
    'literalDenyWithinAllow: [...pathsOf("readonly"), ...pathsOf("mask"), ...guarded],',
    'literalDenyWithinAllow: [...pathsOf("mask")],',
  ],
];

/** The column of macOS. */
export const SYSTEMS: readonly Mutation[] = [
  {
    claim: "Files outside the project | are not there",
    gone: "people's folders are not hidden",
    edits: [NOT_HIDDEN],
    red: [
      "hide people's folders and give back only what the program needs",
      "what is hidden can neither be read nor written, by any way",
    ],
  },
  {
    claim: "Files outside the project | are not there",
    gone: "everything may be written",
    edits: [[PARAMS, "      literalAllowOnly: own,", '      literalAllowOnly: [...own, "/"],']],
    red: ["allow writing to four folders and nothing else"],
  },
  {
    claim: "Secrets that are there | read as empty",
    gone: "secrets may be read",
    edits: SECRETS_OPEN,
    red: ["H05: secrets cannot be read, changed or moved away"],
  },
  {
    claim: "Secrets that appear | end the jail",
    gone: "names of secrets are not forbidden",
    edits: SECRETS_OPEN,
    red: ["hides and gives back in an order that holds"],
  },
  {
    claim: "Settings, hooks and configs | that exist",
    gone: "what the host obeys may be written",
    edits: OBEYED_OPEN,
    red: [
      "H22 H31: forbids what the host would obey, whether it exists or not",
      "H22 H31: what the host's git would run cannot be changed, replaced or moved away",
    ],
  },
  {
    claim: "Network | no interface",
    gone: "all unix sockets may be reached",
    edits: [[PARAMS, "  allowAllUnixSockets: false,", "  allowAllUnixSockets: true,"]],
    red: ["allow one unix socket, no network, no loopback, no Apple events, no terminal"],
  },
  {
    claim: "Network | no interface",
    gone: "every port of the loopback may be reached",
    edits: [[PARAMS, '(remote ip "localhost:${port}"))\\n`', '(remote ip "localhost:*"))\\n${port < 0}`']],
    red: ["lets through to the ports that it is told of, and to no other of the loopback"],
  },
  {
    claim: "Network | no interface",
    gone: "the filter asks nobody for a token",
    edits: [
      [
        "src/egress/leases.ts",
        "if (timingSafeEqual(hash, candidate)) found = lease;",
        "if (hash.length === candidate.length) found = lease;",
      ],
    ],
    red: [
      "the filter answers on a port of the loopback too, where that was asked for, and to its tokens alone",
    ],
  },
  {
    claim: "Keychains, other programs, clipboard",
    gone: "the services that hold secrets may be spoken to",
    edits: [[PARAMS, "  return REFUSED_SERVICES.reduce(", "  return REFUSED_SERVICES.slice(3).reduce("]],
    red: ["opens no way to the network, the keychain, the pasteboard or other programs"],
  },
  {
    claim: "Processes | end with the jail",
    gone: "nobody looks for what a program left",
    edits: [
      [
        "src/jail/host-process.ts",
        "if (!(await endTree(tree))) {",
        "if (tree.root < 0 && !(await endTree(tree))) {",
      ],
    ],
    red: ["kill finds grandchildren that left the session and lost their parent"],
  },
  {
    claim: "Home and temp folder | in memory",
    gone: "the temp folder is the one of everybody",
    edits: [[PARAMS, "export TMPDIR=${quote(inside.tmp)}; ", ""]],
    red: ["the program gets its arguments and environment whole, and a temp folder of its own"],
  },
];
