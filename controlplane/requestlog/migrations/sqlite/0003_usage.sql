-- Every id that a client sees finds its request: http_request_id is the
-- X-Request-ID of the answer, the client's or the node's.
ALTER TABLE api_logs ADD COLUMN http_request_id TEXT;
-- bucket of ttft_ms in api_latency
ALTER TABLE api_logs ADD COLUMN ttft_bucket INTEGER;
CREATE INDEX api_logs_http_request_id ON api_logs (http_request_id) WHERE http_request_id IS NOT NULL;
CREATE INDEX api_logs_upstream_id ON api_logs (upstream_id) WHERE upstream_id IS NOT NULL;
-- The log is read by time; the primary key makes the order total.
CREATE INDEX api_logs_time ON api_logs (timestamp, received_at);

-- What was used, by quarter of an hour and by everything that reports group by,
-- so that any report of any time zone adds up without the rows. "" is none. The
-- model is the one that was meant, without variant; names that no model has
-- share one, else a client could fill the table.
CREATE TABLE api_usage (
    slot               TEXT NOT NULL,
    model              TEXT NOT NULL,
    provider           TEXT NOT NULL,
    endpoint           TEXT NOT NULL,
    node               TEXT NOT NULL,
    key_id             TEXT NOT NULL,
    user_id            TEXT NOT NULL,
    request_count      INTEGER NOT NULL,
    error_count        INTEGER NOT NULL,
    prompt_tokens      INTEGER NOT NULL,
    completion_tokens  INTEGER NOT NULL,
    reasoning_tokens   INTEGER NOT NULL,
    cache_read_tokens  INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    total_tokens       INTEGER NOT NULL,
    cost_pico          INTEGER NOT NULL,
    upstream_cost_pico INTEGER NOT NULL,
    latency_sum_ms     INTEGER NOT NULL,
    last_second        TEXT NOT NULL,
    PRIMARY KEY (slot, model, provider, endpoint, node, key_id, user_id)
) STRICT, WITHOUT ROWID;

-- How many requests of an hour fell into which bucket of latency, or of time to
-- the first token.
CREATE TABLE api_latency (
    hour          TEXT NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('latency', 'ttft')),
    model         TEXT NOT NULL,
    provider      TEXT NOT NULL,
    endpoint      TEXT NOT NULL,
    node          TEXT NOT NULL,
    bucket        INTEGER NOT NULL,
    request_count INTEGER NOT NULL,
    PRIMARY KEY (hour, kind, model, provider, endpoint, node, bucket)
) STRICT, WITHOUT ROWID;

INSERT INTO api_usage
SELECT substr(timestamp, 1, 14) || printf('%02d', CAST(substr(timestamp, 15, 2) AS INTEGER) / 15 * 15) || ':00Z', coalesce(model, '(unknown)'), provider,
    coalesce(endpoint, ''), coalesce(node, ''), coalesce(key_id, ''), coalesce(user_id, ''), count(*), sum(status_code >= 400), coalesce(sum(prompt_tokens), 0),
    coalesce(sum(completion_tokens), 0), coalesce(sum(reasoning_tokens), 0), coalesce(sum(cache_read_tokens), 0), coalesce(sum(cache_write_tokens), 0),
    coalesce(sum(total_tokens), 0), coalesce(sum(cost_pico), 0), coalesce(sum(upstream_cost_pico), 0), sum(latency_ms), max(timestamp)
FROM api_logs GROUP BY 1, 2, 3, 4, 5, 6, 7;
INSERT INTO api_latency
SELECT substr(timestamp, 1, 13) || ':00:00Z', 'latency', coalesce(model, '(unknown)'), provider, coalesce(endpoint, ''), coalesce(node, ''), latency_bucket, count(*)
FROM api_logs GROUP BY 1, 2, 3, 4, 5, 6, 7;

-- Of hours whose rows are gone the old roll-ups are all that there is. They do
-- not say whose key and which endpoint it was.
INSERT INTO api_usage
SELECT hour, model_id, provider, '', '', '', '', request_count, error_count, total_prompt_tokens, total_completion_tokens, total_reasoning_tokens,
    total_cache_read_tokens, total_cache_write_tokens, total_tokens, total_cost_pico, total_upstream_cost_pico, latency_sum_ms, hour
FROM api_stats_hourly WHERE hour < coalesce((SELECT substr(min(timestamp), 1, 13) || ':00:00Z' FROM api_logs), '9999');
INSERT INTO api_latency
SELECT hour, 'latency', model_id, provider, '', '', bucket, request_count
FROM api_latency_hourly WHERE hour < coalesce((SELECT substr(min(timestamp), 1, 13) || ':00:00Z' FROM api_logs), '9999');

