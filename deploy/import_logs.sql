-- Takes over a day of the Python gateway's log:
--
--   psql -d gateway -v day=2026-05-01 -f deploy/import_logs.sql
--
-- The old table is old.api_logs in the same database: from a dump, or as a
-- foreign table (postgres_fdw, IMPORT FOREIGN SCHEMA public LIMIT TO (api_logs)
-- FROM SERVER old INTO old). A day that was taken over is not taken over again:
-- repeat it as often as you like. Requests get an id of this gateway's form, made
-- of theirs, which stays in metadata.
\set ON_ERROR_STOP on
BEGIN;
SET LOCAL TIME ZONE 'UTC';
-- as the collector: nobody else makes partitions meanwhile
SELECT pg_advisory_xact_lock(x'67617465'::int, 2);
SELECT 'api_logs_' || to_char(:'day'::date, 'YYYYMMDD') AS partition, :'day'::date + 1 AS next \gset
SELECT to_regclass(:'partition') IS NULL AS missing \gset
\if :missing
CREATE TABLE :partition (LIKE api_logs INCLUDING ALL);
ALTER TABLE api_logs ATTACH PARTITION :partition FOR VALUES FROM (:'day') TO (:'next');
\endif

CREATE TEMPORARY TABLE taken ON COMMIT DROP AS
WITH ins AS (
    INSERT INTO api_logs (request_id, timestamp, received_at, node, user_id, session_id, api, model_id, provider, stream, status_code, outcome, error, ttft_ms,
        latency_ms, latency_bucket, prompt_tokens, completion_tokens, reasoning_tokens, total_tokens, cache_read_tokens, cache_write_tokens, usage_source,
        cost_usd, upstream_cost_usd, temperature, top_p, max_tokens, seed, metadata)
    SELECT 'gen-' || extract(epoch FROM date_trunc('second', o.timestamp))::bigint || '-' || substr(md5(o.request_id), 1, 20), date_trunc('second', o.timestamp), o.timestamp,
        'python', o.user_id, o.session_id, 'chat', o.model_id, o.provider, coalesce(o.stream, false), coalesce(o.status_code, CASE WHEN o.error IS NULL THEN 200 ELSE 500 END),
        CASE WHEN o.error IS NULL THEN 'complete' ELSE 'upstream_error' END, left(o.error, 8192), o.ttft_ms, l.ms,
        -- buckets are exact below 32 ms, and a sixteenth of a power of two wide above
        CASE WHEN l.ms < 32 THEN l.ms ELSE 16 * b.shift + (l.ms >> b.shift) END,
        o.prompt_tokens, o.completion_tokens, o.reasoning_tokens, o.total_tokens, o.cache_read_tokens, o.cache_write_tokens,
        CASE WHEN o.total_tokens IS NULL THEN 'none' ELSE 'provider' END, o.cost_usd, o.upstream_cost_usd, o.temperature, o.top_p, o.max_tokens, o.seed,
        coalesce(o.metadata::jsonb, '{}') || jsonb_build_object('old_request_id', o.request_id)
    FROM old.api_logs o,
        LATERAL (SELECT greatest(coalesce(o.latency_ms, 0), 0)::bigint AS ms) l,
        LATERAL (SELECT CASE WHEN l.ms < 32 THEN 0 ELSE floor(log(2, l.ms::numeric))::int - 4 END AS shift) b
    WHERE o.timestamp >= :'day'::date AND o.timestamp < :'next'::date
    ON CONFLICT DO NOTHING
    RETURNING *, date_trunc('hour', timestamp, 'UTC') AS hour
) SELECT * FROM ins;

-- api_usage and api_latency are kept by a trigger.
INSERT INTO api_stats_hourly AS s
SELECT hour, coalesce(model, '(unknown)'), provider, count(*), count(*) FILTER (WHERE status_code < 400), count(*) FILTER (WHERE status_code >= 400),
    coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0), coalesce(sum(total_tokens), 0), coalesce(sum(reasoning_tokens), 0),
    coalesce(sum(cache_read_tokens), 0), coalesce(sum(cache_write_tokens), 0), coalesce(sum(cost_usd), 0), coalesce(sum(upstream_cost_usd), 0), sum(latency_ms)
FROM taken GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
ON CONFLICT (hour, model_id, provider) DO UPDATE SET
    request_count = s.request_count + excluded.request_count, success_count = s.success_count + excluded.success_count,
    error_count = s.error_count + excluded.error_count, total_prompt_tokens = s.total_prompt_tokens + excluded.total_prompt_tokens,
    total_completion_tokens = s.total_completion_tokens + excluded.total_completion_tokens, total_tokens = s.total_tokens + excluded.total_tokens,
    total_reasoning_tokens = s.total_reasoning_tokens + excluded.total_reasoning_tokens,
    total_cache_read_tokens = s.total_cache_read_tokens + excluded.total_cache_read_tokens,
    total_cache_write_tokens = s.total_cache_write_tokens + excluded.total_cache_write_tokens,
    total_cost_usd = s.total_cost_usd + excluded.total_cost_usd, total_upstream_cost_usd = s.total_upstream_cost_usd + excluded.total_upstream_cost_usd,
    latency_sum_ms = s.latency_sum_ms + excluded.latency_sum_ms;

SELECT count(*) AS requests_taken_over FROM taken;
COMMIT;
