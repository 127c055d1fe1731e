-- Every id that a client sees finds its request.
ALTER TABLE api_logs ADD COLUMN http_request_id text COLLATE "C", ADD COLUMN ttft_bucket smallint;
COMMENT ON COLUMN api_logs.http_request_id IS 'the X-Request-ID of the answer: the client''s or the node''s';
COMMENT ON COLUMN api_logs.ttft_bucket IS 'bucket of ttft_ms in api_latency';
CREATE INDEX api_logs_http_request_id ON api_logs (http_request_id) WHERE http_request_id IS NOT NULL;
CREATE INDEX api_logs_upstream_id ON api_logs (upstream_id) WHERE upstream_id IS NOT NULL;

-- The log is read by time. The partition key comes first, so that a page opens
-- no more partitions than it needs.
CREATE INDEX api_logs_time ON api_logs (timestamp, received_at, request_id);

-- What was used, by quarter of an hour and by everything that reports group by,
-- so that any report of any time zone adds up without the rows. "" is none. The
-- model is the one that was meant, without variant; names that no model has
-- share one, else a client could fill the table.
CREATE TABLE api_usage (
    slot                     timestamptz NOT NULL,
    model                    text COLLATE "C" NOT NULL,
    provider                 text COLLATE "C" NOT NULL,
    endpoint                 text COLLATE "C" NOT NULL,
    node                     text COLLATE "C" NOT NULL,
    key_id                   text COLLATE "C" NOT NULL,
    user_id                  text COLLATE "C" NOT NULL,
    request_count            bigint NOT NULL,
    error_count              bigint NOT NULL,
    prompt_tokens            bigint NOT NULL,
    completion_tokens        bigint NOT NULL,
    reasoning_tokens         bigint NOT NULL,
    cache_read_tokens        bigint NOT NULL,
    cache_write_tokens       bigint NOT NULL,
    total_tokens             bigint NOT NULL,
    cost_usd                 numeric NOT NULL,
    upstream_cost_usd        numeric NOT NULL,
    latency_sum_ms           bigint NOT NULL,
    last_second              timestamptz NOT NULL,
    PRIMARY KEY (slot, model, provider, endpoint, node, key_id, user_id)
) WITH (fillfactor = 50);
CREATE INDEX api_usage_key ON api_usage (key_id, slot);

-- How many requests of an hour fell into which bucket of latency, or of time to
-- the first token.
CREATE TABLE api_latency (
    hour          timestamptz NOT NULL,
    kind          text COLLATE "C" NOT NULL CHECK (kind IN ('latency', 'ttft')),
    model         text COLLATE "C" NOT NULL,
    provider      text COLLATE "C" NOT NULL,
    endpoint      text COLLATE "C" NOT NULL,
    node          text COLLATE "C" NOT NULL,
    bucket        smallint NOT NULL,
    request_count bigint NOT NULL,
    PRIMARY KEY (hour, kind, model, provider, endpoint, node, bucket)
) WITH (fillfactor = 50);

