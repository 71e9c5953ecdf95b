-- Every job that is on a queue, wherever it is. Jobs are leased in the order of `seq`.
-- The bytes are in a table of their own, so that moving a job rewrites only its small row.
CREATE TABLE jobs (
    seq       INTEGER PRIMARY KEY,
    id        BLOB NOT NULL UNIQUE,
    queue     TEXT NOT NULL,
    place     TEXT NOT NULL CHECK (place IN ('ready', 'held', 'leased', 'waiting', 'dead')),
    lane      TEXT NOT NULL,
    order_key TEXT,
    tenant    INTEGER NOT NULL,
    event     BLOB,
    count     INTEGER NOT NULL,
    due       INTEGER NOT NULL, -- when it may be ready; unix milliseconds, as all times here
    attempts  INTEGER NOT NULL DEFAULT 0,
    lapses    INTEGER NOT NULL DEFAULT 0,
    epoch     INTEGER NOT NULL DEFAULT 0,
    worker    TEXT,             -- who leased it
    reason    TEXT,             -- why it was retried last, or buried
    buried_at INTEGER
) STRICT;

CREATE TABLE payloads (
    seq   INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;

CREATE INDEX jobs_ready ON jobs (queue, lane, seq) WHERE place = 'ready';
CREATE INDEX jobs_held ON jobs (queue, order_key, seq) WHERE place = 'held';
CREATE INDEX jobs_leased ON jobs (worker, seq) WHERE place = 'leased';
CREATE INDEX jobs_waiting ON jobs (due) WHERE place = 'waiting';
CREATE INDEX jobs_dead ON jobs (buried_at, seq) WHERE place = 'dead';
-- Of the jobs with one order key at most one moves: the database refuses a second.
CREATE UNIQUE INDEX jobs_moving ON jobs (queue, order_key)
    WHERE order_key IS NOT NULL AND place IN ('ready', 'leased', 'waiting');

-- The lanes that have ready or leased jobs, or pause. The one with the smallest turn is next.
CREATE TABLE lanes (
    queue        TEXT NOT NULL,
    lane         TEXT NOT NULL,
    ready        INTEGER NOT NULL,
    leased       INTEGER NOT NULL,
    turn         INTEGER NOT NULL,
    paused_until INTEGER NOT NULL, -- 0: not paused
    PRIMARY KEY (queue, lane)
) STRICT, WITHOUT ROWID;

CREATE INDEX lanes_turn ON lanes (queue, turn) WHERE ready > 0 AND paused_until = 0;
CREATE INDEX lanes_paused ON lanes (paused_until) WHERE paused_until > 0;

-- How many jobs are where: kept in step with `jobs`, so that nobody counts a million rows.
CREATE TABLE depths (
    queue TEXT NOT NULL,
    place TEXT NOT NULL,
    n     INTEGER NOT NULL,
    PRIMARY KEY (queue, place)
) STRICT, WITHOUT ROWID;

-- One line per event that has not ended.
CREATE TABLE ledger (
    event   BLOB PRIMARY KEY,
    tenant  INTEGER NOT NULL,
    pending INTEGER NOT NULL, -- live jobs
    dead    INTEGER NOT NULL, -- dead jobs
    ending  TEXT              -- the best so far
) STRICT, WITHOUT ROWID;

-- Per tenant: events received, ended (by ending), and open (by kind of line).
CREATE TABLE books (
    tenant       INTEGER PRIMARY KEY,
    received     INTEGER NOT NULL,
    delivered    INTEGER NOT NULL,
    silenced     INTEGER NOT NULL,
    deduplicated INTEGER NOT NULL,
    unrouted     INTEGER NOT NULL,
    muted        INTEGER NOT NULL,
    dead         INTEGER NOT NULL,
    pending      INTEGER NOT NULL
) STRICT;

CREATE TABLE workers (
    worker   TEXT PRIMARY KEY,
    ttl      INTEGER NOT NULL, -- milliseconds
    deadline INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE dedup (
    key     TEXT PRIMARY KEY,
    variant TEXT NOT NULL,
    began   INTEGER NOT NULL,
    ends    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX dedup_ends ON dedup (ends);

CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    n    INTEGER NOT NULL,
    used INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX counters_used ON counters (used);

CREATE TABLE slots (
    key  TEXT PRIMARY KEY,
    full INTEGER NOT NULL -- when all slots will be free again; unix MICROseconds
) STRICT, WITHOUT ROWID;

CREATE INDEX slots_full ON slots (full);

-- One row: the last epoch that was given to a lease.
CREATE TABLE epoch (
    last INTEGER NOT NULL
) STRICT;

INSERT INTO epoch VALUES (0);

-- At most one row: the published configuration.
CREATE TABLE config (
    only     INTEGER PRIMARY KEY CHECK (only = 1),
    version  INTEGER NOT NULL,
    document BLOB NOT NULL
) STRICT;
