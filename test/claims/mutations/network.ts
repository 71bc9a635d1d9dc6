import type { Edit, Mutation } from "../mutation.ts";

const NET_POLICY = "src/turns/net-policy.ts";
const NET_GATE = "src/egress/net-gate.ts";

/** The second edit is of the trial at the start, which notices the first. */
const SHARED_NETWORK: readonly Edit[] = [
  [
    "src/jail/bwrap-options.ts",
    "--unshare-uts --unshare-net --unshare-cgroup-try",
    "--unshare-uts --unshare-cgroup-try",
  ],
  ["src/jail/bwrap-trial.ts", '["pid", "mnt", "net", "ipc"]', '["pid", "mnt", "ipc"]'],
];

export const NETWORK: readonly Mutation[] = [
  {
    claim: "No network interface leads out",
    also: ["Network | no interface"],
    gone: "the jail shares the network of the machine",
    edits: SHARED_NETWORK,
    red: ["there is no network, and the API socket answers"],
  },
  {
    claim: "A host that nobody allowed is asked about",
    gone: "what nobody allowed is let through without a question",
    edits: [[NET_POLICY, "    if (rule === null) return null;", "    if (rule === null) return ALLOW;"]],
    red: [
      "an unknown host is asked about while the program waits; [Once] lets it through for the turn, [For this project] for good",
    ],
  },
  {
    claim: "A host that nobody allowed is asked about",
    gone: "nobody's answer is a yes",
    edits: [
      [
        NET_POLICY,
        '      return deny("unanswered", `Nobody said in time whether ${host} is allowed`);',
        "      return ALLOW;",
      ],
    ],
    red: ["nobody's answer is a no"],
  },
  {
    claim: "A host that nobody allowed is asked about",
    gone: "a question stands on the screen though nobody waits for it any more",
    edits: [[NET_POLICY, "      if (question.askers === 0) question.abort.abort();\n", ""]],
    red: ["a stop withdraws the question and the connection that waits for it"],
  },
  {
    claim: "What is said of a host or a repository for good",
    gone: "what is said for good is kept after the press, in a transaction of its own",
    edits: [
      [
        "src/turns/approvals.ts",
        "    if (by !== null) settling.get(approval.id)?.(by);\n",
        "    const settle = settling.get(approval.id);\n    if (by !== null && settle) setTimeout(() => settle(by), 50);\n",
      ],
    ],
    red: [
      "what is said of a host for good is kept with the press itself, or not at all",
      "a repository is accepted with the press itself",
    ],
  },
  {
    claim: "What the filter and the git gate refuse",
    gone: "what is no public name is put on record as it was sent",
    edits: [
      [
        NET_GATE,
        '  return { host: host ?? "unreadable", port: digits === undefined ? null : Number(digits) };',
        "  return { host: host ?? authority, port: digits === undefined ? null : Number(digits) };",
      ],
    ],
    red: [
      "what the gate itself refuses is told with its place and reason, without anything else that was sent",
    ],
  },
  {
    claim: "What the filter and the git gate refuse",
    gone: "refusals go on record without bound",
    edits: [
      [
        "src/turns/refusal-record.ts",
        "if (told.has(key) || told.size >= MAX_RECORDED) return;",
        "if (told.has(key)) return;",
      ],
    ],
    red: ["refusals are on record with their reason: each once, a hundred in a turn"],
  },
  {
    claim: "For a whole project only owners",
    gone: "keys for the whole project are everybody's",
    edits: [
      [
        "src/telegram/approval-view.ts",
        "...(isOwners ? { userId: OWNERS_ONLY } : {})",
        "...(isOwners ? {} : {})",
      ],
    ],
    red: ["a member may say [Once]; what holds for the whole project is for owners"],
  },
  {
    claim: "For a whole project only owners",
    gone: "what an owner closed is asked about again",
    edits: [
      [
        NET_POLICY,
        'return rule === "allow" ? ALLOW : deny("closed", `${target.host} is closed for this project`);',
        'return rule === "allow" ? ALLOW : null;',
      ],
    ],
    red: ["[Never] refuses in words that the program shows, this time and the next, and without a question"],
  },
  {
    claim: "Hosts are named, looked up by the daemon",
    gone: "an address is taken for a name",
    edits: [["src/domain/host-rule.ts", "(?=[a-z])${LABEL}$`", "${LABEL}$`"]],
    red: [
      "%s is refused without anybody being asked",
      "no address in any spelling is a name, and a name never changes when it is read again",
    ],
  },
  {
    claim: "Hosts are named, looked up by the daemon",
    gone: "where a name leads is not looked at",
    edits: [["src/egress/dial.ts", "if (!addresses.every(isPublicAddress))", "if (addresses.length > 99)"]],
    red: ["a name that leads to %s is not dialled, though it was allowed"],
  },
  {
    claim: "Hosts are named, looked up by the daemon",
    gone: "whatever is an IPv6 address passes for public",
    edits: [
      [
        "src/egress/address.ts",
        'return !address.includes("%") && global6.check(address, "ipv6") && !closed.check(address, "ipv6");',
        'return !address.includes("%");',
      ],
    ],
    red: ["no address with a private v4 address inside it passes, and outside 2000::/3 none does"],
  },
  {
    claim: "Between turns, and with another jail's token",
    gone: "any token will do",
    edits: [
      [
        "src/egress/leases.ts",
        "if (timingSafeEqual(hash, candidate)) found = lease;",
        "if (hash.length === candidate.length) found = lease;",
      ],
    ],
    red: ["without a token of a lease, with one that was given back, and between turns nothing is reached"],
  },
  {
    claim: "Between turns, and with another jail's token",
    gone: "what goes through outlives the lease",
    edits: [
      [
        "src/egress/leases.ts",
        "        payerEnd.abort();\n        netEnd.abort();\n",
        "        payerEnd.abort();\n",
      ],
    ],
    red: ["a lease that is given back cuts what goes through at once, and what waits for an answer"],
  },
  {
    claim: "Of this machine's loopback only the ports",
    gone: "every jail shares the loopback of the machine",
    edits: [...SHARED_NETWORK, ["src/open-claude.ts", "    assertProved(lines);\n", ""]],
    red: ["a loopback port of SANDBOX_LOCAL_PORTS is reached from the jail, another one is not"],
  },
];