-- A trigger, so that collectors of an older version keep these tables, too.
CREATE FUNCTION api_logs_usage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO api_usage AS u
    SELECT to_timestamp(floor(extract(epoch FROM timestamp) / 900) * 900), coalesce(model, '(unknown)'), provider, coalesce(endpoint, ''), coalesce(node, ''),
        coalesce(key_id, ''), coalesce(user_id, ''), count(*), count(*) FILTER (WHERE status_code >= 400), coalesce(sum(prompt_tokens), 0),
        coalesce(sum(completion_tokens), 0), coalesce(sum(reasoning_tokens), 0), coalesce(sum(cache_read_tokens), 0), coalesce(sum(cache_write_tokens), 0),
        coalesce(sum(total_tokens), 0), coalesce(sum(cost_usd), 0), coalesce(sum(upstream_cost_usd), 0), sum(latency_ms), max(timestamp)
    FROM added GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7
    ON CONFLICT (slot, model, provider, endpoint, node, key_id, user_id) DO UPDATE SET
        request_count = u.request_count + excluded.request_count, error_count = u.error_count + excluded.error_count,
        prompt_tokens = u.prompt_tokens + excluded.prompt_tokens, completion_tokens = u.completion_tokens + excluded.completion_tokens,
        reasoning_tokens = u.reasoning_tokens + excluded.reasoning_tokens, cache_read_tokens = u.cache_read_tokens + excluded.cache_read_tokens,
        cache_write_tokens = u.cache_write_tokens + excluded.cache_write_tokens, total_tokens = u.total_tokens + excluded.total_tokens,
        cost_usd = u.cost_usd + excluded.cost_usd, upstream_cost_usd = u.upstream_cost_usd + excluded.upstream_cost_usd,
        latency_sum_ms = u.latency_sum_ms + excluded.latency_sum_ms, last_second = greatest(u.last_second, excluded.last_second);
    INSERT INTO api_latency AS l
    SELECT date_trunc('hour', timestamp, 'UTC'), k.kind, coalesce(model, '(unknown)'), provider, coalesce(endpoint, ''), coalesce(node, ''), k.bucket, count(*)
    FROM added, LATERAL (VALUES ('latency', latency_bucket), ('ttft', ttft_bucket)) AS k (kind, bucket)
    WHERE k.bucket IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7
    ON CONFLICT (hour, kind, model, provider, endpoint, node, bucket) DO UPDATE SET request_count = l.request_count + excluded.request_count;
    RETURN NULL;
END
$$;

-- Collectors wait for the sums of what is there: the first statement has locked
-- the log.
INSERT INTO api_usage
SELECT to_timestamp(floor(extract(epoch FROM timestamp) / 900) * 900), coalesce(model, '(unknown)'), provider, coalesce(endpoint, ''), coalesce(node, ''),
    coalesce(key_id, ''), coalesce(user_id, ''), count(*), count(*) FILTER (WHERE status_code >= 400), coalesce(sum(prompt_tokens), 0),
    coalesce(sum(completion_tokens), 0), coalesce(sum(reasoning_tokens), 0), coalesce(sum(cache_read_tokens), 0), coalesce(sum(cache_write_tokens), 0),
    coalesce(sum(total_tokens), 0), coalesce(sum(cost_usd), 0), coalesce(sum(upstream_cost_usd), 0), sum(latency_ms), max(timestamp)
FROM api_logs GROUP BY 1, 2, 3, 4, 5, 6, 7;
INSERT INTO api_latency
SELECT date_trunc('hour', timestamp, 'UTC'), k.kind, coalesce(model, '(unknown)'), provider, coalesce(endpoint, ''), coalesce(node, ''), k.bucket, count(*)
FROM api_logs, LATERAL (VALUES ('latency', latency_bucket), ('ttft', ttft_bucket)) AS k (kind, bucket)
WHERE k.bucket IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7;

-- Of hours whose rows are gone the old roll-ups are all that there is. They do
-- not say whose key and which endpoint it was.
INSERT INTO api_usage
SELECT hour, model_id, provider, '', '', '', '', request_count, error_count, total_prompt_tokens, total_completion_tokens, total_reasoning_tokens,
    total_cache_read_tokens, total_cache_write_tokens, total_tokens, total_cost_usd, total_upstream_cost_usd, latency_sum_ms, hour
FROM api_stats_hourly WHERE hour < coalesce((SELECT date_trunc('hour', min(timestamp), 'UTC') FROM api_logs), 'infinity');
INSERT INTO api_latency
SELECT hour, 'latency', model_id, provider, '', '', bucket, request_count
FROM api_latency_hourly WHERE hour < coalesce((SELECT date_trunc('hour', min(timestamp), 'UTC') FROM api_logs), 'infinity');

CREATE TRIGGER api_logs_usage AFTER INSERT ON api_logs REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION api_logs_usage();
