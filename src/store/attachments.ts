import type { Attachment, HeldFile, SentFile } from "../domain/attachment.ts";
import type { Now } from "../domain/clock.ts";
import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";
import { UNFINISHED } from "./work.ts";

/** A row that is past its time; `folder` and `name` where its file lies, if it was ever put there. */
export interface DueAttachment {
  readonly id: number;
  readonly folder: string | null;
  readonly name: string | null;
}

/** The files of works. Rows are removed, files first, by `ops/clear-uploads.ts`. */
export interface Attachments {
  /** Called in the transaction that submits the work. */
  readonly add: (workId: number, files: readonly SentFile[]) => void;
  readonly ofWork: (workId: number) => readonly Attachment[];
  /** Its file lies in that folder now. */
  readonly hold: (id: number, folder: string, held: HeldFile) => void;
  /** Gives a work that runs again, or carries on, what the first one had. */
  readonly copy: (fromWorkId: number, toWorkId: number) => void;
  /** Those added before `before` whose work has ended and is offered to nobody, at most `limit`. */
  readonly due: (before: number, limit: number) => readonly DueAttachment[];
  readonly remove: (id: number) => void;
  /** How many rows name that file of that folder. */
  readonly uses: (folder: string, name: string) => number;
}

/** The folder of each person in each project, by the project's real path. Bounded by people and projects. */
export interface UploadFolders {
  /** The folder's name; `fresh` is what it is called from now on when there is none yet. */
  readonly of: (userId: number, root: string, fresh: string) => string;
  readonly names: () => readonly string[];
}

interface Row {
  id: number;
  file_id: string;
  name: string;
  bytes: number | null;
  held: string | null;
}

export function createAttachments(db: Db, change: Change, now: Now): Attachments {
  const add = db.prepare<[number, string, string, number | null, number]>(
    "INSERT INTO attachments (work_id, file_id, name, bytes, added_at) VALUES (?, ?, ?, ?, ?)",
  );
  const ofWork = db.prepare<[number], Row>(
    "SELECT id, file_id, name, bytes, held FROM attachments WHERE work_id = ? ORDER BY id",
  );
  const hold = db.prepare<[string, string, number]>(
    "UPDATE attachments SET folder = ?, held = ? WHERE id = ?",
  );
  const copy = db.prepare<[number, number, number]>(
    `INSERT INTO attachments (work_id, file_id, name, bytes, folder, held, added_at)
     SELECT ?, file_id, name, bytes, folder, held, ? FROM attachments WHERE work_id = ? ORDER BY id`,
  );
  const due = db.prepare<[number, number], DueAttachment>(
    `SELECT attachments.id, folder, held ->> '$.name' AS name FROM attachments JOIN work ON work.id = work_id
     WHERE added_at < ? AND state NOT IN ${UNFINISHED}
       AND work_id NOT IN (SELECT held_by FROM conversations WHERE held_by IS NOT NULL)
     ORDER BY added_at LIMIT ?`,
  );
  const remove = db.prepare<[number]>("DELETE FROM attachments WHERE id = ?");
  const uses = db.prepare<[string, string], { count: number }>(
    `SELECT count(*) AS count FROM attachments
     WHERE folder IS NOT NULL AND folder = ? AND held ->> '$.name' = ?`,
  );

  return {
    add: (workId, files) => {
      for (const { fileId, name, bytes } of files)
        change("attachment.added", () => add.run(workId, fileId, name, bytes, now()));
    },
    ofWork: (workId) => ofWork.all(workId).map(attachmentOf),
    hold: (id, folder, held) => {
      change("attachment.held", () => hold.run(folder, JSON.stringify(held), id));
    },
    copy: (fromWorkId, toWorkId) => {
      change("attachment.copied", () => copy.run(toWorkId, now(), fromWorkId));
    },
    due: (before, limit) => due.all(before, limit),
    remove: (id) => {
      change("row.expired", () => remove.run(id));
    },
    uses: (folder, name) => uses.get(folder, name)?.count ?? 0,
  };
}

export function createUploadFolders(db: Db, change: Change): UploadFolders {
  const get = db.prepare<[number, string], { name: string }>(
    "SELECT name FROM upload_folders WHERE user_id = ? AND root = ?",
  );
  const make = db.prepare<[number, string, string]>(
    "INSERT INTO upload_folders (user_id, root, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const names = db.prepare<[], { name: string }>("SELECT name FROM upload_folders ORDER BY name");

  return {
    of: (userId, root, fresh) => {
      const known = get.get(userId, root);
      if (known) return known.name;
      change("upload_folder.made", () => make.run(userId, root, fresh));
      return get.get(userId, root)?.name ?? fresh;
    },
    names: () => names.all().map(({ name }) => name),
  };
}

function attachmentOf({ id, file_id: fileId, name, bytes, held }: Row): Attachment {
  return { id, fileId, name, bytes, held: held === null ? null : JSON.parse(held) };
}
