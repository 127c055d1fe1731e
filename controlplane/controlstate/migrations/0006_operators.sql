-- People who may use the admin API. hash: SHA-256 of the token in hex. expires
-- and revoked: seconds since 1970, 0 for never. A name is used once, so that
-- the audit log says who it was.
CREATE TABLE control_operators (
    id      TEXT NOT NULL PRIMARY KEY,
    name    TEXT NOT NULL UNIQUE,
    role    TEXT NOT NULL,
    hash    TEXT NOT NULL UNIQUE,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    revoked BIGINT NOT NULL
);
