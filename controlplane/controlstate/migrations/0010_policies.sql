-- Policies and affinities that operators have given models; '' leaves that of the files.
CREATE TABLE control_policies (
    model    TEXT NOT NULL PRIMARY KEY,
    policy   TEXT NOT NULL,
    affinity TEXT NOT NULL,
    author   TEXT NOT NULL,
    time     BIGINT NOT NULL
);
