-- Prompts and answers, for those who want them: beside the log, so that
-- nothing that reads the log reads past them.
CREATE TABLE api_contents (
    request_id text COLLATE "C" NOT NULL PRIMARY KEY,
    timestamp  timestamptz NOT NULL,
    prompt     text,
    answer     text
);
CREATE INDEX api_contents_timestamp ON api_contents USING brin (timestamp);
