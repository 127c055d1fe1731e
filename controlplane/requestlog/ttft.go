package requestlog

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// lockSums is the number of the advisory lock that sums of a past day take alone.
const lockSums = 3

// sumsAfter is how long after its end a day is summed up: transactions that began before it ended are
// over then.
const sumsAfter = time.Hour

// SumUp implements Store: it sums up the times to the first token of past days that are not, the last day first.
func (p *Postgres) SumUp(ctx context.Context, now time.Time) error {
	end := now.Add(-sumsAfter).UTC().Truncate(day)
	found, err := p.texts(ctx, `SELECT to_char(day AT TIME ZONE 'UTC', 'YYYY-MM-DD') FROM generate_series((SELECT date_trunc('day', min(hour), 'UTC') FROM api_latency), $1::text::timestamptz - interval '24 hours', interval '24 hours') AS g (day)
		WHERE day NOT IN (SELECT day FROM api_ttft_days) ORDER BY day DESC`, isoTime(end))
	if err != nil {
		return fmt.Errorf("find days to sum up: %w", err)
	}
	for _, cells := range found {
		err := p.pg.Tx(ctx, func(tx pgx.Tx) error { return sumUpDay(ctx, tx, orEmpty(cells[0])+"T00:00:00Z") })
		if err != nil {
			return fmt.Errorf("sum up %s: %w", orEmpty(cells[0]), err)
		}
	}
	return nil
}

func sumUpDay(ctx context.Context, tx pgx.Tx, day string) error {
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1, $2)", int32(lockClass), int32(lockSums)); err != nil {
		return err
	}
	for _, sql := range []string{
		"DELETE FROM api_ttft_daily WHERE dimension IN ('model', 'provider', 'endpoint', 'node') AND day = $1::text::timestamptz",
		`INSERT INTO api_ttft_daily
			SELECT $1::text::timestamptz, CASE WHEN GROUPING(model) = 0 THEN 'model' WHEN GROUPING(provider) = 0 THEN 'provider' WHEN GROUPING(endpoint) = 0 THEN 'endpoint' ELSE 'node' END,
				coalesce(model, provider, endpoint, node), bucket, sum(request_count)
			FROM api_latency WHERE kind = 'ttft' AND hour >= $1::text::timestamptz AND hour < $1::text::timestamptz + interval '24 hours'
			GROUP BY GROUPING SETS ((model, bucket), (provider, bucket), (endpoint, bucket), (node, bucket))`,
		"INSERT INTO api_ttft_days VALUES ($1::text::timestamptz) ON CONFLICT DO NOTHING", // another collector was first
	} {
		if _, err := tx.Exec(ctx, sql, day); err != nil {
			return err
		}
	}
	return nil
}

// SumUp implements Store. SQLite and D1 have no sums of days: they are for installations that are small.
func (s *SQLite) SumUp(context.Context, time.Time) error { return nil }

// firstTokens returns the histograms of times to the first token by step and by group, as text.
func (l *log) firstTokens(ctx context.Context, in *SeriesQuery) (byStep, byGroup map[string]histogram, err error) {
	q := question{d: l.d}
	source := in.firstTokens(&q)
	const parts = ", CAST(bucket AS TEXT), CAST(sum(n) AS TEXT) FROM h GROUP BY 1, 2, 3"
	found, err := l.texts(ctx, "WITH h AS ("+source+") SELECT 'step', "+l.d.stepText("at")+parts+" UNION ALL SELECT 'group', "+l.d.text("name")+parts, q.args...)
	if err != nil {
		return nil, nil, err
	}
	byStep, byGroup = map[string]histogram{}, map[string]histogram{}
	for _, cells := range found {
		var bucket, count int64
		if err := numbers(cells[2:], &bucket, &count); err != nil {
			return nil, nil, err
		}
		into := byGroup
		if orEmpty(cells[0]) == "step" {
			into = byStep
		}
		h := into[orEmpty(cells[1])]
		h.buckets, h.counts = append(h.buckets, bucket), append(h.counts, count)
		into[orEmpty(cells[1])] = h
	}
	for _, list := range []map[string]histogram{byStep, byGroup} {
		for _, h := range list {
			h.sort()
		}
	}
	return byStep, byGroup, nil
}

// firstTokens is a query for counts by step, group and bucket; they need not be summed up.
func (in *SeriesQuery) firstTokens(q *question) string {
	filters := in.names()
	dimension, ok := filters.dimension(in.By)
	if q.d.byHour && ok && in.Step == ByDay && !in.Since.IsZero() && in.Until.IsZero() {
		return dailyFirstTokens(q, dimension, *filters.field(dimension), in.Since)
	}
	_, latency := in.sources(q)
	in.where(q, "hour")
	q.and("kind = 'ttft'")
	return "SELECT " + q.d.step("hour", in.Step) + " AS at, " + cmp.Or(in.By, "CAST('' AS TEXT)") + " AS name, bucket, request_count AS n FROM " + latency + q.clause()
}

// dailyFirstTokens takes the sums of the days that have them, and the others from api_latency, hour by hour, which its
// primary key finds.
func dailyFirstTokens(q *question, dimension, value string, since time.Time) string {
	first := q.d.moment(q.param(isoTime(since.UTC().Truncate(day))))
	summed, other := "", ""
	if value != "" {
		name := q.param(value)
		summed, other = " AND t.name = "+name, " AND l."+dimension+" = "+name
	}
	return "SELECT t.day AS at, t.name, t.bucket, t.request_count AS n FROM api_ttft_daily AS t JOIN api_ttft_days USING (day) WHERE t.dimension = '" + dimension + "' AND t.day >= " + first + summed +
		" UNION ALL SELECT g.day, l." + dimension + ", l.bucket, l.request_count FROM generate_series(" + first + ", now(), interval '24 hours') AS g (day)" +
		" CROSS JOIN LATERAL generate_series(g.day, g.day + interval '23 hours', interval '1 hour') AS h (hour) JOIN api_latency AS l ON l.hour = h.hour AND l.kind = 'ttft'" + other +
		" WHERE NOT EXISTS (SELECT 1 FROM api_ttft_days AS d WHERE d.day = g.day)"
}
