import type { Mutation } from "../mutation.ts";

const MIGRATIONS = "src/store/migrations.ts";
const FIRST = "src/store/migration-first.ts";
const CHAIN = "src/domain/audit-chain.ts";
const RETENTION = "src/store/retention.ts";
const APPEND_ONLY = "The audit is append-only";
const BEGINNING = "Its beginning is removed after";
const FORGOTTEN = "Prompts, answers and what was asked about";
const BACKUP = "A backup is readable by its owner alone";

export const RECORD: readonly Mutation[] = [
  {
    claim: APPEND_ONLY,
    gone: "rows of the audit may be changed",
    edits: [
      [
        FIRST,
        "  CREATE TRIGGER audit_is_append_only_update BEFORE UPDATE ON audit\n    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;\n",
        "",
      ],
    ],
    red: ["the audit is append-only for every statement, and its chain holds over several connections"],
  },
  {
    claim: APPEND_ONLY,
    gone: "a gap in the numbers is no fault, nor is a row that does not continue the one before",
    edits: [
      [CHAIN, '  if (row.id > head.id + 1) return "missing";\n', ""],
      [CHAIN, '  return row.previousHash === head.hash ? null : "unlinked";', "  return null;"],
    ],
    red: ["a removed row is found, the first as well, and named"],
  },
  {
    claim: APPEND_ONLY,
    gone: "a remembered head that is not there is no fault",
    edits: [
      [
        CHAIN,
        '  if (!isHeadSeen && expectedHead !== undefined)\n    return { kind: "broken", id: expectedHead.id, reason: "head_lost" };\n',
        "",
      ],
    ],
    red: ["the removal of the last rows is seen by a remembered head, of now or of earlier, and only by it"],
  },
  {
    claim: "No part of a prompt, button or argument",
    gone: "what came stands in the audit",
    edits: [
      [
        "src/security/audit.ts",
        "  return { origin, kind, body: body.kind, dedupeKey };",
        '  return { origin, kind, body: body.kind, dedupeKey: "text" in body ? body.text : dedupeKey };',
      ],
    ],
    red: ["H20: no part of a prompt, button or argument gets into the audit, whatever becomes of it"],
  },
  {
    claim: BEGINNING,
    gone: "the anchor may be moved anywhere",
    edits: [
      [
        MIGRATIONS,
        "    WHEN NEW.id <= OLD.id OR NEW.hash IS NOT (SELECT hash FROM audit WHERE id = NEW.id)\n",
        "    WHEN NEW.id < 0\n",
      ],
    ],
    red: [
      "the audit may lose its beginning up to its anchor, which only moves forward, from row to row, and nothing else",
    ],
  },
  {
    claim: BEGINNING,
    gone: "a beginning that no row gave up is no fault",
    edits: [
      [
        CHAIN,
        '  if (told !== trimmingUpTo(after)) return { kind: "broken", id: after.id, reason: "untold" };\n',
        "",
      ],
    ],
    red: [
      "a beginning that was cut off and that no row says was given up is found, as is an anchor that was moved by hand",
    ],
  },
  {
    claim: FORGOTTEN,
    gone: "what was said is kept as long as what was done",
    edits: [
      [
        RETENTION,
        "const content = ({ contentMs }: RetentionTimes): number => contentMs;",
        "const content = ({ auditMs }: RetentionTimes): number => auditMs;",
      ],
    ],
    red: ["what was said is kept to its day and no longer, what was done to its own"],
  },
  {
    claim: FORGOTTEN,
    gone: "sessions are kept for ever",
    edits: [
      [
        RETENTION,
        '    pick: "SELECT rowid AS id, 0 AS bytes FROM sessions WHERE ended_at < ?",',
        '    pick: "SELECT rowid AS id, 0 AS bytes FROM sessions WHERE ended_at < ? AND ended_at < 0",',
      ],
    ],
    red: [
      "H20: no table grows for ever: what was done two years ago has left no row but in those that are bounded",
    ],
  },
  {
    claim: FORGOTTEN,
    gone: "what is deleted is not overwritten",
    edits: [
      [
        "src/store/database.ts",
        '  db.pragma("secure_delete = ON");\n',
        '  db.pragma("secure_delete = OFF");\n',
      ],
    ],
    red: ["H20 H35: from the database file and from its write-ahead log"],
  },
  {
    claim: BACKUP,
    gone: "a backup may be read by everybody",
    edits: [
      [
        "src/store/copy.ts",
        '  const target = openSync(to, "wx", 0o600);',
        '  const target = openSync(to, "wx", 0o644);',
      ],
      ["src/ops/backup.ts", "  process.umask(0o077);\n", "  process.umask(0o022);\n"],
    ],
    red: [
      "a backup is made while the database is in use: whole, readable by its owner alone, and named by the time",
    ],
  },
  {
    claim: BACKUP,
    gone: "a backup is the file as it stands",
    edits: [
      [
        "src/store/copy.ts",
        "    db.exec(`VACUUM INTO '${to.replaceAll(\"'\", \"''\")}'`);",
        "    rmSync(to);\n    copyFileSync(from, to);",
      ],
      ["src/store/copy.ts", "  closeSync,\n  existsSync,", "  closeSync,\n  copyFileSync,\n  existsSync,"],
    ],
    red: ["H20 H35: a backup holds nothing that was deleted, and no free page"],
  },
  {
    claim: "The home folder is 0700",
    gone: "the home folder is as the umask leaves it",
    edits: [
      [
        "src/store/home.ts",
        "      mkdirSync(folder, { recursive: true, mode: 0o700 });\n      chmodSync(folder, 0o700);",
        "      mkdirSync(folder, { recursive: true });",
      ],
    ],
    red: ["H20: the home folder is 0700 and the database with its side files 0600, whatever the umask says"],
  },
];
