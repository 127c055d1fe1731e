-- Copies of requests that were sent to another endpoint for comparison. They are
-- in the log, and in no roll-up: they count against nobody.
ALTER TABLE api_logs ADD COLUMN shadow boolean, ADD COLUMN shadow_of text COLLATE "C", ADD COLUMN tool_calls bigint CHECK (tool_calls >= 0), ADD COLUMN json_valid boolean;
COMMENT ON COLUMN api_logs.shadow IS 'a copy of a request for comparison: not in api_usage, api_stats_hourly and api_latency';
COMMENT ON COLUMN api_logs.shadow_of IS 'request_id of the request that a shadow is a copy of';
COMMENT ON COLUMN api_logs.tool_calls IS 'how many tools the answer called, NULL for none';
COMMENT ON COLUMN api_logs.json_valid IS 'whether the answer of a compared request that asked for JSON is JSON, NULL for any other';
CREATE INDEX api_logs_shadow ON api_logs (model, timestamp) WHERE shadow_of IS NOT NULL;
CREATE INDEX api_logs_shadow_of ON api_logs (shadow_of) WHERE shadow_of IS NOT NULL;

CREATE OR REPLACE FUNCTION api_logs_usage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO api_usage AS u (slot, model, provider, endpoint, node, key_id, user_id, team_id, request_count, error_count, prompt_tokens, completion_tokens,
        reasoning_tokens, cache_read_tokens, cache_write_tokens, total_tokens, cost_usd, upstream_cost_usd, latency_sum_ms, last_second)
    SELECT to_timestamp(floor(extract(epoch FROM timestamp) / 900) * 900), coalesce(model, '(unknown)'), provider, coalesce(endpoint, ''), coalesce(node, ''),
        coalesce(key_id, ''), coalesce(user_id, ''), coalesce(team_id, ''), count(*), count(*) FILTER (WHERE status_code >= 400), coalesce(sum(prompt_tokens), 0),
        coalesce(sum(completion_tokens), 0), coalesce(sum(reasoning_tokens), 0), coalesce(sum(cache_read_tokens), 0), coalesce(sum(cache_write_tokens), 0),
        coalesce(sum(total_tokens), 0), coalesce(sum(cost_usd), 0), coalesce(sum(upstream_cost_usd), 0), sum(latency_ms), max(timestamp)
    FROM added WHERE shadow IS NOT TRUE GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
    ON CONFLICT (slot, model, provider, endpoint, node, key_id, user_id, team_id) DO UPDATE SET
        request_count = u.request_count + excluded.request_count, error_count = u.error_count + excluded.error_count,
        prompt_tokens = u.prompt_tokens + excluded.prompt_tokens, completion_tokens = u.completion_tokens + excluded.completion_tokens,
        reasoning_tokens = u.reasoning_tokens + excluded.reasoning_tokens, cache_read_tokens = u.cache_read_tokens + excluded.cache_read_tokens,
        cache_write_tokens = u.cache_write_tokens + excluded.cache_write_tokens, total_tokens = u.total_tokens + excluded.total_tokens,
        cost_usd = u.cost_usd + excluded.cost_usd, upstream_cost_usd = u.upstream_cost_usd + excluded.upstream_cost_usd,
        latency_sum_ms = u.latency_sum_ms + excluded.latency_sum_ms, last_second = greatest(u.last_second, excluded.last_second);
    INSERT INTO api_latency AS l
    SELECT date_trunc('hour', timestamp, 'UTC'), k.kind, coalesce(model, '(unknown)'), provider, coalesce(endpoint, ''), coalesce(node, ''), k.bucket, count(*)
    FROM added, LATERAL (VALUES ('latency', latency_bucket), ('ttft', ttft_bucket)) AS k (kind, bucket)
    WHERE k.bucket IS NOT NULL AND shadow IS NOT TRUE GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7
    ON CONFLICT (hour, kind, model, provider, endpoint, node, bucket) DO UPDATE SET request_count = l.request_count + excluded.request_count;
    RETURN NULL;
END
$$;
