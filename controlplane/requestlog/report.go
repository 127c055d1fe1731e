package requestlog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ReportQuery selects what is summed up.
type ReportQuery struct {
	// Since and Until are the period, to the second: from, and before. Zero is
	// the beginning, and now.
	Since, Until time.Time
	// By are one to three of ReportBy, at most one of them a period.
	By []string
	// Zone is where days and other periods begin; nil is UTC.
	Zone *time.Location
	// Filters select requests.
	Filters Names
}

// ReportBy are what reports can be by: the columns of UsageBy, and periods.
func ReportBy() []string { return append(UsageBy(), periods()...) }

func periods() []string { return []string{"hour", "day", "week", "month"} }

// MaxPeriods limits how many hours, days, weeks or months a report has.
const MaxPeriods = 1000

// MaxReportRows limits the answer to a ReportQuery.
const MaxReportRows = 100_000

// ReportRow is one line of a report. Of the names those are set that it is by.
type ReportRow struct {
	// Period is a day (2026-05-31), the Monday of a week, a month (2026-05) or
	// an hour (2026-05-31T14:00:00+05:30).
	Period string `json:"period,omitempty"`
	Names

	RequestCount     int64 `json:"request_count"`
	ErrorCount       int64 `json:"error_count"`
	PromptTokens     int64 `json:"prompt_tokens"`
	CompletionTokens int64 `json:"completion_tokens"`
	ReasoningTokens  int64 `json:"reasoning_tokens"`
	CacheReadTokens  int64 `json:"cache_read_tokens"`
	CacheWriteTokens int64 `json:"cache_write_tokens"`
	TotalTokens      int64 `json:"total_tokens"`
	// CostUSD is an exact decimal.
	CostUSD string `json:"cost_usd"`
}

// Name returns the value of one of ReportBy.
func (r *ReportRow) Name(by string) string { return *r.column(by) }

func (r *ReportRow) column(by string) *string {
	if name := r.field(by); name != nil {
		return name
	}
	return &r.Period
}

func (in *ReportQuery) check() error {
	if len(in.By) < 1 || len(in.By) > 3 {
		return fmt.Errorf("%w: a report is by one, two or three of %s", ErrRejected, strings.Join(ReportBy(), ", "))
	}
	seen := map[string]bool{}
	for _, by := range in.By {
		what := by
		if slices.Contains(periods(), by) {
			what = "period"
		}
		switch {
		case !slices.Contains(ReportBy(), by):
			return fmt.Errorf("%w: report by %q, must be one of %s", ErrRejected, by, strings.Join(ReportBy(), ", "))
		case seen[what]:
			return fmt.Errorf("%w: report by %q twice, or by two periods", ErrRejected, by)
		}
		seen[what] = true
	}
	return nil
}

// Report implements Store. Full quarters of an hour are read from api_usage,
// what is left at the ends of the period from the rows.
func (l *log) Report(ctx context.Context, in ReportQuery) ([]ReportRow, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	list, err := l.report(ctx, in)
	if err != nil && !errors.Is(err, ErrRejected) { // else it is what was asked for
		err = fmt.Errorf("sum up usage: %w", err)
	}
	return list, err
}

