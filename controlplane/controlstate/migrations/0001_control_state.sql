-- What the control plane must not forget. The statements are read by
-- PostgreSQL, SQLite and D1 alike: whole numbers for times (seconds since 1970
-- unless said otherwise, 0 for never), text for the rest.

-- epoch: when this state was created. key_version: counts changes of keys.
CREATE TABLE control_meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO control_meta (name, value) VALUES ('key_version', 0);

-- content: the whole release as zstd-compressed JSON in base64; D1 takes no
-- row above 2 MB and its API no bytes.
CREATE TABLE control_releases (
    number  BIGINT NOT NULL PRIMARY KEY,
    epoch   BIGINT NOT NULL,
    time    BIGINT NOT NULL,
    author  TEXT NOT NULL,
    reason  TEXT NOT NULL,
    hash    TEXT NOT NULL,
    models  BIGINT NOT NULL,
    content TEXT NOT NULL
);

CREATE TABLE control_overrides (
    endpoint TEXT NOT NULL PRIMARY KEY,
    weight   DOUBLE PRECISION NOT NULL,
    author   TEXT NOT NULL,
    time     BIGINT NOT NULL
);

-- models: a JSON array of model ids, empty for all.
CREATE TABLE control_keys (
    id      TEXT NOT NULL PRIMARY KEY,
    hash    TEXT NOT NULL UNIQUE,
    prefix  TEXT NOT NULL,
    name    TEXT NOT NULL,
    user_id TEXT NOT NULL,
    role    TEXT NOT NULL,
    models  TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    revoked BIGINT NOT NULL
);

-- time in microseconds since 1970.
CREATE TABLE control_audit (
    id     BIGINT NOT NULL PRIMARY KEY,
    time   BIGINT NOT NULL,
    author TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL
);
