import { FILES } from "./migration-files.ts";
import { FIRST } from "./migration-first.ts";
import { LOGINS } from "./migration-logins.ts";

/**
 * The schema, step by step; the index is the `user_version` that a step leads from. Forward only: a step that has
 * shipped is never changed.
 */
export const MIGRATIONS: readonly string[] = [
  FIRST,
  `
  CREATE TABLE facts (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT;
  `,
  `
  ALTER TABLE outbox ADD COLUMN target INTEGER;
  UPDATE outbox SET target = json_extract(act, '$.target')
    WHERE state IN ('queued', 'sending') AND json_extract(act, '$.kind') = 'edit';
  CREATE INDEX outbox_edits ON outbox (target, id) WHERE target IS NOT NULL AND state IN ('queued', 'sending');
  `,
  `
  CREATE TABLE chats (
    chat_id    INTEGER PRIMARY KEY,
    rest_until INTEGER NOT NULL DEFAULT 0,
    parked_at  INTEGER
  ) STRICT;
  INSERT INTO chats (chat_id, rest_until)
    SELECT chat_id, max(not_before) FROM outbox WHERE state IN ('queued', 'sending') GROUP BY chat_id;
  ALTER TABLE outbox DROP COLUMN not_before;
  ALTER TABLE conversations ADD COLUMN gone_at INTEGER;
  `,
  // Growth: what is past its time is found by an index, and the audit may lose its beginning, up to an anchor.
  `
  ALTER TABLE buttons ADD COLUMN offered_at INTEGER NOT NULL DEFAULT 0;
  UPDATE buttons SET offered_at = unixepoch() * 1000;

  CREATE INDEX inbox_settled ON inbox (state, received_at) WHERE state <> 'new';
  CREATE INDEX conversations_held ON conversations (held_by) WHERE held_by IS NOT NULL;
  CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;
  CREATE INDEX work_unfinished ON work (id)
    WHERE state IN ('queued', 'preparing', 'running', 'waiting', 'delivering');
  CREATE INDEX work_content ON work (ended_at) WHERE text <> '' AND ended_at IS NOT NULL;
  CREATE INDEX work_emptied ON work (ended_at) WHERE text = '' AND ended_at IS NOT NULL;
  CREATE INDEX IF NOT EXISTS approvals_of_work ON approvals (work_id);
  CREATE INDEX approvals_content ON approvals (decided_at) WHERE input <> '{}' AND decided_at IS NOT NULL;
  CREATE INDEX approvals_emptied ON approvals (decided_at) WHERE input = '{}' AND decided_at IS NOT NULL;
  CREATE INDEX buttons_content ON buttons (offered_at) WHERE action <> '';
  CREATE INDEX buttons_emptied ON buttons (offered_at) WHERE action = '';
  CREATE INDEX buttons_about ON buttons (json_extract(action, '$.workId')) WHERE used_at IS NULL AND action <> '';
  CREATE INDEX outbox_settled ON outbox (created_at) WHERE state IN ('sent', 'failed', 'dropped');
  CREATE INDEX costs_settled ON costs (settled_at);
  CREATE INDEX api_usage_at ON api_usage (at);

  -- What a person's turns cost whose rows are gone. One row a person.
  CREATE TABLE costs_before (
    user_id        INTEGER PRIMARY KEY,
    cost_micro_usd INTEGER NOT NULL,
    settled_from   INTEGER NOT NULL
  ) STRICT;

  -- The last row of the audit that retention has given up. Only what it covers may be deleted. One row.
  CREATE TABLE audit_anchor (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    id   INTEGER NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  INSERT INTO audit_anchor VALUES (1, 0, '${"0".repeat(64)}');
  CREATE TRIGGER audit_anchor_is_one BEFORE INSERT ON audit_anchor
    BEGIN SELECT RAISE(ABORT, 'the audit has one anchor'); END;
  CREATE TRIGGER audit_anchor_stays BEFORE DELETE ON audit_anchor
    BEGIN SELECT RAISE(ABORT, 'the audit has one anchor'); END;
  CREATE TRIGGER audit_anchor_moves_forward BEFORE UPDATE ON audit_anchor
    WHEN NEW.id <= OLD.id OR NEW.hash IS NOT (SELECT hash FROM audit WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'the anchor only moves forward, from row to row of the audit'); END;
  DROP TRIGGER audit_is_append_only_delete;
  CREATE TRIGGER audit_is_append_only_delete BEFORE DELETE ON audit
    WHEN OLD.id > coalesce((SELECT id FROM audit_anchor), 0)
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
  CREATE TRIGGER audit_is_append_only_insert BEFORE INSERT ON audit
    WHEN NEW.id <= coalesce((SELECT max(id) FROM audit), 0)
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
  `,
  `
  ALTER TABLE work ADD COLUMN sent_at INTEGER;
  ALTER TABLE work ADD COLUMN offered_at INTEGER;
  CREATE INDEX IF NOT EXISTS approvals_of_work ON approvals (work_id);
  `,
  // What may be reached from a project, as owners have said; and which of its answers an approval was given.
  `
  CREATE TABLE host_rules (
    project TEXT NOT NULL,
    host    TEXT NOT NULL,
    port    INTEGER NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('allow', 'never')),
    set_by  INTEGER NOT NULL,
    set_at  INTEGER NOT NULL,
    PRIMARY KEY (project, host, port)
  ) STRICT, WITHOUT ROWID;
  ALTER TABLE approvals ADD COLUMN choice TEXT;
  `,
  `
  CREATE TABLE quarantine (
    id         INTEGER PRIMARY KEY,
    root       TEXT NOT NULL,
    path       TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('repository', 'link', 'settings')),
    ino        TEXT,
    work_id    INTEGER,
    state      TEXT NOT NULL CHECK (state IN ('moving', 'held', 'accepting', 'accepted', 'dropped')),
    notices    TEXT NOT NULL DEFAULT '[]',
    notice_id  INTEGER,
    found_at   INTEGER NOT NULL,
    changed_at INTEGER,
    decided_by INTEGER
  ) STRICT;
  CREATE INDEX quarantine_open ON quarantine (id) WHERE state IN ('moving', 'held', 'accepting');
  CREATE INDEX quarantine_notice ON quarantine (notice_id, id);
  CREATE INDEX quarantine_found ON quarantine (found_at);

  -- One row a project in which something runs or ran.
  CREATE TABLE baselines (
    root    TEXT PRIMARY KEY,
    entries TEXT NOT NULL,
    work_id INTEGER,
    at      INTEGER NOT NULL
  ) STRICT;
  `,
  // Files of the list of secrets that owners have had shown, by the project's real path.
  `
  CREATE TABLE exposed_files (
    root       TEXT NOT NULL,
    path       TEXT NOT NULL,
    exposed_by INTEGER NOT NULL,
    exposed_at INTEGER NOT NULL,
    PRIMARY KEY (root, path)
  ) STRICT, WITHOUT ROWID;
  `,
  // What owners have granted to people above their budgets.
  `
  CREATE TABLE grants (
    id               INTEGER PRIMARY KEY,
    user_id          INTEGER NOT NULL,
    amount_micro_usd INTEGER NOT NULL CHECK (amount_micro_usd > 0),
    granted_by       INTEGER NOT NULL,
    granted_at       INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX grants_of_user ON grants (user_id, granted_at);
  `,
  // What credentials are in use and since when, by digests that say nothing without the key in the home folder.
  `
  CREATE TABLE credentials (
    name        TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    since       INTEGER NOT NULL,
    told_at     INTEGER
  ) STRICT, WITHOUT ROWID;
  `,
  LOGINS,
  FILES,
  // Groups that became supergroups.
  `
  CREATE TABLE chat_moves (
    old_id   INTEGER PRIMARY KEY,
    new_id   INTEGER NOT NULL UNIQUE,
    moved_at INTEGER NOT NULL
  ) STRICT;
  `,
];
