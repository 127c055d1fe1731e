-- Prompts and answers, for those who want them: beside the log, so that
-- nothing that reads the log reads past them.
CREATE TABLE api_contents (
    request_id TEXT NOT NULL PRIMARY KEY,
    timestamp  TEXT NOT NULL,
    prompt     TEXT,
    answer     TEXT
) STRICT, WITHOUT ROWID;
