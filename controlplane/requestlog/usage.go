package requestlog

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// UsageBy are the columns that usage can be summed up by.
func UsageBy() []string { return []string{"model", "provider", "endpoint", "node", "key", "user"} }

// UsageRow is what was used in all by one model, provider, endpoint, node, key
// or user.
type UsageRow struct {
	Group            string `json:"group"`
	RequestCount     int64  `json:"request_count"`
	ErrorCount       int64  `json:"error_count"`
	PromptTokens     int64  `json:"prompt_tokens"`
	CompletionTokens int64  `json:"completion_tokens"`
	TotalTokens      int64  `json:"total_tokens"`
	// CostUSD is an exact decimal.
	CostUSD string `json:"cost_usd"`
}

// Usage implements Store, from roll-ups where there are any.
func (l *log) Usage(ctx context.Context, since time.Time, by string) ([]UsageRow, error) {
	i := slices.Index(UsageBy(), by)
	if i < 0 {
		return nil, fmt.Errorf("%w: usage by %q, allowed are %s", ErrRejected, by, strings.Join(UsageBy(), ", "))
	}
	column := []string{"model_id", "provider", "endpoint", "node", "key_id", "user_id"}[i]
	q := question{d: l.d}
	var sql string
	switch {
	case by == "model" || by == "provider":
		sql = q.rolledUsage(column, "api_stats_hourly", since)
	case q.d.rolled:
		q.and("dimension = " + q.param(by))
		column = "name"
		sql = q.rolledUsage(column, "api_usage_hourly", since)
	default:
		q.since(since, ">=")
		sql = "SELECT coalesce(" + column + ", '') AS g, CAST(count(*) AS TEXT) AS n, CAST(sum(CASE WHEN status_code >= 400 THEN 1 ELSE 0 END) AS TEXT) AS e," +
			" CAST(coalesce(sum(prompt_tokens), 0) AS TEXT) AS p, CAST(coalesce(sum(completion_tokens), 0) AS TEXT) AS c, CAST(coalesce(sum(total_tokens), 0) AS TEXT) AS t, " +
			q.d.cost + " AS m FROM api_logs"
	}
	found, err := l.texts(ctx, sql+q.clause()+" GROUP BY "+column+" ORDER BY 1", q.args...)
	if err != nil {
		return nil, fmt.Errorf("sum up usage: %w", err)
	}
	list := make([]UsageRow, len(found))
	for i, cells := range found {
		r := UsageRow{Group: orEmpty(cells[0])}
		if err := numbers(cells[1:6], &r.RequestCount, &r.ErrorCount, &r.PromptTokens, &r.CompletionTokens, &r.TotalTokens); err != nil {
			return nil, fmt.Errorf("sum up usage: %w", err)
		}
		if r.CostUSD, err = q.d.money(cells[6]); err != nil {
			return nil, fmt.Errorf("sum up usage: %w", err)
		}
		list[i] = r
	}
	// the most requests first; equal ones by name
	slices.SortStableFunc(list, func(a, b UsageRow) int { return int(min(1, max(-1, b.RequestCount-a.RequestCount))) })
	return list, nil
}

// rolledUsage reads roll-ups, which cannot be cut: the hour of since counts whole.
func (q *question) rolledUsage(column, table string, since time.Time) string {
	if !since.IsZero() {
		q.and("hour >= " + q.d.moment(q.param(since.UTC().Truncate(time.Hour).Format("2006-01-02T15:04:05Z"))))
	}
	return "SELECT " + column + ", CAST(sum(request_count) AS TEXT) AS n, CAST(sum(error_count) AS TEXT) AS e, CAST(sum(total_prompt_tokens) AS TEXT) AS p," +
		" CAST(sum(total_completion_tokens) AS TEXT) AS c, CAST(sum(total_tokens) AS TEXT) AS t, " + strings.ReplaceAll(q.d.cost, "cost", "total_cost") + " AS m FROM " + table
}
