-- What each key, user, endpoint and node used, hour by hour, so that bills and
-- budgets need not add up the log. "" is none: a request that reached no
-- endpoint. SQLite and D1 have no such table: D1 bills a written row a thousand
-- times a read one, and each request would write four.
CREATE TABLE api_usage_hourly (
    hour                    timestamptz NOT NULL,
    dimension               text COLLATE "C" NOT NULL,
    name                    text COLLATE "C" NOT NULL,
    request_count           bigint NOT NULL,
    error_count             bigint NOT NULL,
    total_prompt_tokens     bigint NOT NULL,
    total_completion_tokens bigint NOT NULL,
    total_tokens            bigint NOT NULL,
    total_cost_usd          numeric NOT NULL,
    PRIMARY KEY (dimension, hour, name)
) WITH (fillfactor = 50);

-- Collectors wait for the sums of what is there. Those of an older version
-- know nothing of this table: replace them before they go on.
LOCK TABLE api_logs IN SHARE MODE;
INSERT INTO api_usage_hourly
SELECT date_trunc('hour', timestamp, 'UTC'),
    CASE WHEN GROUPING(key_id) = 0 THEN 'key' WHEN GROUPING(user_id) = 0 THEN 'user' WHEN GROUPING(endpoint) = 0 THEN 'endpoint' ELSE 'node' END,
    coalesce(key_id, user_id, endpoint, node, ''), count(*), count(*) FILTER (WHERE status_code >= 400),
    coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0), coalesce(sum(total_tokens), 0), coalesce(sum(cost_usd), 0)
FROM api_logs GROUP BY GROUPING SETS ((1, key_id), (1, user_id), (1, endpoint), (1, node));
