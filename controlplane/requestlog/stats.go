package requestlog

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MaxStatsRows limits the answer to a StatsQuery.
const MaxStatsRows = 1000

// StatsQuery selects roll-ups; "" means all.
type StatsQuery struct {
	// Since and Until are the period, zero for no limit. The hours they fall
	// into count in full, since percentiles are kept by the hour.
	Since, Until time.Time
	// Model is a model's id without variant, or UnknownModel.
	Model, Provider, Endpoint, Node string
	// MinMS leaves out requests that took less. The rows are read then, which
	// retention may have removed.
	MinMS int64
	// minutes takes the period by the minute, from the rows.
	minutes bool
}

// bound is how exactly the period is taken.
func (in *StatsQuery) bound() time.Duration {
	if in.minutes {
		return time.Minute
	}
	return time.Hour
}

// UnknownModel stands in roll-ups for all names that no model has.
const UnknownModel = "(unknown)"

// Figures are what was done. Success means a status below 400. Percentiles are
// by nearest rank, from a histogram: exact below 32 ms, up to 6 % high above.
type Figures struct {
	RequestCount          int64 `json:"request_count"`
	SuccessCount          int64 `json:"success_count"`
	ErrorCount            int64 `json:"error_count"`
	TotalPromptTokens     int64 `json:"total_prompt_tokens"`
	TotalCompletionTokens int64 `json:"total_completion_tokens"`
	TotalTokens           int64 `json:"total_tokens"`
	// TotalCostUSD is an exact decimal.
	TotalCostUSD string  `json:"total_cost_usd"`
	AvgLatencyMS float64 `json:"avg_latency_ms"`
	P50LatencyMS int64   `json:"p50_latency_ms"`
	P95LatencyMS int64   `json:"p95_latency_ms"`
	P99LatencyMS int64   `json:"p99_latency_ms"`
	// TTFT is the time to the first token, of the requests that had one.
	P50TTFTMS int64 `json:"p50_ttft_ms"`
	P95TTFTMS int64 `json:"p95_ttft_ms"`
	P99TTFTMS int64 `json:"p99_ttft_ms"`
}

// StatsRow is what one model did at one provider in one hour.
type StatsRow struct {
	Hour     time.Time `json:"hour"`
	ModelID  string    `json:"model_id"`
	Provider string    `json:"provider"`
	Figures
}

// GroupStats is what one model, provider, endpoint or node did in a period.
type GroupStats struct {
	Group string `json:"group"`
	Figures
}

// StatsBy are the columns that GroupStats can be of.
func StatsBy() []string { return []string{"model", "provider", "endpoint", "node"} }

// Stats implements Store.
func (l *log) Stats(ctx context.Context, in StatsQuery) ([]StatsRow, error) {
	names, found, err := l.figures(ctx, in, []string{l.d.stepText(l.d.step("slot", ByHour)), "model", "provider"}, []string{l.d.stepText(l.d.step("hour", ByHour)), "model", "provider"})
	if err != nil {
		return nil, err
	}
	list := make([]StatsRow, len(found))
	for i, name := range names {
		hour, err := time.Parse(time.RFC3339, name[0])
		if err != nil {
			return nil, fmt.Errorf("read roll-ups: hour: %w", err)
		}
		list[i] = StatsRow{Hour: hour, ModelID: name[1], Provider: name[2], Figures: found[i]}
	}
	return list, nil
}

// StatsOf implements Store.
func (l *log) StatsOf(ctx context.Context, in StatsQuery, by string) ([]GroupStats, error) {
	if !slices.Contains(StatsBy(), by) {
		return nil, fmt.Errorf("%w: statistics by %q, must be one of %s", ErrRejected, by, strings.Join(StatsBy(), ", "))
	}
	names, found, err := l.figures(ctx, in, []string{by}, []string{by})
	if err != nil {
		return nil, err
	}
	list := make([]GroupStats, len(found))
	for i, name := range names {
		list[i] = GroupStats{name[0], found[i]}
	}
	return list, nil
}

// where restricts a roll-up whose time is in column.
func (in *StatsQuery) where(q *question, column string) {
	in.whereTime(q, column)
	for _, f := range []struct{ column, value string }{{"model", in.Model}, {"provider", in.Provider}, {"endpoint", in.Endpoint}, {"node", in.Node}} {
		if f.value != "" {
			q.and(f.column + " = " + q.param(f.value))
		}
	}
}

func (in *StatsQuery) whereTime(q *question, column string) {
	const format = "2006-01-02T15:04:05Z"
	if !in.Since.IsZero() {
		q.and(column + " >= " + q.d.moment(q.param(in.Since.UTC().Truncate(in.bound()).Format(format))))
	}
	if !in.Until.IsZero() {
		q.and(column + " < " + q.d.moment(q.param(in.Until.Add(in.bound()-1).UTC().Truncate(in.bound()).Format(format))))
	}
}

