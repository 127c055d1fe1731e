-- Copies of requests that were sent to another endpoint for comparison. They are
-- in the log, and in no roll-up: they count against nobody. shadow_of is the
-- request_id of the request itself; json_valid is NULL unless JSON was asked for.
ALTER TABLE api_logs ADD COLUMN shadow INTEGER;
ALTER TABLE api_logs ADD COLUMN shadow_of TEXT;
ALTER TABLE api_logs ADD COLUMN tool_calls INTEGER CHECK (tool_calls >= 0);
ALTER TABLE api_logs ADD COLUMN json_valid INTEGER;
CREATE INDEX api_logs_shadow ON api_logs (model, timestamp) WHERE shadow_of IS NOT NULL;
CREATE INDEX api_logs_shadow_of ON api_logs (shadow_of) WHERE shadow_of IS NOT NULL;

DROP TRIGGER api_logs_rollup;
CREATE TRIGGER api_logs_rollup AFTER INSERT ON api_logs WHEN NEW.shadow IS NOT TRUE
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
        coalesce(NEW.model, '(unknown)'), NEW.provider, coalesce(NEW.endpoint, ''), coalesce(NEW.node, ''), coalesce(NEW.key_id, ''), coalesce(NEW.user_id, ''), coalesce(NEW.team_id, ''),
        1, NEW.status_code >= 400, coalesce(NEW.prompt_tokens, 0), coalesce(NEW.completion_tokens, 0), coalesce(NEW.reasoning_tokens, 0),
        coalesce(NEW.cache_read_tokens, 0), coalesce(NEW.cache_write_tokens, 0), coalesce(NEW.total_tokens, 0),
        coalesce(NEW.cost_pico, 0), coalesce(NEW.upstream_cost_pico, 0), NEW.latency_ms, NEW.timestamp)
    ON CONFLICT (slot, model, provider, endpoint, node, key_id, user_id, team_id) DO UPDATE SET
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
