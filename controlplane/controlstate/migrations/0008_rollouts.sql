-- Rollouts of endpoints, one per model at a time. state: running, paused, or how
-- it ended. version counts the changes of a row, starting at 1. created: milliseconds
-- since 1970. content: the rest, as JSON.
CREATE TABLE control_rollouts (
    id      TEXT NOT NULL PRIMARY KEY,
    model   TEXT NOT NULL,
    state   TEXT NOT NULL,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    content TEXT NOT NULL
);
CREATE UNIQUE INDEX control_rollouts_active ON control_rollouts (model) WHERE state IN ('running', 'paused');
