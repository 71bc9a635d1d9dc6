import type { Mutation } from "../mutation.ts";
import { NO_MASKS } from "./files.ts";

const WATCH = "src/jail/secret-watch.ts";
const WATCHED = "src/jail/watched-project.ts";
const PLAN = "src/jail/plan-protection.ts";
const APPEARS = "A secret that appears while a jail lives";

/** The same watch without a thread. */
const INLINE = `  const inline = watchProject({
    ...order,
    onSecret: (path) => take({ kind: "lost", path }),
    onFault: (code, path) => take({ kind: "failed", code, path }),
  });
  setImmediate(() => {
    inline.scan();
    take({ kind: "opened" });
  });
  const worker = {
    on: (_event: string, _heard: unknown) => undefined,
    postMessage: ({ token }: ToWatcher) => void setTimeout(() => take({ kind: "settled", token }), 20),
    terminate: async () => inline.takeCount(),
  };
`;

export const SECRETS: readonly Mutation[] = [
  {
    claim: "Files of the list of secrets",
    also: ["Secrets that are there | read as empty"],
    gone: "secrets are not masked",
    edits: NO_MASKS,
    red: [
      "they read as empty at any depth, by any way, and cannot be changed",
      "all that lies in a folder whose name is on the list is masked, but for a virtual environment",
    ],
  },
  {
    claim: APPEARS,
    gone: "results that the CLI keeps in files stay",
    edits: [
      [
        "src/claude/transcript.ts",
        "    await rm(join(folder, sessionId), { recursive: true, force: true });\n",
        "",
      ],
    ],
    red: ["H32: the files in which the CLI keeps long results go as well, and nothing through a link"],
  },
  {
    claim: APPEARS,
    also: ["Secrets that appear | end the jail"],
    gone: "a secret that appears is not told",
    edits: [[WATCH, '        tell({ kind: "secret", path: message.path });\n', ""]],
    red: ["%s is noticed, told and ends the jail"],
  },
  {
    claim: APPEARS,
    gone: "a secret that appears is not told",
    edits: [[WATCH, '        tell({ kind: "secret", path: message.path });\n', ""]],
    red: [
      "H32: what one Bash reads in a loop of a secret that is %s never reaches the model, and the turn goes on with it hidden",
    ],
  },
  {
    claim: APPEARS,
    gone: "a turn in which secrets appear goes on for ever",
    edits: [
      [
        "src/claude/runner.ts",
        "const isTooOften = losses > MAX_RENEWALS;",
        "const isTooOften = losses > 1_000;",
      ],
    ],
    red: ["H32: a secret that appears again and again ends the turn, and each time is told"],
  },
  {
    claim: APPEARS,
    gone: "what the watch finds as it begins is passed over",
    edits: [
      [
        "src/jail/secret-worker.ts",
        '  onSecret: (path) => say({ kind: "lost", path }),',
        '  onSecret: (path) => {\n    if (isOpen) say({ kind: "lost", path });\n  },',
      ],
      ["src/jail/secret-worker.ts", "let sentinelCount = 0;", "let sentinelCount = 0;\nlet isOpen = false;"],
      ["src/jail/secret-worker.ts", 'say({ kind: "opened" });', 'isOpen = true;\nsay({ kind: "opened" });'],
    ],
    red: ["between the look at the project and the watch nothing slips in"],
  },
  {
    claim: APPEARS,
    gone: "the barrier of a lease is not waited for",
    edits: [
      [
        "src/egress/proxy.ts",
        "    await lease.barrier(); // after the last byte: until then the jail may have put anything into it\n",
        "",
      ],
    ],
    red: [
      "H32: the barrier of a lease is waited for after the last byte of a request, and what was given up by then reaches nobody",
    ],
  },
  {
    claim: APPEARS,
    gone: "a folder that was made again is taken for the one that is watched",
    edits: [
      [
        WATCHED,
        "    if (watchers.get(folder)?.ino === ino) return;",
        "    if (watchers.has(folder)) return;",
      ],
    ],
    red: ["H32: a folder that was made again under its name is watched like the first"],
  },
  {
    claim: APPEARS,
    gone: "a second name of a masked file is no secret",
    edits: [
      [
        WATCHED,
        "const isRead = inodes.has(id) ? stats.nlink > 1n :",
        "const isRead = inodes.has(id) ? false :",
      ],
    ],
    red: ["H32: a second name that a masked file had before is refused, with its place"],
  },
  {
    claim: "A secret file is shown to a project's jails",
    gone: "what an owner shows is on no record",
    edits: [
      [
        "src/telegram/handle-expose.ts",
        '  record(eventOf("secret.exposed", root, path), { userId, conversation: request.conversation });\n',
        "",
      ],
    ],
    red: [
      "an owner shows one secret file, from the next turn on, and hides it again; both are on record, and no other file is shown",
    ],
  },
  {
    claim: "A secret file is shown to a project's jails",
    gone: "a member may show a secret file",
    edits: [
      [
        "src/telegram/handle-expose.ts",
        "!isOpen && !isForOwner(deps, request, EXPOSE_WORDS.ownersOnly)",
        "!isOpen && request.principal === null",
      ],
    ],
    red: ["a member may not show a secret file"],
  },
  {
    claim: "A secret file is shown to a project's jails",
    gone: "any file that exists is one of the project",
    edits: [
      [
        "src/security/named-file.ts",
        "const isOfProject = isInside(root, place) && isInside(root, real) && (await lstat(real)).isFile();",
        "const isOfProject = (await lstat(real)).isFile();",
      ],
    ],
    red: ["the file %j of a project is %s"],
  },
  {
    claim: "A secret file is shown to a project's jails",
    gone: "what is shown opens all files of its name",
    edits: [
      [
        "src/claude/judge.ts",
        "if (exposed.includes(path)) return false;",
        "if (exposed.length > 0) return false;",
      ],
    ],
    red: [
      "a secret file that an owner has shown may be read and written, that one alone; protected paths stay shut",
    ],
  },
  {
    claim: "Names that a link gives count",
    gone: "links are passed over",
    edits: [
      [
        PLAN,
        "    const files = entry.isSymbolicLink() ? filesBehind(project, path, links) : [path];",
        '    const files = entry.isSymbolicLink() && path !== "" ? [] : [path];',
      ],
    ],
    red: [
      "what a link to a folder gives the names of secrets is masked, and nothing else there",
      "a link to a folder of secrets with more names than are looked through is refused, with what to do",
    ],
  },
  {
    claim: "Results that the model has not seen",
    gone: "a message is kept with the results between its blocks",
    edits: [["src/claude/transcript.ts", "    if (id === null) isWhole = false;\n", ""]],
    red: ["H32: a result that came between the blocks of one message is taken out with what follows"],
  },
  {
    claim: "Results that the model has not seen",
    gone: "what a subagent or the CLI says counts as the model's own",
    edits: [
      [
        "src/claude/transcript.ts",
        "if (data === undefined || data.isApiErrorMessage === true || data.isSidechain === true) return null;\n    return data.message.model === SYNTHETIC ? null : data.message.id;",
        "return data === undefined ? null : data.message.id;",
      ],
    ],
    red: ["H32: what a subagent or the CLI itself says after a result does not keep it"],
  },
  {
    claim: "Every such loss is on record and told",
    gone: "a loss while the CLI starts is a start that failed",
    edits: [["src/claude/start.ts", '  if (lost !== null) return { kind: "lost", loss: lost };\n', ""]],
    red: [
      "H32: a secret that appears while the CLI starts is told as one, and the prompt is written once, to the next",
      "H32: one that appears at every start ends the turn as what it is",
    ],
  },
  {
    claim: "Every such loss is on record and told",
    gone: "a loss between two turns is told to nobody",
    edits: [
      [
        "src/claude/runner.ts",
        '    if (turn !== undefined && loss !== null) tellLoss(log, turn, { kind: "jail_lost", loss });\n',
        "",
      ],
    ],
    red: [
      "H32: a secret that appears while the CLI waits between two turns is told in the chat and on record at once",
    ],
  },
  {
    claim: "A flood of files made inside",
    gone: "projects are watched in the daemon's own thread",
    edits: [
      [WATCH, '  const worker = startThread(join(import.meta.dirname, "secret-worker"), order);\n', INLINE],
      [
        WATCH,
        "import { watchFault }",
        'import { watchProject } from "./watched-project.ts";\nimport { watchFault }',
      ],
    ],
    red: [
      "is one for each jail: a flood in one project does not keep another's secret from being noticed",
      "a project of ten thousand folders is looked through and watched without holding up the daemon",
    ],
  },
  {
    claim: "A flood of files made inside",
    gone: "what is noticed under a flood is not looked at again",
    edits: [
      [
        WATCHED,
        "      else if (!isSkipped(name)) safely(join(folder, name), () => check(join(folder, name)));",
        "      else if (!isSkipped(name) && count < 4_000) safely(join(folder, name), () => check(join(folder, name)));",
      ],
      [
        "src/jail/secret-worker.ts",
        "if (!isDrained || watched.takeCount() > MAX_TRUSTED_EVENTS) watched.scan();\n  else watched.checkLinks();",
        "watched.checkLinks();",
      ],
      [
        "src/jail/secret-worker.ts",
        "  if (watched.takeCount() > MAX_TRUSTED_EVENTS) watched.scan();\n}, RELOOK_MS);",
        "}, RELOOK_MS);",
      ],
    ],
    red: ["a flood of files made inside hides no secret and does not hold up the daemon"],
  },
  {
    claim: "What cannot be watched is not run beside",
    gone: "a folder that cannot be listed is passed over",
    edits: [
      [
        WATCHED,
        '      if (isGone(error) || (codeOf(error) === "EACCES" && !canBeEntered(path))) return;',
        '      if (isGone(error) || (codeOf(error) === "EACCES" && path !== "")) return;',
      ],
    ],
    red: ["a folder %s that can be entered and not listed ends the jail"],
  },
  {
    claim: "What cannot be watched is not run beside",
    gone: "a folder that cannot be listed does not refuse a start",
    edits: [
      [
        PLAN,
        "    onShut: (path, cause) => refuseShut(project, path, cause),",
        "    onShut: async () => undefined,",
      ],
    ],
    red: ["a folder that can be entered and not listed is refused at the start, its own or another's"],
  },
  {
    claim: "What cannot be watched is not run beside",
    gone: "what the thread cannot watch is not told",
    edits: [
      [
        WATCH,
        "        fail(watchFault(Object.assign(new Error(message.code), { code: message.code })), message.path);\n",
        "",
      ],
    ],
    red: [
      "a project of more folders than the system has watches is refused, with the line to mend it",
      "watches that are used up while a jail lives are a loss",
    ],
  },
  {
    claim: "What cannot be watched is not run beside",
    gone: "a thread that does not answer is taken for one that found nothing",
    edits: [
      [
        WATCH,
        "        const stop = within(answerMs, () => {\n          fail(muteFault(project, answerMs), project);\n",
        "        const stop = within(answerMs, () => {\n",
      ],
    ],
    red: ["is given up when it does not answer any more"],
  },
  {
    claim: "What cannot be watched is not run beside",
    gone: "a thread that ended is not missed",
    edits: [
      [
        WATCH,
        '    fail(new AppError("sandbox_missing", `${project} could not be watched: ${reason}`), project);\n',
        "",
      ],
    ],
    red: ["is missed when it ends by itself"],
  },
];
