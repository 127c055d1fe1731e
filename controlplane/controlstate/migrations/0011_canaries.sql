-- Releases that some nodes serve before all others, one at a time. state: running, or
-- how it ended. version counts the changes of a row, starting at 1. created: milliseconds
-- since 1970. content: the rest, as JSON. release: as in control_releases.content; the
-- number in it is the one after the current release's.
CREATE TABLE control_canaries (
    id      TEXT NOT NULL PRIMARY KEY,
    state   TEXT NOT NULL,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    content TEXT NOT NULL,
    release TEXT NOT NULL
);
CREATE UNIQUE INDEX control_canaries_active ON control_canaries (state) WHERE state = 'running';
