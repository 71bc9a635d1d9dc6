/**
 * The schema, step by step; the index is the `user_version` that a step leads from. Forward only: a step that has
 * shipped is never changed.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE inbox (
    update_id   INTEGER PRIMARY KEY,
    body        TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('new', 'done', 'dead')),
    attempts    INTEGER NOT NULL DEFAULT 0,
    received_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX inbox_unfinished ON inbox (update_id) WHERE state = 'new';

  CREATE TABLE conversations (
    id        INTEGER PRIMARY KEY,
    chat_id   INTEGER NOT NULL,
    thread_id INTEGER NOT NULL,
    project   TEXT,
    held_by   INTEGER,
    UNIQUE (chat_id, thread_id)
  ) STRICT;

  CREATE TABLE sessions (
    id                   TEXT PRIMARY KEY,
    conversation_id      INTEGER NOT NULL REFERENCES conversations (id),
    user_id              INTEGER NOT NULL,
    project              TEXT NOT NULL,
    is_resumable         INTEGER NOT NULL DEFAULT 0,
    created_at           INTEGER NOT NULL,
    ended_at             INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX sessions_current ON sessions (conversation_id, user_id, project) WHERE ended_at IS NULL;

  CREATE TABLE work (
    id                 INTEGER PRIMARY KEY,
    uuid               TEXT NOT NULL UNIQUE,
    dedupe_key         TEXT NOT NULL UNIQUE,
    conversation_id    INTEGER NOT NULL REFERENCES conversations (id),
    user_id            INTEGER NOT NULL,
    project            TEXT,
    session_id         TEXT,
    text               TEXT NOT NULL,
    state              TEXT NOT NULL CHECK (state IN ('queued', 'preparing', 'running', 'waiting', 'delivering',
                                                      'done', 'failed', 'stopped', 'interrupted', 'dropped')),
    position           INTEGER NOT NULL DEFAULT 0,
    message_id         INTEGER,
    placeholder_id     INTEGER,
    is_stop_requested  INTEGER NOT NULL DEFAULT 0,
    reserved_micro_usd INTEGER NOT NULL DEFAULT 0,
    created_at         INTEGER NOT NULL,
    started_at         INTEGER,
    ended_at           INTEGER
  ) STRICT;
  CREATE INDEX work_queued ON work (conversation_id, position, id) WHERE state = 'queued';
  CREATE INDEX work_active ON work (conversation_id) WHERE state IN ('preparing', 'running', 'waiting');
  CREATE INDEX work_reserved ON work (user_id) WHERE reserved_micro_usd > 0;
  CREATE INDEX work_message ON work (conversation_id, message_id);

  CREATE TABLE approvals (
    id          INTEGER PRIMARY KEY,
    work_id     INTEGER NOT NULL REFERENCES work (id),
    tool_use_id TEXT NOT NULL,
    tool_name   TEXT NOT NULL,
    input       TEXT NOT NULL,
    answers     TEXT NOT NULL DEFAULT '{}',
    state       TEXT NOT NULL CHECK (state IN ('asked', 'allowed', 'denied', 'expired', 'withdrawn')),
    outbox_id   INTEGER,
    asked_at    INTEGER NOT NULL,
    decided_at  INTEGER,
    decided_by  INTEGER
  ) STRICT;
  CREATE INDEX approvals_asked ON approvals (id) WHERE state = 'asked';

  CREATE TABLE buttons (
    nonce           TEXT PRIMARY KEY,
    group_key       TEXT NOT NULL,
    action          TEXT NOT NULL,
    conversation_id INTEGER NOT NULL,
    user_id         INTEGER NOT NULL,
    expires_at      INTEGER,
    used_at         INTEGER
  ) STRICT;
  CREATE INDEX buttons_group ON buttons (group_key) WHERE used_at IS NULL;

  CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY,
    chat_id    INTEGER NOT NULL,
    thread_id  INTEGER NOT NULL,
    act        TEXT NOT NULL,
    priority   INTEGER NOT NULL,
    final_of   INTEGER REFERENCES work (id),
    state      TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'dropped')),
    attempts   INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL DEFAULT 0,
    message_id INTEGER,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX outbox_open ON outbox (chat_id, priority, id) WHERE state IN ('queued', 'sending');
  CREATE INDEX outbox_final ON outbox (final_of) WHERE final_of IS NOT NULL;

  CREATE TABLE buckets (
    key        TEXT PRIMARY KEY,
    state      TEXT NOT NULL
  ) STRICT;

  CREATE TABLE costs (
    work_id        INTEGER PRIMARY KEY REFERENCES work (id),
    user_id        INTEGER NOT NULL,
    cost_micro_usd INTEGER NOT NULL,
    source         TEXT NOT NULL CHECK (source IN ('cli', 'meter')),
    settled_at     INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX costs_of_user ON costs (user_id, settled_at, cost_micro_usd);

  CREATE TABLE api_usage (
    request_id            TEXT PRIMARY KEY,
    work_id               INTEGER NOT NULL REFERENCES work (id),
    model                 TEXT NOT NULL,
    input_tokens          INTEGER NOT NULL,
    cache_write_5m_tokens INTEGER NOT NULL,
    cache_write_1h_tokens INTEGER NOT NULL,
    cache_read_tokens     INTEGER NOT NULL,
    output_tokens         INTEGER NOT NULL,
    cost_micro_usd        INTEGER NOT NULL,
    is_final              INTEGER NOT NULL,
    is_cut                INTEGER NOT NULL,
    at                    INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX api_usage_of_work ON api_usage (work_id, cost_micro_usd);

  CREATE TABLE audit (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    type    TEXT NOT NULL,
    risk    TEXT NOT NULL,
    user_id INTEGER,
    chat    TEXT,
    data    TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash    TEXT NOT NULL
  ) STRICT;
  CREATE TRIGGER audit_is_append_only_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
  CREATE TRIGGER audit_is_append_only_delete BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
  `,
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
];
