-- disabled: 1 while nodes do not accept the key. updated: seconds since 1970
-- of the last change, 0 for none.
ALTER TABLE control_keys ADD COLUMN disabled BIGINT NOT NULL DEFAULT 0;
ALTER TABLE control_keys ADD COLUMN updated BIGINT NOT NULL DEFAULT 0;
