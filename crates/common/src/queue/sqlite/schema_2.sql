-- Version 2: counters have episodes; notes and sums.
-- `since` is when an episode began; a counter that is closed begins another with its next job.
ALTER TABLE jobs ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE counters ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE counters ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;

CREATE TABLE notes (
    key   TEXT PRIMARY KEY,
    value BLOB NOT NULL,
    ends  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX notes_ends ON notes (ends);

CREATE TABLE sums (
    key  TEXT PRIMARY KEY,
    n    INTEGER NOT NULL,
    ends INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sums_ends ON sums (ends);
