-- The request log. One row per request that passed authentication.
--
-- "timestamp" is the second inside request_id (gen-<unix seconds>-<random>),
-- not the moment of arrival: the partition of a row then depends on its key
-- alone, so an event that is delivered twice meets its first copy. The exact
-- moment is received_at. Since request_id begins with the second, ORDER BY
-- request_id is ORDER BY time, and the primary key serves paging.
--
-- Collation "C" compares bytes: ids are not prose, and it halves index work.
CREATE TABLE api_logs (
    request_id           text COLLATE "C" NOT NULL,
    timestamp            timestamptz NOT NULL,
    received_at          timestamptz NOT NULL,
    node                 text,
    release_epoch        bigint,
    release              bigint,
    spool_epoch          text,
    seq                  bigint,
    key_id               text,
    user_id              text COLLATE "C",
    session_id           text,
    api                  text,
    model_id             text COLLATE "C" NOT NULL,
    model                text,
    endpoint             text,
    provider             text COLLATE "C" NOT NULL,
    upstream_model       text,
    upstream_id          text,
    attempts             jsonb,
    stream               boolean NOT NULL,
    status_code          integer NOT NULL CHECK (status_code BETWEEN 0 AND 999),
    finish_reason        text,
    native_finish_reason text,
    outcome              text,
    error                text,
    ttft_ms              bigint,
    latency_ms           bigint NOT NULL CHECK (latency_ms >= 0),
    latency_bucket       smallint NOT NULL,
    prompt_tokens        bigint CHECK (prompt_tokens >= 0),
    completion_tokens    bigint CHECK (completion_tokens >= 0),
    reasoning_tokens     bigint CHECK (reasoning_tokens >= 0),
    total_tokens         bigint,
    cache_read_tokens    bigint CHECK (cache_read_tokens >= 0),
    cache_write_tokens   bigint CHECK (cache_write_tokens >= 0),
    usage_source         text,
    cost_usd             numeric,
    upstream_cost_usd    numeric,
    temperature          double precision,
    top_p                double precision,
    max_tokens           bigint,
    seed                 bigint,
    params               jsonb,
    user_agent           text,
    client_ip            text,
    app_title            text,
    referer              text,
    metadata             jsonb,
    PRIMARY KEY (request_id, timestamp)
) PARTITION BY RANGE (timestamp);

COMMENT ON COLUMN api_logs.model_id IS 'the model as the client named it; model is the one that answered';
COMMENT ON COLUMN api_logs.seq IS 'place in the spool of node and spool_epoch: a gap is a missing event';
COMMENT ON COLUMN api_logs.latency_bucket IS 'bucket of latency_ms in api_latency_hourly';
COMMENT ON COLUMN api_logs.metadata IS 'event fields of a newer node that have no column yet';

-- Rows arrive in time order, so a block range index finds a span of time at
-- next to no cost per insert.
CREATE INDEX api_logs_timestamp ON api_logs USING brin (timestamp) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX api_logs_model ON api_logs (model_id, timestamp);
CREATE INDEX api_logs_user ON api_logs (user_id, timestamp) WHERE user_id IS NOT NULL;
CREATE INDEX api_logs_errors ON api_logs (timestamp) WHERE status_code >= 400;

-- The roll-ups. They are written by the statement that inserts the rows, from
-- the rows that it really inserted, so they agree with api_logs at any moment.
-- Half-empty pages let the many updates of one hour stay on their page.
CREATE TABLE api_stats_hourly (
    hour                     timestamptz NOT NULL,
    model_id                 text COLLATE "C" NOT NULL,
    provider                 text COLLATE "C" NOT NULL,
    request_count            bigint NOT NULL,
    success_count            bigint NOT NULL,
    error_count              bigint NOT NULL,
    total_prompt_tokens      bigint NOT NULL,
    total_completion_tokens  bigint NOT NULL,
    total_tokens             bigint NOT NULL,
    total_reasoning_tokens   bigint NOT NULL,
    total_cache_read_tokens  bigint NOT NULL,
    total_cache_write_tokens bigint NOT NULL,
    total_cost_usd           numeric NOT NULL,
    total_upstream_cost_usd  numeric NOT NULL,
    latency_sum_ms           bigint NOT NULL,
    PRIMARY KEY (hour, model_id, provider)
) WITH (fillfactor = 50);

-- How many requests of an hour fell into which latency bucket: percentiles
-- without touching the log. Buckets are exact below 32 ms and a sixteenth of
-- a power of two wide above.
CREATE TABLE api_latency_hourly (
    hour          timestamptz NOT NULL,
    model_id      text COLLATE "C" NOT NULL,
    provider      text COLLATE "C" NOT NULL,
    bucket        smallint NOT NULL,
    request_count bigint NOT NULL,
    PRIMARY KEY (hour, model_id, provider, bucket)
) WITH (fillfactor = 50);
