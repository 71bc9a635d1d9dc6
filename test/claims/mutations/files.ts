import type { Edit, Mutation } from "../mutation.ts";

const OPTIONS = "src/jail/bwrap-options.ts";

/** The folder that holds the project is shown too. */
const SHOWN_PARENT: readonly Edit[] = [
  [
    "src/jail/bwrap-binds.ts",
    "    { source: project, target: project, isWritable: true },\n",
    '    { source: join(project, ".."), target: join(project, ".."), isWritable: true },\n    { source: project, target: project, isWritable: true },\n',
  ],
  [
    "src/jail/bwrap-binds.ts",
    "import { type Bridge",
    'import { join } from "node:path";\nimport { type Bridge',
  ],
];

const ROOT_CLAIM = "Of a daemon that runs as root";
/** The watch would take a secret that is not masked for one that appeared, and end the jail. */
export const NO_MASKS: readonly Edit[] = [
  ["src/jail/plan-protection.ts", "      if (!exposed.includes(at)) plan.mask(at);\n", ""],
  ["src/jail/secret-watch.ts", '        tell({ kind: "secret", path: message.path });\n', ""],
];

const WRITABLE: readonly Edit[] = [
  [OPTIONS, '      return ["--ro-bind", path, path];', '      return ["--bind", path, path];'],
  [
    "src/jail/verify-mounts.ts",
    '(planned.kind === "pin" || mount.isReadonly)',
    '(planned.kind !== "mask" || mount.isReadonly)',
  ],
];

