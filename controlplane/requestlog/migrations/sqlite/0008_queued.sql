-- queued_ms: milliseconds of latency_ms in which the request waited in its
-- model's queue; NULL if it did not.
ALTER TABLE api_logs ADD COLUMN queued_ms INTEGER CHECK (queued_ms >= 0);
