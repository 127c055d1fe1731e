-- Which erasures were asked for: events that arrive later are erased, too, for as
-- long as the line is here.
CREATE TABLE api_erasures (
    kind       text COLLATE "C" NOT NULL CHECK (kind IN ('user', 'key')),
    name       text COLLATE "C" NOT NULL,
    before     timestamptz NOT NULL,
    pseudonym  text COLLATE "C" NOT NULL,
    asked_at   timestamptz NOT NULL,
    row_count  bigint NOT NULL,
    PRIMARY KEY (kind, name)
);
COMMENT ON COLUMN api_erasures.pseudonym IS 'what stands for the name in rows that stay; empty: rows are removed';

-- The numbers of removed rows, so that they are no gaps. They say nothing of whose
-- the requests were.
CREATE TABLE api_erased (
    node        text COLLATE "C" NOT NULL,
    spool_epoch text COLLATE "C" NOT NULL,
    first_seq   bigint NOT NULL,
    last_seq    bigint NOT NULL,
    first_time  timestamptz NOT NULL,
    last_time   timestamptz NOT NULL,
    PRIMARY KEY (node, spool_epoch, first_seq)
);