-- api_latency_hourly is written no more.
DROP TRIGGER api_logs_rollup;
CREATE TRIGGER api_logs_rollup AFTER INSERT ON api_logs
BEGIN
    INSERT INTO api_stats_hourly VALUES (
        substr(NEW.timestamp, 1, 13) || ':00:00Z', coalesce(NEW.model, '(unknown)'), NEW.provider,
        1, NEW.status_code < 400, NEW.status_code >= 400,
        coalesce(NEW.prompt_tokens, 0), coalesce(NEW.completion_tokens, 0), coalesce(NEW.total_tokens, 0),
        coalesce(NEW.reasoning_tokens, 0), coalesce(NEW.cache_read_tokens, 0), coalesce(NEW.cache_write_tokens, 0),
        coalesce(NEW.cost_pico, 0), coalesce(NEW.upstream_cost_pico, 0), NEW.latency_ms)
    ON CONFLICT (hour, model_id, provider) DO UPDATE SET
        request_count = request_count + 1,
        success_count = success_count + excluded.success_count,
        error_count = error_count + excluded.error_count,
        total_prompt_tokens = total_prompt_tokens + excluded.total_prompt_tokens,
        total_completion_tokens = total_completion_tokens + excluded.total_completion_tokens,
        total_tokens = total_tokens + excluded.total_tokens,
        total_reasoning_tokens = total_reasoning_tokens + excluded.total_reasoning_tokens,
        total_cache_read_tokens = total_cache_read_tokens + excluded.total_cache_read_tokens,
        total_cache_write_tokens = total_cache_write_tokens + excluded.total_cache_write_tokens,
        total_cost_pico = total_cost_pico + excluded.total_cost_pico,
        total_upstream_cost_pico = total_upstream_cost_pico + excluded.total_upstream_cost_pico,
        latency_sum_ms = latency_sum_ms + excluded.latency_sum_ms;
    INSERT INTO api_usage VALUES (
        substr(NEW.timestamp, 1, 14) || printf('%02d', CAST(substr(NEW.timestamp, 15, 2) AS INTEGER) / 15 * 15) || ':00Z',
        coalesce(NEW.model, '(unknown)'), NEW.provider, coalesce(NEW.endpoint, ''), coalesce(NEW.node, ''), coalesce(NEW.key_id, ''), coalesce(NEW.user_id, ''),
        1, NEW.status_code >= 400, coalesce(NEW.prompt_tokens, 0), coalesce(NEW.completion_tokens, 0), coalesce(NEW.reasoning_tokens, 0),
        coalesce(NEW.cache_read_tokens, 0), coalesce(NEW.cache_write_tokens, 0), coalesce(NEW.total_tokens, 0),
        coalesce(NEW.cost_pico, 0), coalesce(NEW.upstream_cost_pico, 0), NEW.latency_ms, NEW.timestamp)
    ON CONFLICT (slot, model, provider, endpoint, node, key_id, user_id) DO UPDATE SET
        request_count = request_count + 1,
        error_count = error_count + excluded.error_count,
        prompt_tokens = prompt_tokens + excluded.prompt_tokens,
        completion_tokens = completion_tokens + excluded.completion_tokens,
        reasoning_tokens = reasoning_tokens + excluded.reasoning_tokens,
        cache_read_tokens = cache_read_tokens + excluded.cache_read_tokens,
        cache_write_tokens = cache_write_tokens + excluded.cache_write_tokens,
        total_tokens = total_tokens + excluded.total_tokens,
        cost_pico = cost_pico + excluded.cost_pico,
        upstream_cost_pico = upstream_cost_pico + excluded.upstream_cost_pico,
        latency_sum_ms = latency_sum_ms + excluded.latency_sum_ms,
        last_second = max(last_second, excluded.last_second);
    INSERT INTO api_latency VALUES (
        substr(NEW.timestamp, 1, 13) || ':00:00Z', 'latency', coalesce(NEW.model, '(unknown)'), NEW.provider, coalesce(NEW.endpoint, ''), coalesce(NEW.node, ''), NEW.latency_bucket, 1)
    ON CONFLICT (hour, kind, model, provider, endpoint, node, bucket) DO UPDATE SET request_count = request_count + 1;
    INSERT INTO api_latency SELECT
        substr(NEW.timestamp, 1, 13) || ':00:00Z', 'ttft', coalesce(NEW.model, '(unknown)'), NEW.provider, coalesce(NEW.endpoint, ''), coalesce(NEW.node, ''), NEW.ttft_bucket, 1
        WHERE NEW.ttft_bucket IS NOT NULL
    ON CONFLICT (hour, kind, model, provider, endpoint, node, bucket) DO UPDATE SET request_count = request_count + 1;
END;
