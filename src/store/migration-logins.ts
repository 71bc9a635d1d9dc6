/** Who was let in beside the whitelist. Of tokens only digests are here. A step of `migrations.ts`, and never changed. */
export const LOGINS = `
  CREATE TABLE invites (
    id         INTEGER PRIMARY KEY,
    digest     TEXT NOT NULL UNIQUE,
    role       TEXT NOT NULL CHECK (role IN ('owner', 'member')),
    made_by    INTEGER,
    made_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    settled_at INTEGER,
    used_by    INTEGER
  ) STRICT;
  CREATE INDEX invites_open ON invites (id) WHERE settled_at IS NULL;
  CREATE INDEX invites_over ON invites (coalesce(settled_at, expires_at));

  CREATE TABLE logins (
    id               INTEGER PRIMARY KEY,
    user_id          INTEGER NOT NULL,
    role             TEXT NOT NULL CHECK (role IN ('owner', 'member')),
    invite_id        INTEGER NOT NULL,
    is_second_factor INTEGER NOT NULL,
    began_at         INTEGER NOT NULL,
    seen_at          INTEGER NOT NULL,
    ended_at         INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX logins_current ON logins (user_id) WHERE ended_at IS NULL;
  CREATE INDEX logins_ended ON logins (ended_at) WHERE ended_at IS NOT NULL;

  -- By person; 0 is everybody together.
  CREATE TABLE login_failures (
    user_id      INTEGER PRIMARY KEY,
    failures     INTEGER NOT NULL,
    lockouts     INTEGER NOT NULL,
    last_at      INTEGER NOT NULL,
    locked_until INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX login_failures_last ON login_failures (last_at);
  `;
