-- The trace of a request finds it, as every id does that a client sees.
ALTER TABLE api_logs ADD COLUMN trace_id TEXT;
CREATE INDEX api_logs_trace_id ON api_logs (trace_id) WHERE trace_id IS NOT NULL;
