import type { Mutation } from "../mutation.ts";

const INVENTORY = "src/jail/sift/inventory.ts";
const NAMES = "A file's name is made safe";
const LEFT = "Of more than sixty hostile archives";
const OUT = "What came out is looked at again";
const PLACE = "What a person sends lies outside";
const HAD = "A file that cannot be had";

export const UPLOADS: readonly Mutation[] = [
  {
    claim: "A file is judged by the name and size",
    gone: "a file of any declared size passes the gate",
    edits: [
      ["src/security/judge-file.ts", "if (bytes !== null && bytes > maxFileBytes)", "if (bytes === -1)"],
    ],
    red: ["H16: a file is judged by its name and declared size before anything is fetched"],
  },
  {
    claim: "While it is fetched its bytes are counted",
    gone: "what is too large is cut off and kept",
    edits: [
      [
        "src/telegram/fetch-file.ts",
        '      response.destroy();\n      return { kind: "too_large" };',
        '      response.destroy();\n      return { kind: "fetched", bytes: maxBytes, sha256: "" };',
      ],
    ],
    red: ["H16: what is larger than it may be is cut off as it comes, whatever was declared"],
  },
  {
    claim: "What a file is is told by its bytes too",
    gone: "a picture may be a zip or a PDF as well",
    edits: [
      [
        "src/workspace/file-type.ts",
        'if (seen.endsAsZip || isPdf) return refused("polyglot");',
        'if (seen.pdfAt === -2) return refused("polyglot");',
      ],
    ],
    red: [
      "H16: a picture that is a zip too is refused, and nothing of it is left",
      "H16: a picture that is a PDF too is refused, and nothing of it is left",
    ],
  },
  {
    claim: "It is looked at and unpacked in a jail",
    gone: "the program may write the file",
    edits: [
      ["src/jail/bwrap-sift.ts", "bind(file, INSIDE.sift.file),", "bind(file, INSIDE.sift.file, true),"],
    ],
    red: ["H16: it has the file, the folder and the program: no project, no network, no memory without end"],
  },
  {
    claim: LEFT,
    gone: "a bomb swells up to the limit",
    edits: [[INVENTORY, "bytes > packedBytes * limits.maxRatio", "bytes < 0"]],
    red: ["H16: a bomb of zeros in a zip: nothing of it is left"],
  },
  {
    claim: "Links, secrets and settings that would run",
    gone: "settings that run something are unpacked",
    edits: [[INVENTORY, "SETTINGS.has(foldPath(", "SETTINGS.has(String("]],
    red: ["H16: links, secrets and settings that run code are left out and told; archives in it stay packed"],
  },
  {
    claim: OUT,
    gone: "what the program says of its own work is believed",
    edits: [
      [
        "src/workspace/unpack.ts",
        "return (await look(target)) && seen.files === told.files;",
        "return (await look(target)) || seen.files === told.files;",
      ],
    ],
    red: [
      "what comes out is looked at again from outside: a link, a second name, or more than was told is not taken",
    ],
  },
  {
    claim: OUT,
    gone: "files keep the right to be run",
    edits: [
      ["src/jail/sift/write-entry.ts", "open(place, NEW, 0o600)", "open(place, NEW, 0o700)"],
      ["src/workspace/unpack.ts", "      await chmod(path, 0o600);\n", ""],
    ],
    red: ["files and folders come out as they went in, and nothing of them may be run"],
  },
  {
    claim: NAMES,
    gone: "blanks, separators and signs of the shell stay",
    edits: [["src/domain/file-name.ts", '    .replace(OTHER, "_")\n', ""]],
    red: ["whatever it was: one safe part of a path, and the same when it is made safe again"],
  },
  {
    claim: NAMES,
    gone: "names are as long as they were",
    edits: [
      [
        "src/domain/file-name.ts",
        "if (byteLength(name) <= MAX_BYTES) return name;",
        "if (name !== '') return name;",
      ],
    ],
    red: ["is never longer than 120 bytes, however many a letter has, and keeps its extension"],
  },
  {
    claim: PLACE,
    gone: "the folder's name can be guessed",
    edits: [["src/workspace/uploads.ts", "randomBytes(16)", "randomBytes(2)"]],
    red: ["a text file is read unasked where the prompt says, and a later one without a new process"],
  },
  {
    claim: PLACE,
    gone: "everybody in a project has the same folder",
    edits: [
      [
        "src/main.ts",
        "store.uploadFolders.of(userId, project,",
        "store.uploadFolders.of(userId * 0, project,",
      ],
    ],
    red: ["what one person sends is not there for another"],
  },
  {
    claim: PLACE,
    gone: "the folder is writable in the jail",
    edits: [
      [
        "src/jail/bwrap-binds.ts",
        "[readonly(uploadsDir, INSIDE.uploads)]",
        "[{ source: uploadsDir, target: INSIDE.uploads, isWritable: true }]",
      ],
    ],
    red: ["a zip is unpacked in the jail and read file by file; nothing there can be written"],
  },
  {
    claim: PLACE,
    gone: "the file tools may write there when a person says so",
    edits: [["src/claude/judge.ts", 'if (isWriter && paths.some(isUpload)) return deny("uploads");', ""]],
    red: ["H68: what the person sent is read unasked and written by nobody, in every mode"],
  },
  {
    claim: HAD,
    gone: "the turn runs without the file",
    edits: [
      [
        "src/turns/gather-files.ts",
        'return failed("file_unfetched", `${name}: ${receipt.cause}`);',
        'return { kind: "ready", files: [] };',
      ],
    ],
    red: [
      "a file that cannot be fetched is told, the turn does not run as if it were there, and it can be run again",
    ],
  },
  {
    claim: HAD,
    gone: "the half of a file stays",
    edits: [["src/main.ts", "  await uploads.sweep();\n", ""]],
    red: [
      "a daemon that is killed while it fetches goes on with it in its next life, and keeps nothing of the half",
    ],
  },
  {
    claim: "Files that people sent are deleted",
    gone: "rows go and files stay",
    edits: [["src/ops/clear-uploads.ts", "if (isLast) await rm(", "if (isLast && name === null) await rm("]],
    red: [
      "H20: what was sent is deleted at its day and no sooner, rows and files; an unfinished or held work keeps its own",
    ],
  },
];