func (l *log) report(ctx context.Context, in ReportQuery) ([]ReportRow, error) {
	spans, err := l.spans(ctx, &in)
	if err != nil || len(spans) == 0 {
		return nil, err
	}
	q := question{d: l.d}
	sql := reportSQL(&q, &in, spans)
	found, err := l.texts(ctx, sql, q.args...)
	if err != nil {
		return nil, err
	}
	if len(found) > MaxReportRows {
		return nil, fmt.Errorf("%w: more than %d lines: choose a shorter period, a filter or fewer columns", ErrRejected, MaxReportRows)
	}
	list := make([]ReportRow, len(found))
	for i, cells := range found {
		r := &list[i]
		for j, by := range in.By {
			*r.column(by) = orEmpty(cells[j])
		}
		cells = cells[len(in.By):]
		if err := numbers(cells[:8], &r.RequestCount, &r.ErrorCount, &r.PromptTokens, &r.CompletionTokens, &r.ReasoningTokens, &r.CacheReadTokens, &r.CacheWriteTokens, &r.TotalTokens); err != nil {
			return nil, err
		}
		if r.CostUSD, err = l.d.money(cells[8]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// usageCounts are the figures of api_usage, in the order of a report.
func usageCounts() []string {
	return []string{"request_count", "error_count", "prompt_tokens", "completion_tokens", "reasoning_tokens", "cache_read_tokens", "cache_write_tokens", "total_tokens"}
}

// reportSQL unites the sources.
func reportSQL(q *question, in *ReportQuery, spans []span) string {
	best := ofSlots
	dimension, ok := in.Filters.dimension(in.By...)
	if q.d.byHour && ok {
		best = ofHours
	}
	var parts [ofHours + 1][]string
	for _, s := range spans {
		for _, part := range s.parts(best) {
			parts[part.grain] = append(parts[part.grain], "('"+s.label+"', "+q.d.moment("'"+part.since.UTC().Format(time.RFC3339)+"'")+", "+q.d.moment("'"+part.until.UTC().Format(time.RFC3339)+"'")+")")
		}
	}
	var sources []string
	for grain, s := range reportSources(q.d, dimension) {
		if len(parts[grain]) > 0 {
			sources = append(sources, s.sql(q, in, parts[grain]))
		}
	}
	names := make([]string, len(in.By))
	for i := range names {
		names[i] = place(i)
	}
	sums := append(usageCounts(), "cost")
	for i, column := range sums {
		sums[i] = "CAST(sum(" + column + ") AS TEXT)"
	}
	group := strings.Join(names, ", ")
	return "SELECT " + strings.Join(slices.Concat(names, sums), ", ") + " FROM (" + strings.Join(sources, " UNION ALL ") + ") AS u GROUP BY " + group +
		" ORDER BY " + group + " LIMIT " + strconv.Itoa(MaxReportRows+1)
}

// place is the name of the i-th column that a report is by.
func place(i int) string { return "b" + strconv.Itoa(i) }

// reportSources are where each grain is read.
func reportSources(d dialect, dimension string) [ofHours + 1]source {
	counts := []string{"1 AS request_count", "CASE WHEN status_code >= 400 THEN 1 ELSE 0 END AS error_count"}
	for _, column := range usageCounts()[2:] {
		counts = append(counts, "coalesce("+column+", 0) AS "+column)
	}
	sums := append(usageCounts(), d.costColumn+" AS cost")
	return [...]source{
		ofRows:  {"api_logs", "timestamp", notShadow, logColumn, append(counts, "coalesce("+d.costColumn+", 0) AS cost")},
		ofSlots: {"api_usage", "slot", "", usageColumn, sums},
		ofHours: {"api_usage_by", "hour", "dimension = '" + dimension + "'", func(string) string { return "name" }, sums},
	}
}

// source is a table that figures come from.
type source struct {
	table, moment string
	only          string // a condition, "" for none
	column        func(by string) string
	counts        []string
}

// sql joins the table with its parts of the periods.
func (s source) sql(q *question, in *ReportQuery, parts []string) string {
	names := make([]string, len(in.By))
	for i, name := range in.By {
		names[i] = "part.label AS " + place(i)
		if slices.Contains(UsageBy(), name) {
			names[i] = s.column(name) + " AS " + place(i)
		}
	}
	conditions := in.Filters.conditions(q, s.column)
	if s.only != "" {
		conditions = append(conditions, s.only)
	}
	conditions = append(conditions, []string{s.moment + " >= part.since", s.moment + " < part.until"}...)
	return "SELECT " + strings.Join(slices.Concat(names, s.counts), ", ") + " FROM (SELECT column1 AS label, column2 AS since, column3 AS until FROM (VALUES " +
		strings.Join(parts, ", ") + ") AS v) AS part JOIN " + s.table + " ON " + strings.Join(conditions, " AND ")
}
