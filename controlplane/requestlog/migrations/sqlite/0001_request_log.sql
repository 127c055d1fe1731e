-- The request log in SQLite's dialect, which Cloudflare D1 shares. The columns
-- mean what they mean in PostgreSQL, with three differences of type:
--   times are ISO 8601 text in UTC, which sorts as time does;
--   booleans are 0 and 1;
--   money is an integer of pico-dollars (1e-12 USD), so sums are exact:
--   SUM(cost_pico) / 1e12. cost_usd is the same figure as a float.
CREATE TABLE api_logs (
    request_id           TEXT NOT NULL PRIMARY KEY,
    timestamp            TEXT NOT NULL,
    received_at          TEXT NOT NULL,
    node                 TEXT,
    release_epoch        INTEGER,
    release              INTEGER,
    spool_epoch          TEXT,
    seq                  INTEGER,
    key_id               TEXT,
    user_id              TEXT,
    session_id           TEXT,
    api                  TEXT,
    model_id             TEXT NOT NULL,
    model                TEXT,
    endpoint             TEXT,
    provider             TEXT NOT NULL,
    upstream_model       TEXT,
    upstream_id          TEXT,
    attempts             TEXT,
    stream               INTEGER NOT NULL,
    status_code          INTEGER NOT NULL CHECK (status_code BETWEEN 0 AND 999),
    finish_reason        TEXT,
    native_finish_reason TEXT,
    outcome              TEXT,
    error                TEXT,
    ttft_ms              INTEGER,
    latency_ms           INTEGER NOT NULL CHECK (latency_ms >= 0),
    latency_bucket       INTEGER NOT NULL,
    prompt_tokens        INTEGER CHECK (prompt_tokens >= 0),
    completion_tokens    INTEGER CHECK (completion_tokens >= 0),
    reasoning_tokens     INTEGER CHECK (reasoning_tokens >= 0),
    total_tokens         INTEGER,
    cache_read_tokens    INTEGER CHECK (cache_read_tokens >= 0),
    cache_write_tokens   INTEGER CHECK (cache_write_tokens >= 0),
    usage_source         TEXT,
    cost_pico            INTEGER,
    upstream_cost_pico   INTEGER,
    temperature          REAL,
    top_p                REAL,
    max_tokens           INTEGER,
    seed                 INTEGER,
    params               TEXT,
    user_agent           TEXT,
    client_ip            TEXT,
    app_title            TEXT,
    referer              TEXT,
    metadata             TEXT,
    cost_usd             REAL GENERATED ALWAYS AS (cost_pico / 1e12) VIRTUAL,
    upstream_cost_usd    REAL GENERATED ALWAYS AS (upstream_cost_pico / 1e12) VIRTUAL
) STRICT, WITHOUT ROWID;

-- request_id begins with its second, so the primary key is in time order and
-- serves paging. D1 bills each index per row: the fewer the better.
CREATE INDEX api_logs_model ON api_logs (model_id, timestamp);

CREATE TABLE api_stats_hourly (
    hour                     TEXT NOT NULL,
    model_id                 TEXT NOT NULL,
    provider                 TEXT NOT NULL,
    request_count            INTEGER NOT NULL,
    success_count            INTEGER NOT NULL,
    error_count              INTEGER NOT NULL,
    total_prompt_tokens      INTEGER NOT NULL,
    total_completion_tokens  INTEGER NOT NULL,
    total_tokens             INTEGER NOT NULL,
    total_reasoning_tokens   INTEGER NOT NULL,
    total_cache_read_tokens  INTEGER NOT NULL,
    total_cache_write_tokens INTEGER NOT NULL,
    total_cost_pico          INTEGER NOT NULL,
    total_upstream_cost_pico INTEGER NOT NULL,
    latency_sum_ms           INTEGER NOT NULL,
    PRIMARY KEY (hour, model_id, provider)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_latency_hourly (
    hour          TEXT NOT NULL,
    model_id      TEXT NOT NULL,
    provider      TEXT NOT NULL,
    bucket        INTEGER NOT NULL,
    request_count INTEGER NOT NULL,
    PRIMARY KEY (hour, model_id, provider, bucket)
) STRICT, WITHOUT ROWID;

-- The trigger fires for rows that were really inserted, never for duplicates,
-- and inside their transaction: the roll-ups agree with api_logs at any moment.
CREATE TRIGGER api_logs_rollup AFTER INSERT ON api_logs
BEGIN
    INSERT INTO api_stats_hourly VALUES (
        substr(NEW.timestamp, 1, 13) || ':00:00Z', NEW.model_id, NEW.provider,
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
    INSERT INTO api_latency_hourly VALUES (
        substr(NEW.timestamp, 1, 13) || ':00:00Z', NEW.model_id, NEW.provider, NEW.latency_bucket, 1)
    ON CONFLICT (hour, model_id, provider, bucket) DO UPDATE SET request_count = request_count + 1;
END;
