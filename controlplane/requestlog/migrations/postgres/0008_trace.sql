-- The trace of a request finds it, as every id does that a client sees.
ALTER TABLE api_logs ADD COLUMN trace_id text COLLATE "C";
COMMENT ON COLUMN api_logs.trace_id IS 'W3C trace id of the request: the client''s or the node''s';
CREATE INDEX api_logs_trace_id ON api_logs (trace_id) WHERE trace_id IS NOT NULL;
