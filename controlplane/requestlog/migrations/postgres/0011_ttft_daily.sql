-- The times to the first token of past days by model, provider, endpoint and node,
-- summed up by the collectors: percentiles of a month are read from these lines
-- instead of one for almost every request in api_latency. api_ttft_days says which
-- days are summed up.
CREATE TABLE api_ttft_daily (
    day           timestamptz NOT NULL,
    dimension     text COLLATE "C" NOT NULL,
    name          text COLLATE "C" NOT NULL,
    bucket        smallint NOT NULL,
    request_count bigint NOT NULL,
    PRIMARY KEY (dimension, day, name, bucket)
);
CREATE TABLE api_ttft_days (day timestamptz PRIMARY KEY);

-- A day whose histograms change after its end is to be summed up again. The lock,
-- which sums take alone, keeps changes from being missed by sums in progress; those
-- of the current day, nearly all, take none. 1734440037 is the class of the
-- gateway's advisory locks, 3 the number of this one.
DO $do$
DECLARE
    kind text;
    changed text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['insert', 'update', 'delete'] LOOP
        changed := CASE WHEN kind = 'delete' THEN 'removed' ELSE 'added' END; -- an update does not move a line to another day
        EXECUTE format($f$
            CREATE FUNCTION api_latency_%1$s() RETURNS trigger LANGUAGE plpgsql AS $body$
            BEGIN
                IF (SELECT min(hour) FROM %2$s) < date_trunc('day', now(), 'UTC') THEN
                    PERFORM pg_advisory_xact_lock_shared(1734440037, 3);
                    DELETE FROM api_ttft_days WHERE day IN (SELECT DISTINCT date_trunc('day', hour, 'UTC') FROM %2$s);
                END IF;
                RETURN NULL;
            END
            $body$ $f$, kind, changed);
        EXECUTE format('CREATE TRIGGER api_latency_%1$s AFTER %1$s ON api_latency REFERENCING %2$s TABLE AS %3$s FOR EACH STATEMENT EXECUTE FUNCTION api_latency_%1$s()',
            kind, CASE WHEN kind = 'delete' THEN 'OLD' ELSE 'NEW' END, changed);
    END LOOP;
END
$do$;
