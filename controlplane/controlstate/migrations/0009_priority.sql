-- priority: keys with a higher one go first in the queues of models.
ALTER TABLE control_keys ADD COLUMN priority BIGINT NOT NULL DEFAULT 0;
