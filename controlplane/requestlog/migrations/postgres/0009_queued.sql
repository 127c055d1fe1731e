-- How long requests have waited for a place at an endpoint.
ALTER TABLE api_logs ADD COLUMN queued_ms bigint CHECK (queued_ms >= 0);
COMMENT ON COLUMN api_logs.queued_ms IS 'milliseconds of latency_ms in which the request waited in its model''s queue; NULL if it did not';
