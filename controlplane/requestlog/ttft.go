package requestlog

import (
	"cmp"
	"context"
	"fmt"
	"strings"
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
	source, err := l.firstTokensOf(ctx, &q, in)
	if err != nil {
		return nil, nil, err
	}
	const parts = ", CAST(bucket AS TEXT), CAST(n AS TEXT) FROM (SELECT %[1]s, bucket, sum(n) AS n FROM h GROUP BY %[1]s, bucket) AS %[1]ss" // texts are made of the groups, not of the rows
	found, err := l.texts(ctx, "WITH h AS ("+source+") SELECT 'step', "+l.d.stepText("at")+fmt.Sprintf(parts, "at")+" UNION ALL SELECT 'group', "+l.d.text("name")+fmt.Sprintf(parts, "name"), q.args...)
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

// firstTokensOf is a query for counts by step, group and bucket; they need not be summed up.
func (l *log) firstTokensOf(ctx context.Context, q *question, in *SeriesQuery) (string, error) {
	filters := in.names()
	dimension, ok := filters.dimension(in.By)
	if l.d.byHour && ok && in.Step == ByDay && !in.Since.IsZero() && in.Until.IsZero() {
		first := in.Since.UTC().Truncate(day)
		hours, err := l.hoursNotSummed(ctx, first)
		return dailyFirstTokens(q, dimension, *filters.field(dimension), isoTime(first), hours), err
	}
	_, latency := in.sources(q)
	in.where(q, "hour")
	q.and("kind = 'ttft'")
	return "SELECT " + q.d.step("hour", in.Step) + " AS at, " + cmp.Or(in.By, "CAST('' AS TEXT)") + " AS name, bucket, request_count AS n FROM " + latency + q.clause(), nil
}

// hoursNotSummed returns the hours since a day of those days that are not summed up, as an array of PostgreSQL.
func (l *log) hoursNotSummed(ctx context.Context, first time.Time) (string, error) {
	found, err := l.texts(ctx, "SELECT "+l.d.stepText("day")+" FROM api_ttft_days WHERE day >= "+l.d.moment("$1"), isoTime(first))
	if err != nil {
		return "", err
	}
	summed := map[string]bool{}
	for _, cells := range found {
		summed[orEmpty(cells[0])] = true
	}
	var hours []string
	for at := first; at.Before(time.Now().Add(day)); at = at.Add(time.Hour) { // clocks differ
		if !summed[at.Truncate(day).Format(time.RFC3339)] {
			hours = append(hours, at.Format(time.RFC3339))
		}
	}
	return "{" + strings.Join(hours, ",") + "}", nil
}

// dailyFirstTokens takes the sums of the days that have them, and the other hours from api_latency, whose primary key
// finds them: the list of hours keeps the planner from reading all of it. A day that is summed up in between is
// counted once: its hours are in the list, so that its sums are left out.
func dailyFirstTokens(q *question, dimension, value, first, hours string) string {
	since, list := q.d.moment(q.param(first)), "ARRAY(SELECT unnest("+q.param(hours)+"::text::timestamptz[]))" // parsed once, not for each line
	where := ""
	if value != "" {
		where = " AND name = " + q.param(value)
	}
	return "SELECT day AS at, name, bucket, request_count AS n FROM api_ttft_daily WHERE dimension = '" + dimension + "' AND day >= " + since + " AND day NOT IN (SELECT date_trunc('day', missing, 'UTC') FROM unnest(" + list + ") AS m (missing))" + where +
		" UNION ALL SELECT date_trunc('day', hour, 'UTC'), " + dimension + ", bucket, request_count FROM api_latency WHERE kind = 'ttft' AND hour = ANY (" + list + ")" + strings.Replace(where, "name", dimension, 1)
}
