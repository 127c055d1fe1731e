-- Endpoints that operators have taken out of service, whatever their weights.
CREATE TABLE control_disabled (
    endpoint TEXT NOT NULL PRIMARY KEY,
    author   TEXT NOT NULL,
    time     BIGINT NOT NULL
);
