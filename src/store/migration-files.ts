/** A step of the schema: files that people send with their messages, and the folders that hold them, one a person and project. */
export const FILES = `
  CREATE TABLE attachments (
    id       INTEGER PRIMARY KEY,
    work_id  INTEGER NOT NULL REFERENCES work (id),
    file_id  TEXT NOT NULL,
    name     TEXT NOT NULL,
    bytes    INTEGER,
    folder   TEXT,
    held     TEXT,
    added_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX attachments_of_work ON attachments (work_id);
  CREATE INDEX attachments_added ON attachments (added_at);
  CREATE INDEX attachments_folder ON attachments (folder) WHERE folder IS NOT NULL;

  CREATE TABLE upload_folders (
    user_id INTEGER NOT NULL,
    root    TEXT NOT NULL,
    name    TEXT NOT NULL UNIQUE,
    PRIMARY KEY (user_id, root)
  ) STRICT, WITHOUT ROWID;
  `;
