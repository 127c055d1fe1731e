-- Sign-ins to the console. hash: SHA-256 of the cookie in hex. operator: the id
-- of the operator whose token it was, '' for ADMIN_TOKEN and OpenID Connect.
-- credential: what the session depends on; a session whose credential changes
-- has ended. seen: when it was last used. Times: seconds since 1970.
CREATE TABLE control_sessions (
    hash       TEXT NOT NULL PRIMARY KEY,
    method     TEXT NOT NULL,
    operator   TEXT NOT NULL,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL,
    credential TEXT NOT NULL,
    created    BIGINT NOT NULL,
    seen       BIGINT NOT NULL,
    expires    BIGINT NOT NULL
);
