import type { Now } from "../domain/clock.ts";
import type { ProjectEntry } from "../domain/finding.ts";
import type { Quarantined, QuarantineNotice, QuarantineState } from "../domain/quarantine.ts";
import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";

/** What was taken out of projects. Rows are removed, files first, by `ops/clear-quarantine.ts`. */
export interface Quarantine {
  /** Writes down that the entries of a project are about to be moved out. */
  readonly begin: (
    root: string,
    workId: number | null,
    entries: readonly ProjectEntry[],
  ) => readonly Quarantined[];
  readonly get: (id: number) => Quarantined | null;
  /** Those told of by one message. */
  readonly ofNotice: (outboxId: number) => readonly Quarantined[];
  /** Those of a project in one of `states`, oldest first; of all projects when `root` is null. */
  readonly inStates: (states: readonly QuarantineState[], root: string | null) => readonly Quarantined[];
  readonly setState: (id: number, state: QuarantineState, by?: number) => void;
  readonly setNotices: (id: number, notices: readonly QuarantineNotice[]) => void;
  /** Ids of those found before `before` that may be forgotten, at most `limit`. */
  readonly due: (before: number, limit: number) => readonly number[];
  readonly remove: (id: number) => void;
}

/** What stood in a project when the jail that is open there began; a row is there while something may have changed since. */
export interface Baselines {
  readonly open: (root: string, entries: readonly ProjectEntry[]) => void;
  readonly get: (
    root: string,
  ) => { readonly entries: readonly ProjectEntry[]; readonly workId: number | null } | null;
  /** Writes down which work runs in the project. */
  readonly note: (root: string, workId: number) => void;
  readonly close: (root: string) => void;
  readonly roots: () => readonly string[];
}

interface Row {
  id: number;
  root: string;
  path: string;
  kind: Quarantined["kind"];
  ino: string | null;
  work_id: number | null;
  state: QuarantineState;
  notices: string;
}

/** Begins as the partial index quarantine_open does, which only so is used. */
const OPEN = "state IN ('moving', 'held', 'accepting')";

export function createQuarantine(db: Db, change: Change, now: Now): Quarantine {
  const insert = db.prepare<[string, string, string, string | null, number | null, number]>(
    `INSERT INTO quarantine (root, path, kind, ino, work_id, state, found_at) VALUES (?, ?, ?, ?, ?, 'moving', ?)`,
  );
  const get = db.prepare<[number | bigint], Row>("SELECT * FROM quarantine WHERE id = ?");
  const ofNotice = db.prepare<[number], Row>("SELECT * FROM quarantine WHERE notice_id = ? ORDER BY id");
  const open = db.prepare<[], Row>(`SELECT * FROM quarantine WHERE ${OPEN} ORDER BY id`);
  const setState = db.prepare<[QuarantineState, number | null, number, number]>(
    "UPDATE quarantine SET state = ?, decided_by = coalesce(?, decided_by), changed_at = ? WHERE id = ?",
  );
  const setNotices = db.prepare<[string, number | null, number]>(
    "UPDATE quarantine SET notices = ?, notice_id = ? WHERE id = ?",
  );
  const due = db.prepare<[number, number], { id: number }>(
    "SELECT id FROM quarantine WHERE found_at < ? AND state NOT IN ('moving', 'accepting') ORDER BY found_at LIMIT ?",
  );
  const remove = db.prepare<[number]>("DELETE FROM quarantine WHERE id = ?");

  return {
    begin: (root, workId, entries) =>
      entries.map(({ kind, path, ino }) => {
        const made = change("quarantine.moving", () => insert.run(root, path, kind, ino, workId, now()));
        return {
          id: Number(made.lastInsertRowid),
          root,
          path,
          kind,
          ino,
          workId,
          state: "moving",
          notices: [],
        };
      }),
    get: (id) => {
      const row = get.get(id);
      return row ? quarantinedOf(row) : null;
    },
    ofNotice: (outboxId) => ofNotice.all(outboxId).map(quarantinedOf),
    inStates: (states, root) =>
      open
        .all()
        .filter((row) => states.includes(row.state) && (root === null || row.root === root))
        .map(quarantinedOf),
    setState: (id, state, by) => {
      change(`quarantine.${state}`, () => setState.run(state, by ?? null, now(), id));
    },
    setNotices: (id, notices) => {
      change("quarantine.told", () =>
        setNotices.run(JSON.stringify(notices), notices[0]?.outboxId ?? null, id),
      );
    },
    due: (before, limit) => due.all(before, limit).map(({ id }) => id),
    remove: (id) => {
      change("row.expired", () => remove.run(id));
    },
  };
}

export function createBaselines(db: Db, change: Change, now: Now): Baselines {
  const open = db.prepare<[string, string, number]>(
    `INSERT INTO baselines (root, entries, at) VALUES (?, ?, ?)
     ON CONFLICT (root) DO UPDATE SET entries = excluded.entries, at = excluded.at`,
  );
  const get = db.prepare<[string], { entries: string; work_id: number | null }>(
    "SELECT entries, work_id FROM baselines WHERE root = ?",
  );
  const note = db.prepare<[number, string]>("UPDATE baselines SET work_id = ? WHERE root = ?");
  const close = db.prepare<[string]>("DELETE FROM baselines WHERE root = ?");
  const roots = db.prepare<[], { root: string }>("SELECT root FROM baselines ORDER BY root");

  return {
    open: (root, entries) => {
      change("baseline.opened", () => open.run(root, JSON.stringify(entries), now()));
    },
    get: (root) => {
      const row = get.get(root);
      return row ? { entries: JSON.parse(row.entries), workId: row.work_id } : null;
    },
    note: (root, workId) => {
      change("baseline.noted", () => note.run(workId, root));
    },
    close: (root) => {
      change("baseline.closed", () => close.run(root));
    },
    roots: () => roots.all().map(({ root }) => root),
  };
}

function quarantinedOf({ work_id: workId, notices, id, root, path, kind, ino, state }: Row): Quarantined {
  return { id, root, path, kind, ino, workId, state, notices: JSON.parse(notices) };
}
