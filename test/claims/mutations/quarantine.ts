import type { Edit, Mutation } from "../mutation.ts";

const LOOK = "src/jail/look-through.ts";
const FOUND = "Repositories, links to them, bare ones";
const OUTSIDE = "Nothing outside the project is seen or moved";
const NOTHING_NEW: Edit = [
  "src/turns/project-watch.ts",
  "return { found: newEntries(baseline.entries, now), faults };",
  "return { found: newEntries(now, now), faults };",
];
/** A folder is opened by its path, through whatever link stands there. */
const FOLLOWED: Edit = [
  "src/jail/walk.ts",
  "const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;",
  "const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY;",
];
const MOVED_THROUGH_LINKS: Edit = [
  "src/jail/quarantine-files.ts",
  "const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;",
  "const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY;",
];

export const QUARANTINE: readonly Mutation[] = [
  {
    claim: FOUND,
    gone: "what is called .git is no finding",
    edits: [
      [
        "src/jail/project-entries.ts",
        'names.filter((child) => isSame(child, ".git") || (isBare && child === "modules")),',
        'names.filter((child) => isBare && child === "modules"),',
      ],
    ],
    red: [
      "H31: %s is found, and once it is taken out the host's git runs nothing of it, which else it would",
      "H31: %s is found",
    ],
  },
  {
    claim: FOUND,
    gone: "nothing that a turn made is new",
    edits: [NOTHING_NEW],
    red: [
      "H31: a repository that a turn made is told before its answer and gone; the host's git runs nothing of it; accepted, it is back and protected",
      "H31: an owner is told of what a member's turn made, and left out it stays away, in the quarantine",
    ],
  },
  {
    claim: "That holds for turns that were stopped",
    gone: "only what a turn made that completed is looked at",
    edits: [
      [
        "src/turns/ask-claude.ts",
        'if (outcome.kind !== "completed" || called.some((name) => !READING.includes(name)))',
        'if (outcome.kind === "completed" && called.some((name) => !READING.includes(name)))',
      ],
      [
        "src/turns/project-watch.ts",
        "      live.delete(process);\n      later(root, () => settle(root));",
        "      live.delete(process);",
      ],
    ],
    red: ["H31: what a stopped turn made is taken out as well, and ordinary work is told of nowhere"],
  },
  {
    claim: "That holds for turns that were stopped",
    gone: "what stood there when an earlier life began is forgotten at the start",
    edits: [
      [
        "src/turns/project-watch.ts",
        "    if (live.size === 0) await settle(root);\n",
        "    if (live.size === 0) store.baselines.close(root);\n",
      ],
      [
        "src/turns/project-watch.ts",
        "      const roots = [...store.baselines.roots(), ...[...moving, ...accepting].map(({ root }) => root)];",
        "      const roots = [...moving, ...accepting].map(({ root }) => root);",
      ],
    ],
    red: ["H31: what a turn made that a crash of the daemon cut off is told and taken out at the next start"],
  },
  {
    claim: OUTSIDE,
    gone: "a folder is looked into through the link that took its place",
    edits: [FOLLOWED],
    red: ["H21: a folder exchanged for a link after its name was read is not looked into"],
  },
  {
    claim: OUTSIDE,
    gone: "what is moved out is reached through links",
    edits: [MOVED_THROUGH_LINKS],
    red: [
      "H21: a folder exchanged for a link after it was seen leads the move nowhere",
      "H21: while a process of the turn exchanges folders for links, nothing outside is seen or moved",
    ],
  },
  {
    claim: OUTSIDE,
    gone: "a copy follows links",
    edits: [
      [
        "src/jail/copy-tree.ts",
        '  if (stats.isSymbolicLink()) return symlink(await readlink(bytesOf(source), "buffer"), bytesOf(target));\n',
        "  if (stats.isSymbolicLink()) return copyFile(source, target);\n",
      ],
      [
        "src/jail/copy-tree.ts",
        "const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;",
        "const FILE = constants.O_RDONLY | constants.O_NONBLOCK;",
      ],
    ],
    red: ["on another file system it is copied, no link followed, and a copy cut short is begun anew"],
  },
  {
    claim: "A part of a project that cannot be looked into",
    gone: "a part that cannot be looked into ends the look",
    edits: [[LOOK, "    ...(onFault === undefined ? {} : { onFault }),\n", ""]],
    red: ["H31: what cannot be looked into hides nothing of what can"],
  },
  {
    claim: "A part of a project that cannot be looked into",
    gone: "a part that cannot be looked into is passed over",
    edits: [
      ["src/turns/project-watch.ts", "    if (faults.length > 0) throw faults[0];\n", ""],
      [
        LOOK,
        "    onShut: (path, cause) => refuseShut(project, path, cause),",
        "    onShut: async () => undefined,",
      ],
      [
        "src/jail/plan-protection.ts",
        "    onShut: (path, cause) => refuseShut(project, path, cause),",
        "    onShut: async () => undefined,",
      ],
    ],
    red: ["a project that cannot be looked into runs nothing until it is mended"],
  },
  {
    claim: "Only owners accept",
    gone: "whoever asked may press",
    edits: [
      [
        "src/telegram/quarantine-view.ts",
        "      userId: OWNERS_ONLY,",
        "      userId: items[0]?.workId == null ? OWNERS_ONLY : (store.work.get(items[0].workId)?.userId ?? OWNERS_ONLY),",
      ],
    ],
    red: ["H31: only owners may press for what lies in quarantine, whoever asked"],
  },
];