export const FILES: readonly Mutation[] = [
  {
    claim: "Files outside the project can neither",
    also: ["Files outside the project | are not there"],
    gone: "the folder that holds the project is shown, writable",
    edits: SHOWN_PARENT,
    red: ["files outside the project can neither be read nor written, nor made"],
  },
  {
    claim: ROOT_CLAIM,
    gone: "programs keep root's user in everybody's project",
    edits: [
      [
        "src/jail/tenants.ts",
        "if (tools === null || identity === null) return own;",
        "if (tools === null || identity === null || identity.uid > 0) return own;",
      ],
    ],
    red: [
      "runs as the owner of the project, without a capability or a way to get one",
      "reaches files of the project as its owner does, and makes files that are his",
      "the real CLI of a root daemon works as the owner of the project, and is resumed as him",
    ],
  },
  {
    claim: ROOT_CLAIM,
    gone: "who has become another user may make user namespaces",
    edits: [
      ["src/jail/seccomp.ts", "    making: [272, 56],", "    making: [],"],
      ["src/jail/seccomp.ts", "    making: [97, 220],", "    making: [],"],
    ],
    red: ["makes no user namespace, and so nothing that a user may do only in one"],
  },
  {
    claim: ROOT_CLAIM,
    gone: "secrets are not masked",
    edits: NO_MASKS,
    red: ["hides secrets, keeps settings, and shows the rest of the machine as little as ever"],
  },
  {
    claim: "Toolchains are shown read-only",
    gone: "the folder of all versions is shown with a toolchain",
    edits: [
      [
        "src/jail/tool-root.ts",
        "    if (root !== undefined) return { root, bin: dirname(real) };",
        "    if (root !== undefined) return { root: dirname(dirname(root)), bin: dirname(real) };",
      ],
    ],
    red: [
      "of %s the version's own folder is shown and nothing above it",
      "npm install && npm test, with a Node of nvm's in the owner's home, of which nothing else shows",
    ],
  },
  {
    claim: "Toolchains are shown read-only",
    gone: "whatever a toolchain lies in is shown",
    edits: [["src/jail/toolchains.ts", "    if (fault !== null) {", '    if (fault === "") {']],
    red: ["%s is not shown, and told"],
  },
  {
    claim: "Toolchains are shown read-only",
    gone: "what the services of Homebrew write is shown as well",
    edits: [["src/jail/toolchains.ts", 'const PREFIX_WITHOUT = ["var"];', 'const PREFIX_WITHOUT = [""];']],
    red: [
      "a Homebrew prefix is shown whole but for what its services write, links from bin to Cellar and opt included",
    ],
  },
  {
    claim: "Package caches are shared neither",
    gone: "one cache for all people of a project",
    edits: [
      [
        "src/workspace/caches.ts",
        "const folder = join(root, String(userId), name);",
        'const folder = join(root, "all", name);',
      ],
    ],
    red: ["H34: each person has a cache of his own in each project, closed to others"],
  },
  {
    claim: "What no namespace keeps apart",
    also: ["Keychains, other programs, clipboard"],
    gone: "system calls for the kernel's keyrings and io_uring pass the filter",
    edits: [
      [
        "src/jail/seccomp.ts",
        "refused: [248, 249, 250, 308, ...IO_URING, CLONE3],",
        "refused: [308, CLONE3],",
      ],
      [
        "src/jail/seccomp.ts",
        "refused: [217, 218, 219, 268, ...IO_URING, CLONE3],",
        "refused: [268, CLONE3],",
      ],
    ],
    red: [
      "a key in the daemon's session keyring can neither be read nor left there from inside",
      "sockets of families that lead past the network namespace cannot be made, io_uring neither",
    ],
  },
  {
    claim: "The environment is built from nothing",
    gone: "a child inherits what the daemon was started with",
    edits: [
      [
        "src/jail/spawn.ts",
        "    env,\n    cwd,\n    extendEnv: false,",
        "    env,\n    cwd,\n    extendEnv: true,",
      ],
      [OPTIONS, '"--remount-ro / --clearenv"', '"--remount-ro /"'],
    ],
    red: ["H06 H36: %s of the daemon does not reach the child"],
  },
  {
    claim: "Of some five hundred attacks",
    gone: "what is to be read-only is mounted writable",
    edits: WRITABLE,
    red: ["H02 H03 H05 H06 H21 H22 H31 H32: with product of the layers no attack gets through"],
    env: { ATTACK_COLUMNS: "product" },
  },
  {
    claim: "What the daemon was started with",
    gone: "the CLI is handed a variable of the daemon's",
    edits: [
      [
        "src/claude/env.ts",
        "    PATH: inside.path,\n",
        '    PATH: inside.path,\n    AWS_SECRET_ACCESS_KEY: process.env.AWS_SECRET_ACCESS_KEY ?? "",\n',
      ],
    ],
    red: [
      "H06 H36: AWS_SECRET_ACCESS_KEY, which the daemon was started with, reaches neither the CLI nor its Bash nor a child of the daemon",
    ],
  },
  {
    claim: "What the daemon was started with",
    gone: "programs run without a sandbox, with a variable of the daemon's that a shell obeys",
    edits: [
      ["src/jail/open-jail.ts", '  if (sandbox === "off") {', "  if (sandbox !== undefined) {"],
      [
        "src/claude/env.ts",
        "    PATH: inside.path,\n",
        '    PATH: inside.path,\n    BASH_ENV: process.env.BASH_ENV ?? "",\n',
      ],
    ],
    red: ["H36: nothing that the variables name was run by anything but the daemon's own Node"],
  },
  {
    claim: "The home folder is fresh for each process",
    also: ["Home and temp folder | in memory"],
    gone: "the home folder is one of the machine's and stays",
    edits: [
      [
        OPTIONS,
        '    ...tmpfs(INSIDE.home, SMALL_BYTES, "0700"),',
        '    "--bind",\n    "/var/tmp",\n    INSIDE.home,',
      ],
    ],
    red: ["the home is fresh each time, the config folder stays"],
  },
  {
    claim: "`.git/config`, `.git/hooks`",
    also: ["Settings, hooks and configs | that exist"],
    gone: "what is to be read-only is mounted writable",
    edits: WRITABLE,
    red: ["H22: settings that run code cannot be changed, replaced or moved away, at any depth"],
  },
  {
    claim: "Opening a repository that runs whatever",
    gone: "the CLI reads the settings and MCP servers of the project",
    edits: [["src/claude/argv.ts", '    "--setting-sources=",\n    "--strict-mcp-config",\n', ""]],
    red: ["H22: the CLI as it is launched runs nothing of it and reads no orders, without any jail"],
  },
  {
    claim: "Opening a repository that runs whatever",
    gone: "programs run without a sandbox",
    edits: [["src/jail/open-jail.ts", '  if (sandbox === "off") {', "  if (sandbox !== undefined) {"]],
    red: [
      "H18 H22: opened and prompted in, it runs nothing at all; the model's git runs it in the jail and nowhere else",
    ],
  },
  {
    claim: "The same holds for repositories in node_modules",
    gone: "bare repositories are not protected",
    edits: [
      [
        "src/jail/plan-protection.ts",
        '  for (const { at } of paths) if (at.endsWith("/HEAD")) await planBareRepository(join(at, ".."), survey);\n',
        "  if (paths.length < 0) await planBareRepository(plan.project, survey);\n",
      ],
    ],
    red: ["repositories in node_modules and bare ones are protected as others are"],
  },
  {
    claim: "A hostile repository's own settings",
    gone: "the CLI reads the settings and MCP servers of the project",
    edits: [["src/claude/argv.ts", '    "--setting-sources=",\n    "--strict-mcp-config",\n', ""]],
    red: [
      "a hostile project or config folder runs nothing: no hook, key helper, MCP server or memory file is loaded",
    ],
  },
  {
    claim: "Each person has a CLI folder",
    gone: "one CLI folder for all people of a project",
    edits: [
      [
        "src/claude/config-dir.ts",
        "const folder = join(root, String(userId), name);",
        'const folder = join(root, "all", name);',
      ],
    ],
    red: ["H34: each person has a CLI folder of his own in each project, closed to others"],
  },
  {
    claim: "Each person has a CLI folder",
    gone: "people of one conversation share a process",
    edits: [
      [
        "src/claude/runner.ts",
        "key: JSON.stringify([conversationKey, userId, project]),",
        "key: JSON.stringify([conversationKey, project]),",
      ],
      [
        "src/claude/runner.ts",
        "          process.sessionId === sessionId &&\n          process.configDir === configDir &&\n",
        "",
      ],
    ],
    red: ["H34: another person in the same conversation has another process and another config folder"],
  },
];
