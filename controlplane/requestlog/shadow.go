package requestlog

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ShadowQuery selects comparisons of shadows with the requests that they are
// copies of.
type ShadowQuery struct {
	// Since and Until bound the time of the shadow, to the second: from, and
	// before; zero is no bound.
	Since, Until time.Time
	// Model is the model's id, Endpoint that of the shadow, "" for all.
	Model, Endpoint string
}

// ShadowComparison is what a shadow endpoint has answered, beside what clients
// got for the same requests.
type ShadowComparison struct {
	// Endpoint is the id of the shadow.
	Endpoint string
	// Pairs are the requests whose two rows are there, and what Main and Shadow are
	// of. Unmatched shadows have no row of the request itself, yet or any more.
	Pairs, Unmatched int64
	Main, Shadow     ShadowSide
	// SameFinish and SameToolCalls count the pairs that end for the same reason, and
	// that call as many tools.
	SameFinish, SameToolCalls int64
}

// ShadowSide is one side of a comparison. Percentiles are as in Figures.
type ShadowSide struct {
	Errors                     int64
	PromptTokens               int64
	CompletionTokens           int64
	ReasoningTokens            int64
	CacheReadTokens            int64
	CostUSD                    string
	ToolCalls                  int64
	JSONAsked, JSONValid       int64
	P50LatencyMS, P95LatencyMS int64
	P50TTFTMS, P95TTFTMS       int64
	// Statuses, FinishReasons and Endpoints count the requests by value.
	Statuses, FinishReasons, Endpoints map[string]int64
}

// shadowSums are the figures of a side, in the order of ShadowSide.sums.
func shadowSums(d dialect, side string) []string {
	column := func(name string) string {
		return "CASE WHEN m.request_id IS NOT NULL THEN " + side + "." + name + " END"
	}
	texts := []string{"sum(CASE WHEN " + column("status_code") + " >= 400 THEN 1 ELSE 0 END)"}
	for _, name := range []string{"prompt_tokens", "completion_tokens", "reasoning_tokens", "cache_read_tokens", "tool_calls"} {
		texts = append(texts, "coalesce(sum("+column(name)+"), 0)")
	}
	texts = append(texts, "sum(CASE WHEN "+column("json_valid")+" IS NOT NULL THEN 1 ELSE 0 END)",
		"sum(CASE WHEN "+column("json_valid")+" IS TRUE THEN 1 ELSE 0 END)", "coalesce(sum("+column(d.costColumn)+"), 0)")
	for i, text := range texts {
		texts[i] = "CAST(" + text + " AS TEXT)"
	}
	return texts
}

// read takes in the cells of shadowSums, and returns those after them.
func (s *ShadowSide) read(d dialect, cells []*string) (rest []*string, err error) {
	if err := numbers(cells[:8], &s.Errors, &s.PromptTokens, &s.CompletionTokens, &s.ReasoningTokens, &s.CacheReadTokens, &s.ToolCalls, &s.JSONAsked, &s.JSONValid); err != nil {
		return nil, err
	}
	s.CostUSD, err = d.money(cells[8])
	return cells[9:], err
}

// Shadows implements Store.
func (l *log) Shadows(ctx context.Context, in ShadowQuery) (list []ShadowComparison, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("compare shadows: %w", err)
		}
	}()
	q := question{d: l.d}
	from := in.from(&q)
	same := func(column string) string {
		return "CAST(sum(CASE WHEN m.request_id IS NOT NULL AND " + fmt.Sprintf(column, "s") + " = " + fmt.Sprintf(column, "m") + " THEN 1 ELSE 0 END) AS TEXT)"
	}
	columns := slices.Concat([]string{"s.endpoint", "CAST(count(m.request_id) AS TEXT)", "CAST(count(*) - count(m.request_id) AS TEXT)"},
		shadowSums(l.d, "m"), shadowSums(l.d, "s"), []string{same("coalesce(%s.finish_reason, '')"), same("coalesce(%s.tool_calls, 0)")})
	found, err := l.texts(ctx, "SELECT "+strings.Join(columns, ", ")+from+" GROUP BY s.endpoint ORDER BY s.endpoint", q.args...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	counts, err := l.shadowCounts(ctx, &in)
	if err != nil {
		return nil, err
	}
	list = make([]ShadowComparison, len(found))
	for i, cells := range found {
		c := &list[i]
		c.Endpoint = orEmpty(cells[0])
		if err := numbers(cells[1:3], &c.Pairs, &c.Unmatched); err != nil {
			return nil, err
		}
		if cells, err = c.Main.read(l.d, cells[3:]); err != nil {
			return nil, err
		}
		if cells, err = c.Shadow.read(l.d, cells); err != nil {
			return nil, err
		}
		if err := numbers(cells, &c.SameFinish, &c.SameToolCalls); err != nil {
			return nil, err
		}
		c.Main.spread(counts, c.Endpoint+"\x00m")
		c.Shadow.spread(counts, c.Endpoint+"\x00s")
	}
	return list, nil
}

