-- The store and the bus in one file. Times are microseconds since 1970, UTC. Bodies are JSON.
-- Every query of statements.rs runs along one of the indexes below.

CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT;

-- Numbers that only go up; `lease` tells one taking of a message or an item from every other.
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO counters VALUES ('lease', 0), ('ping', 0);

CREATE TABLE runs (
    id      TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    channel TEXT NOT NULL,
    input   TEXT NOT NULL,
    open    INTEGER NOT NULL, -- 1: its current attempt has not ended; 2: it has failed; else 0
    created INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT;
CREATE INDEX runs_by_channel ON runs (channel, created);
CREATE INDEX runs_by_input ON runs (input, created);
CREATE INDEX runs_by_created ON runs (created);
CREATE INDEX runs_open ON runs (created) WHERE open = 1;
CREATE INDEX runs_failed ON runs (created) WHERE open = 2;

-- Everything else that is kept by key: requests, moves, the active region. `list`: where it stands while it belongs there.
CREATE TABLE records (
    key     TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    list    TEXT,
    at      INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT;
CREATE INDEX records_by_list ON records (list, at) WHERE list IS NOT NULL;

-- What has been handled. A row stays for good: it is what makes an effect happen once.
CREATE TABLE claims (key TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE locks (name TEXT PRIMARY KEY, run TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE deadlines (key TEXT PRIMARY KEY, due INTEGER NOT NULL, attempt TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX deadlines_by_due ON deadlines (due);

-- `held`: the end of the lease, 0 where nobody has it. `fresh`: the best priority written since it was last taken.
CREATE TABLE outbox (
    key      TEXT PRIMARY KEY,
    effect   TEXT NOT NULL,
    priority INTEGER NOT NULL,
    fresh    INTEGER,
    due      INTEGER NOT NULL,
    held     INTEGER NOT NULL DEFAULT 0,
    lease    INTEGER NOT NULL DEFAULT 0,
    version  INTEGER NOT NULL DEFAULT 1,
    attempts INTEGER NOT NULL DEFAULT 0,
    since    INTEGER NOT NULL,
    why      TEXT NOT NULL DEFAULT '',
    ready    INTEGER NOT NULL GENERATED ALWAYS AS (max(due, held)) VIRTUAL
) STRICT;
CREATE INDEX outbox_by_ready ON outbox (priority, ready);

CREATE TABLE outbox_given_up (
    number   INTEGER PRIMARY KEY,
    key      TEXT NOT NULL,
    effect   TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    why      TEXT NOT NULL,
    at       INTEGER NOT NULL
) STRICT;

CREATE TABLE receipts (key TEXT PRIMARY KEY, message TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    seq      INTEGER PRIMARY KEY,
    previous TEXT NOT NULL,
    hash     TEXT NOT NULL,
    draft    TEXT NOT NULL
) STRICT;

-- One row per key. It waits while `due` is set (the end of the lease while somebody has it), then it is `handled`
-- and kept some time for its key, or `buried` until somebody replays it.
-- Keys are unique: the writer sees to it (keys.rs), because an index over them would cost more than the rest of a publish. It reads
-- what another process has added by `seq`, which therefore never comes again.
CREATE TABLE bus (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    key      TEXT NOT NULL,
    id       TEXT NOT NULL,
    body     TEXT NOT NULL,
    due      INTEGER,
    lease    INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    handled  INTEGER,
    buried   INTEGER,
    why      TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX bus_waiting ON bus (due) WHERE due IS NOT NULL;
CREATE INDEX bus_handled ON bus (handled) WHERE handled IS NOT NULL;
CREATE INDEX bus_buried ON bus (buried) WHERE buried IS NOT NULL;
CREATE INDEX bus_buried_id ON bus (id) WHERE buried IS NOT NULL;
