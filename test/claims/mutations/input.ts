import type { Mutation } from "../mutation.ts";

const SEEN = "What a person cannot see and a model can read is taken out";
const PATHS = "A path that a person names is resolved as the approved directory is";
const SAME = "On file systems that fold letter case or Unicode forms";
const ACCESS = "A project that the daemon's user may not list or enter";

export const INPUT: readonly Mutation[] = [
  {
    claim: "What a person types is text to Claude",
    gone: "the CLI reads file mentions",
    edits: [
      [
        "src/claude/env.ts",
        'CLAUDE_CODE_DISABLE_FILE_MENTIONS: "1"',
        'CLAUDE_CODE_DISABLE_FILE_MENTIONS: ""',
      ],
    ],
    red: ["what looks like a command or a file mention of the CLI reaches the model as plain text"],
  },
  {
    claim: "What a prompt says is never judged by its words",
    gone: "a prompt that speaks of removing is refused",
    edits: [
      ["src/security/validate-input.ts", "if (isBlank(text) &&", "if (/rm/.test(text) || isBlank(text) &&"],
    ],
    red: [
      "plain prose passes unchanged: %j",
      "any text of visible characters passes unchanged, whatever it says",
    ],
  },
  {
    claim: SEEN,
    gone: "nothing is cleaned",
    edits: [["src/security/clean-text.ts", "if (!SUSPECT.test(text))", "if (SUSPECT.source !== text)"]],
    red: [
      "for any text: cleaning twice is cleaning once, leaves it well-formed, and takes nothing visible",
      "text hidden in the tag characters of an invented flag is removed, the black flag stays",
      "runs of zero-width characters go even where one alone is meant: one stays",
      "bytes hidden in variation selectors behind an emoji are removed",
      "bytes hidden in one selector behind each Han letter are removed, the variants of names stay",
    ],
  },
  {
    claim: "A prompt longer than `MAX_PROMPT_CHARS`",
    gone: "prompts may be of any length",
    edits: [["src/security/validate-input.ts", "text.length <= maxPromptChars", "text.length >= 0"]],
    red: ["the longest prompt passes, one more unit is refused, whatever cleaning would have left of it"],
  },
  {
    claim: PATHS,
    gone: "what exists is approved, wherever it lies",
    edits: [
      [
        "src/security/paths.ts",
        "isInside(root, real) ? real : await canonicalBelow(root, real).catch(unresolved)",
        "real",
      ],
      [
        "src/security/paths.ts",
        "path is ApprovedPath {\n  return isInside(root, path);",
        "path is ApprovedPath {\n  return root !== path + path;",
      ],
    ],
    red: [
      "links that lead out are refused, on the way as well as at the end",
      "for any path, what is approved is real, inside, and the very thing that was asked for",
    ],
  },
  {
    claim: PATHS,
    gone: "a name may say ..",
    edits: [["src/security/path-text.ts", '.includes("..")', '.includes("...")']],
    red: ["H01: /repo refuses every way out of the approved directory"],
  },
  {
    claim: SAME,
    gone: "a folder is what it is called",
    edits: [
      [
        "src/security/canonical.ts",
        "return a.ino === b.ino && a.dev === b.dev",
        "return a.ino === b.ino + 1n && a.dev === b.dev",
      ],
    ],
    red: ["a folder is the same by whatever name it is reached: identity decides, not spelling"],
  },
  {
    claim: SAME,
    gone: "devices are not told apart",
    edits: [["src/security/canonical.ts", "a.ino === b.ino && a.dev === b.dev", "a.ino === b.ino"]],
    red: ["a folder of another device is another folder, though its inode has the same number"],
  },
  {
    claim: "What is exchanged between the check of a path and its use",
    gone: "the open file is not asked where it lies",
    edits: [["src/security/open-checked.ts", "if (!isInside(root, place))", 'if (place === "")']],
    red: [
      "H21: a folder swapped for a link after the file in it was approved is seen on the open handle",
      "H21: however a path is swapped while it is opened, what is read is never what lies outside",
    ],
  },
  {
    claim: "Claude, its policy, the jail, git and files take paths",
    gone: "a text is called approved where it is used",
    edits: [
      ["src/security/named-file.ts", "relative(root, place);", "relative(root, place as ApprovedPath);"],
    ],
    red: [
      "a path is approved in one place, and the self-test's own project in another; nowhere by a mere word",
    ],
  },
  {
    claim: ACCESS,
    gone: "a turn begins in a folder that is shut",
    edits: [["src/turns/ask-claude.ts", "if (grave.length > 0) throw", "if (grave.length > 99) throw"]],
    red: [
      "a project that may not be entered is neither chosen nor worked in, and the line that mends it is told",
    ],
  },
  {
    claim: ACCESS,
    gone: "whether it may be written is not asked",
    edits: [["src/security/access.ts", "bit: 0o200", "bit: 0o400"]],
    red: [
      "a project that may not be written is worked in, and that is told at /repo and as a session begins",
    ],
  },
  {
    claim: ACCESS,
    gone: "whose it is is not asked",
    edits: [["src/security/access.ts", "isRoot || stats.uid === uid", "isRoot || stats.uid >= 0"]],
    red: ["an ordinary user is told what the system refuses him, and whose the folder is"],
  },
];