// longestMain is how much earlier than its shadow a request can have begun.
const longestMain = 24 * time.Hour

// from joins the shadows with their requests.
func (in *ShadowQuery) from(q *question) string {
	moment := func(column, op string, at time.Time) string {
		return column + " " + op + " " + q.d.moment(q.param(at.UTC().Format("2006-01-02T15:04:05Z")))
	}
	join := "m.request_id = s.shadow_of"
	q.and("s.shadow IS TRUE")
	q.and("s.shadow_of IS NOT NULL")
	q.and("s.model = " + q.param(in.Model))
	if in.Endpoint != "" {
		q.and("s.endpoint = " + q.param(in.Endpoint))
	}
	if !in.Since.IsZero() {
		q.and(moment("s.timestamp", ">=", in.Since))
		join += " AND " + moment("m.timestamp", ">=", in.Since.Add(-longestMain))
	}
	if !in.Until.IsZero() {
		q.and(moment("s.timestamp", "<", in.Until))
		join += " AND " + moment("m.timestamp", "<", in.Until)
	}
	return " FROM api_logs AS s LEFT JOIN api_logs AS m ON " + join + q.clause()
}

// shadowCounts counts the pairs by what they are like: for an endpoint, a side
// and a column, joined with NUL, how many have which value.
func (l *log) shadowCounts(ctx context.Context, in *ShadowQuery) (map[string]map[string]int64, error) {
	q := question{d: l.d}
	from := in.from(&q)
	var kinds, cases []string
	for _, side := range []string{"m", "s"} {
		for _, column := range []string{"latency_bucket", "ttft_bucket", "status_code", "finish_reason", "endpoint"} {
			kinds = append(kinds, "('"+side+column+"')")
			cases = append(cases, " WHEN '"+side+column+"' THEN CAST("+side+"."+column+" AS TEXT)")
		}
	}
	// the kinds are joined last, so that a pair is found once
	found, err := l.texts(ctx, "SELECT s.endpoint, k.kind, CASE k.kind"+strings.Join(cases, "")+" END AS v, CAST(count(*) AS TEXT)"+
		strings.Replace(from, " WHERE ", " CROSS JOIN (SELECT column1 AS kind FROM (VALUES "+strings.Join(kinds, ", ")+") AS v) AS k WHERE m.request_id IS NOT NULL AND ", 1)+
		" GROUP BY 1, 2, 3", q.args...)
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]int64{}
	for _, cells := range found {
		key := orEmpty(cells[0]) + "\x00" + orEmpty(cells[1])
		if out[key] == nil {
			out[key] = map[string]int64{}
		}
		var n int64
		if err := numbers(cells[3:], &n); err != nil {
			return nil, err
		}
		if cells[2] != nil {
			out[key][*cells[2]] = n
		}
	}
	return out, nil
}

// spread sets what is counted by value.
func (s *ShadowSide) spread(counts map[string]map[string]int64, side string) {
	latency, ttft := histogramOf(counts[side+"latency_bucket"]), histogramOf(counts[side+"ttft_bucket"])
	s.P50LatencyMS, s.P95LatencyMS = latency.percentile(0.50), latency.percentile(0.95)
	s.P50TTFTMS, s.P95TTFTMS = ttft.percentile(0.50), ttft.percentile(0.95)
	s.Statuses, s.FinishReasons, s.Endpoints = counts[side+"status_code"], counts[side+"finish_reason"], counts[side+"endpoint"]
}

// histogramOf makes a histogram of buckets as text.
func histogramOf(counts map[string]int64) (h histogram) {
	for text, n := range counts {
		if bucket, err := strconv.ParseInt(text, 10, 64); err == nil {
			h.buckets, h.counts = append(h.buckets, bucket), append(h.counts, n)
		}
	}
	h.sort()
	return h
}