// sources are the tables that figures come from: roll-ups, or rows in their form.
func (in *StatsQuery) sources(q *question) (usage, latency string) {
	if in.MinMS <= 0 && !in.minutes {
		return "api_usage", "api_latency"
	}
	slot, hour := q.d.slot("timestamp"), q.d.hourSlot("timestamp")
	if in.minutes {
		slot, hour = "timestamp", "timestamp"
	}
	rows := question{d: q.d, args: q.args}
	rows.and(notShadow)
	rows.and("latency_ms >= " + strconv.FormatInt(in.MinMS, 10))
	rows.since(in.Since.Truncate(in.bound()), ">=")
	if !in.Until.IsZero() {
		rows.since(in.Until.Add(in.bound()-1).Truncate(in.bound()), "<")
	}
	q.args = rows.args
	names := make([]string, 0, 4)
	for _, by := range StatsBy() {
		names = append(names, logColumn(by)+" AS "+by)
	}
	by, from := strings.Join(names, ", "), " FROM api_logs"+rows.clause()
	usage = "(SELECT " + slot + " AS slot, " + by + ", 1 AS request_count, CASE WHEN status_code >= 400 THEN 1 ELSE 0 END AS error_count, " +
		"coalesce(prompt_tokens, 0) AS prompt_tokens, coalesce(completion_tokens, 0) AS completion_tokens, coalesce(total_tokens, 0) AS total_tokens, " +
		"latency_ms AS latency_sum_ms, coalesce(" + q.d.costColumn + ", 0) AS " + q.d.costColumn + from + ") AS slow"
	var kinds []string
	for _, kind := range []string{"latency", "ttft"} {
		kinds = append(kinds, "SELECT "+hour+" AS hour, '"+kind+"' AS kind, "+by+", "+kind+"_bucket AS bucket, 1 AS request_count"+from+" AND "+kind+"_bucket IS NOT NULL")
	}
	return usage, "(" + strings.Join(kinds, " UNION ALL ") + ") AS slow"
}

// figures sums up api_usage by some expressions, and api_latency by the same
// of its own, of which the first descends and the others ascend.
func (l *log) figures(ctx context.Context, in StatsQuery, usageBy, latencyBy []string) (names [][]string, list []Figures, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("read roll-ups: %w", err)
		}
	}()
	q := question{d: l.d}
	usage, _ := in.sources(&q)
	in.where(&q, "slot")
	sums := []string{"request_count", "error_count", "prompt_tokens", "completion_tokens", "total_tokens", "latency_sum_ms"}
	for i, column := range sums {
		sums[i] = "CAST(sum(" + column + ") AS TEXT)"
	}
	order, group := places(len(usageBy))
	found, err := l.texts(ctx, "SELECT "+strings.Join(slices.Concat(usageBy, sums, []string{l.d.usageCost}), ", ")+" FROM "+usage+q.clause()+
		" GROUP BY "+group+" ORDER BY "+order+" LIMIT "+strconv.Itoa(MaxStatsRows), q.args...)
	if err != nil || len(found) == 0 {
		return nil, nil, err
	}
	if len(usageBy) > 1 { // the page may have ended before Since
		if in.Since, err = time.Parse(time.RFC3339, orEmpty(found[len(found)-1][0])); err != nil {
			return nil, nil, err
		}
	}
	histograms, err := l.histograms(ctx, in, latencyBy)
	if err != nil {
		return nil, nil, err
	}
	for _, cells := range found {
		var f Figures
		var latency int64
		n := len(usageBy)
		if err := numbers(cells[n:n+6], &f.RequestCount, &f.ErrorCount, &f.TotalPromptTokens, &f.TotalCompletionTokens, &f.TotalTokens, &latency); err != nil {
			return nil, nil, err
		}
		if f.TotalCostUSD, err = l.d.money(cells[n+6]); err != nil {
			return nil, nil, err
		}
		name := plain(cells[:n])
		f.finish(latency, histograms["latency\x00"+strings.Join(name, "\x00")], histograms["ttft\x00"+strings.Join(name, "\x00")])
		names, list = append(names, name), append(list, f)
	}
	return names, list, nil
}

// places are the first n columns of a result, to order and to group by.
func places(n int) (order, group string) {
	for i := range n {
		place := strconv.Itoa(i + 1)
		group += ", " + place
		if order += ", " + place; i == 0 && n > 1 {
			order += " DESC"
		}
	}
	return order[2:], group[2:]
}

// histograms returns them by kind and group, joined with NUL.
func (l *log) histograms(ctx context.Context, in StatsQuery, by []string) (map[string]histogram, error) {
	q := question{d: l.d}
	_, latency := in.sources(&q)
	in.where(&q, "hour")
	_, group := places(len(by) + 2)
	found, err := l.texts(ctx, "SELECT kind, "+strings.Join(by, ", ")+", CAST(bucket AS TEXT), CAST(sum(request_count) AS TEXT) FROM "+latency+q.clause()+
		" GROUP BY "+group, q.args...)
	if err != nil {
		return nil, err
	}
	out := map[string]histogram{}
	for _, cells := range found {
		var bucket, count int64
		n := len(by) + 1
		if err := numbers(cells[n:], &bucket, &count); err != nil {
			return nil, err
		}
		key := strings.Join(plain(cells[:n]), "\x00")
		h := out[key]
		h.buckets, h.counts = append(h.buckets, bucket), append(h.counts, count)
		out[key] = h
	}
	for _, h := range out {
		h.sort()
	}
	return out, nil
}

func plain(cells []*string) []string {
	out := make([]string, len(cells))
	for i, cell := range cells {
		out[i] = orEmpty(cell)
	}
	return out
}
