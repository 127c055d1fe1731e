-- limits: a JSON array of limits as nodes read them. team: an id in
-- control_teams, empty for none.
ALTER TABLE control_keys ADD COLUMN limits TEXT NOT NULL DEFAULT '[]';
ALTER TABLE control_keys ADD COLUMN team TEXT NOT NULL DEFAULT '';

-- models: as in control_keys. metadata: a JSON object of texts. version counts
-- the changes of a team.
CREATE TABLE control_teams (
    id       TEXT NOT NULL PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    owner    TEXT NOT NULL,
    models   TEXT NOT NULL,
    limits   TEXT NOT NULL,
    metadata TEXT NOT NULL,
    created  BIGINT NOT NULL,
    version  BIGINT NOT NULL
);

-- A user is in one team at most.
CREATE TABLE control_team_users (
    user_id TEXT NOT NULL PRIMARY KEY,
    team    TEXT NOT NULL
);

-- holder: gateway, or user: and the user's name.
CREATE TABLE control_limits (
    holder TEXT NOT NULL PRIMARY KEY,
    limits TEXT NOT NULL
);
