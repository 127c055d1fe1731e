-- Which erasures were asked for: events that arrive later are erased, too, for as
-- long as the line is here. pseudonym is what stands for the name in rows that
-- stay; empty: rows are removed.
CREATE TABLE api_erasures (
    kind      TEXT NOT NULL CHECK (kind IN ('user', 'key')),
    name      TEXT NOT NULL,
    before    TEXT NOT NULL,
    pseudonym TEXT NOT NULL,
    asked_at  TEXT NOT NULL,
    row_count INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

-- The numbers of removed rows, so that they are no gaps. They say nothing of whose
-- the requests were.
CREATE TABLE api_erased (
    node        TEXT NOT NULL,
    spool_epoch TEXT NOT NULL,
    first_seq   INTEGER NOT NULL,
    last_seq    INTEGER NOT NULL,
    first_time  TEXT NOT NULL,
    last_time   TEXT NOT NULL,
    PRIMARY KEY (node, spool_epoch, first_seq)
) STRICT, WITHOUT ROWID;
