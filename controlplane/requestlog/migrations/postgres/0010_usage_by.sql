-- What each model, provider, endpoint, node, key, user and team used, hour by
-- hour: a report by one of them over weeks reads thousands of lines here instead
-- of millions in api_usage. It follows api_usage by triggers, whatever changes
-- that: inserts, new prices, erasures, retention.
CREATE TABLE api_usage_by (
    dimension          text COLLATE "C" NOT NULL,
    hour               timestamptz NOT NULL,
    name               text COLLATE "C" NOT NULL,
    request_count      bigint NOT NULL,
    error_count        bigint NOT NULL,
    prompt_tokens      bigint NOT NULL,
    completion_tokens  bigint NOT NULL,
    reasoning_tokens   bigint NOT NULL,
    cache_read_tokens  bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    total_tokens       bigint NOT NULL,
    cost_usd           numeric NOT NULL,
    last_second        timestamptz NOT NULL,
    PRIMARY KEY (dimension, hour, name)
) WITH (fillfactor = 50);

-- Each kind of change has a function of its own, since each sees other rows: those
-- that were added, and those that were removed. Of an update these are the new and
-- the old ones.
DO $do$
DECLARE
    kind text;
    sources text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['insert', 'update', 'delete'] LOOP
        sources := concat_ws(' UNION ALL ',
            CASE WHEN kind <> 'delete' THEN 'SELECT *, 1 AS sign FROM added' END,
            CASE WHEN kind <> 'insert' THEN 'SELECT *, -1 AS sign FROM removed' END);
        EXECUTE format($f$
            CREATE FUNCTION api_usage_by_%1$s() RETURNS trigger LANGUAGE plpgsql AS $body$
            BEGIN
                INSERT INTO api_usage_by AS u
                SELECT CASE WHEN GROUPING(model) = 0 THEN 'model' WHEN GROUPING(provider) = 0 THEN 'provider' WHEN GROUPING(endpoint) = 0 THEN 'endpoint'
                        WHEN GROUPING(node) = 0 THEN 'node' WHEN GROUPING(key_id) = 0 THEN 'key' WHEN GROUPING(user_id) = 0 THEN 'user' ELSE 'team' END,
                    hour, coalesce(model, provider, endpoint, node, key_id, user_id, team_id), sum(sign * request_count), sum(sign * error_count), sum(sign * prompt_tokens),
                    sum(sign * completion_tokens), sum(sign * reasoning_tokens), sum(sign * cache_read_tokens), sum(sign * cache_write_tokens), sum(sign * total_tokens),
                    sum(sign * cost_usd), max(last_second)
                FROM (SELECT *, date_trunc('hour', slot, 'UTC') AS hour FROM (%2$s) AS changed) AS c
                GROUP BY GROUPING SETS ((hour, model), (hour, provider), (hour, endpoint), (hour, node), (hour, key_id), (hour, user_id), (hour, team_id)) ORDER BY 1, 2, 3
                ON CONFLICT (dimension, hour, name) DO UPDATE SET
                    request_count = u.request_count + excluded.request_count, error_count = u.error_count + excluded.error_count,
                    prompt_tokens = u.prompt_tokens + excluded.prompt_tokens, completion_tokens = u.completion_tokens + excluded.completion_tokens,
                    reasoning_tokens = u.reasoning_tokens + excluded.reasoning_tokens, cache_read_tokens = u.cache_read_tokens + excluded.cache_read_tokens,
                    cache_write_tokens = u.cache_write_tokens + excluded.cache_write_tokens, total_tokens = u.total_tokens + excluded.total_tokens,
                    cost_usd = u.cost_usd + excluded.cost_usd, last_second = greatest(u.last_second, excluded.last_second);
                %3$s
                RETURN NULL;
            END
            $body$ $f$, kind, sources,
            -- A line of nothing would keep the name of a user who was erased.
            CASE WHEN kind = 'delete' THEN $d$
                DELETE FROM api_usage_by AS u USING (SELECT date_trunc('hour', min(slot), 'UTC') AS first, max(slot) AS last FROM removed) AS r
                WHERE u.dimension IN ('model', 'provider', 'endpoint', 'node', 'key', 'user', 'team') AND u.hour >= r.first AND u.hour <= r.last AND u.request_count <= 0;
            $d$ ELSE '' END);
        EXECUTE format('CREATE TRIGGER api_usage_by_%1$s AFTER %1$s ON api_usage REFERENCING %2$s FOR EACH STATEMENT EXECUTE FUNCTION api_usage_by_%1$s()', kind,
            concat_ws(' ', CASE WHEN kind <> 'insert' THEN 'OLD TABLE AS removed' END, CASE WHEN kind <> 'delete' THEN 'NEW TABLE AS added' END));
    END LOOP;
END
$do$;

-- The triggers have locked api_usage: collectors wait for the sums of what is there.
INSERT INTO api_usage_by
SELECT CASE WHEN GROUPING(model) = 0 THEN 'model' WHEN GROUPING(provider) = 0 THEN 'provider' WHEN GROUPING(endpoint) = 0 THEN 'endpoint'
        WHEN GROUPING(node) = 0 THEN 'node' WHEN GROUPING(key_id) = 0 THEN 'key' WHEN GROUPING(user_id) = 0 THEN 'user' ELSE 'team' END,
    hour, coalesce(model, provider, endpoint, node, key_id, user_id, team_id), sum(request_count), sum(error_count), sum(prompt_tokens), sum(completion_tokens),
    sum(reasoning_tokens), sum(cache_read_tokens), sum(cache_write_tokens), sum(total_tokens), sum(cost_usd), max(last_second)
FROM (SELECT *, date_trunc('hour', slot, 'UTC') AS hour FROM api_usage) AS c
GROUP BY GROUPING SETS ((hour, model), (hour, provider), (hour, endpoint), (hour, node), (hour, key_id), (hour, user_id), (hour, team_id));

-- What a key has spent is read there, too; one index less pays for the triggers.
DROP INDEX IF EXISTS api_usage_key;
