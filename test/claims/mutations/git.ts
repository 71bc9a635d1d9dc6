import type { Mutation } from "../mutation.ts";

const GIT_POLICY = "src/turns/git-policy.ts";
const GIT_GATE = "src/egress/git-gate.ts";

export const GIT: readonly Mutation[] = [
  {
    claim: "git over the network goes to remotes",
    gone: "a repository needs no owner's word",
    edits: [
      [
        GIT_POLICY,
        '    if (rule === "allow") return { kind: "allow" };',
        '    if (rule !== "never") return { kind: "allow" };',
      ],
    ],
    red: [
      "git fetches over the daemon from the remote that an owner accepted, and pushes when a person has seen refs and commits",
    ],
  },
  {
    claim: "git over the network goes to remotes",
    gone: "an owner is asked about repositories that are no remotes of the project",
    edits: [[GIT_POLICY, "    if (!isNamed) return deny(", '    if (!isNamed && name === "") return deny(']],
    red: ["another repository of the same host is refused in words, and so is a push without a token"],
  },
  {
    claim: "git over the network goes to remotes",
    gone: "whatever is asked of the gate under a repository's name goes out",
    edits: [
      [
        "src/egress/git-route.ts",
        'if (method !== "POST" || url.search !== "") return null;',
        'if (method === "") return null;',
      ],
    ],
    red: ["%s %s is none"],
  },
  {
    claim: "git over the network goes to remotes",
    gone: "a repository's name may hold anything",
    edits: [
      [
        "src/egress/git-route.ts",
        "if (!segments.every((segment) => SEGMENT.test(segment))) return null;",
        'if (segments.includes("\\0")) return null;',
      ],
      [
        "src/egress/git-route.ts",
        'const [, name = "", repository = "", rest = ""] = PATH.exec(url?.pathname ?? "") ?? [];',
        'const [, name = "", repository = "", rest = ""] = PATH.exec(decodeURIComponent(url?.pathname ?? "")) ?? [];',
      ],
    ],
    red: ["no address makes it throw, and no repository that it gives leaves its host"],
  },
  {
    claim: "A push waits until a person",
    gone: "a push is forwarded whatever the person says",
    edits: [
      [
        GIT_GATE,
        '    if (verdict.kind === "allow") return',
        '    if (verdict.kind === "allow" || head.updates.length > 0) return',
      ],
    ],
    red: ["a push that is denied is told by git, with our words, and changes nothing"],
  },
  {
    claim: "A push waits until a person",
    also: ["Deletions, overwritten history"],
    gone: "git is believed what stands under a commit's name",
    edits: [
      [
        "src/workspace/git.ts",
        '    runScript(project, COPY, [ids.join("\\n"), ...argv]);',
        "    ids.length >= 0 ? run(project, argv) : runScript(project, COPY, [...argv]);",
      ],
    ],
    red: ["H31: a commit that was put under another's name is neither shown nor carries anything on"],
  },
  {
    claim: "A push waits until a person",
    gone: "lines that are not understood are passed over",
    edits: [
      [
        "src/egress/pkt-line.ts",
        '    if (ref === "") return invalid("it asks for something that this gate does not know");',
        '    if (ref === "" && line === "") return invalid("it asks for something that this gate does not know");',
      ],
    ],
    red: ["no bytes make it throw, and nothing but refs in git's own form is taken for an update"],
  },
  {
    claim: "A push waits until a person",
    gone: "what was read of a push to judge it does not go out with it",
    edits: [
      [
        "src/egress/git-gate.ts",
        "    send(request, out, begun?.bytes);",
        "    send(request, out, undefined);",
      ],
    ],
    red: ["a large push passes whole, and a stop while it waits leaves nothing behind"],
  },
  {
    claim: "Deletions, overwritten history",
    gone: "a member may push what is for owners",
    edits: [
      [GIT_POLICY, "    if (beyond && !isOwner(work.userId)) {", "    if (beyond && work.userId < 0) {"],
    ],
    red: [
      "what overwrites, deletes or leaves Claude's own branches says so, and only an owner is asked at all",
    ],
  },
  {
    claim: "Neither git nor a reader of its configs",
    gone: "what reads a config sees the machine, and may write",
    edits: [
      [
        "src/jail/bwrap-reading.ts",
        "binds: [{ source: project, target: project, isWritable: false }],",
        "binds: [{ source: project, target: project, isWritable: true }],",
      ],
    ],
    red: ["H18: configs are read in a sandbox that has the project alone, read-only, and no network"],
  },
  {
    claim: "Neither git nor a reader of its configs",
    gone: "a config that could not be read is taken for an empty one",
    edits: [
      [
        "src/jail/read-git-configs.ts",
        "if (code !== 0 || told.length !== some.length) throw",
        "if (code === -1) throw",
      ],
    ],
    red: ["a sandbox in which configs cannot be read ends the look: nothing is taken for harmless"],
  },
  {
    claim: "Neither git nor a reader of its configs",
    gone: "git runs on the host",
    edits: [
      [
        "src/workspace/git.ts",
        "    const jailed = await jail.start({",
        '    const { runToEnd } = await import("../jail/spawn.ts");\n    if (project !== null)\n      return runToEnd("/bin/sh", ["-c", `cd "$0"; ${script}`, project, ...argv], {\n        timeoutMs: TIMEOUT_MS,\n        env: { PATH: "/usr/bin:/bin", HOME: "/tmp" },\n      });\n    const jailed = await jail.start({',
      ],
    ],
    red: [
      "H18: what a hostile repository would run is run in no other place than the jail, whatever is asked of it",
    ],
  },
  {
    claim: "A program of the work tree that a repository's config",
    gone: "programs that a config names are not protected",
    edits: [
      [
        "src/jail/git-repository.ts",
        "  for (const command of commands) await protectProgram(config, { command, root }, plan);\n",
        "",
      ],
    ],
    red: ["H31: a program of the work tree that the owner's %s names cannot be changed: %s"],
  },
];
