-- From schema version 1, which knew runs only, to 2.

UPDATE runs SET open = 2 WHERE open = 0 AND json_extract(body, '$.attempts[#-1].state') = 'failed';
CREATE INDEX runs_failed ON runs (created) WHERE open = 2;

CREATE TABLE records (
    key     TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    list    TEXT,
    at      INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT;
CREATE INDEX records_by_list ON records (list, at) WHERE list IS NOT NULL;

UPDATE schema_version SET version = 2;
