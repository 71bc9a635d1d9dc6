/** The schema of the first version. A step of `migrations.ts`, and never changed. */
export const FIRST = `
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
  `;
