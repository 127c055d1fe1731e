package requestlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// BillingQuery selects the days to compare with a provider's bill.
type BillingQuery struct {
	// Since and Until are the period in whole seconds: from, and before.
	Since, Until time.Time
	// Zone is where days begin; nil is UTC.
	Zone *time.Location
}

// BillingRow is a total of requests that reached an endpoint and are alike in all
// that explains a difference from the provider's bill.
type BillingRow struct {
	Day           string
	Provider      string
	UpstreamModel string
	Model         string
	// UsageSource, CostSource and Outcome are as in the rows.
	UsageSource string
	CostSource  string
	Outcome     string
	BYOK        bool
	// Told: the provider named a cost, which UpstreamCostUSD sums up.
	Told bool

	RequestCount     int64
	PromptTokens     int64
	CompletionTokens int64
	CostUSD          string
	UpstreamCostUSD  string
}

// billingNames are the columns that a BillingRow is by, after the day.
func billingNames() []string {
	names := []string{"provider"}
	for _, column := range []string{"upstream_model", "model", "usage_source", "cost_source", "outcome"} {
		names = append(names, "coalesce("+column+", '')")
	}
	return append(names, "CASE WHEN is_byok THEN '1' ELSE '' END")
}

// Billing implements Store. Each day is a statement of its own, which reads its
// partition alone.
func (l *log) Billing(ctx context.Context, in BillingQuery) (list []BillingRow, err error) {
	days, err := l.spans(ctx, &ReportQuery{Since: in.Since, Until: in.Until, Zone: in.Zone, By: []string{"day"}})
	if err != nil {
		return nil, err
	}
	for _, day := range days {
		rows, err := l.billingOf(ctx, day)
		if err != nil {
			return nil, fmt.Errorf("sum up what providers bill for %s: %w", day.label, err)
		}
		if list = append(list, rows...); len(list) > MaxReportRows {
			return nil, fmt.Errorf("%w: more than %d lines: choose a shorter period", ErrRejected, MaxReportRows)
		}
	}
	return list, nil
}

func (l *log) billingOf(ctx context.Context, day span) ([]BillingRow, error) {
	q := question{d: l.d}
	found, err := l.texts(ctx, billingSQL(&q, day), q.args...)
	if err != nil {
		return nil, err
	}
	list := make([]BillingRow, len(found))
	for i, cells := range found {
		r := &list[i]
		r.Day = day.label
		for j, name := range []*string{&r.Provider, &r.UpstreamModel, &r.Model, &r.UsageSource, &r.CostSource, &r.Outcome} {
			*name = orEmpty(cells[j])
		}
		r.BYOK, r.Told = orEmpty(cells[6]) != "", orEmpty(cells[7]) != ""
		costs := [2]error{}
		r.CostUSD, costs[0] = l.d.money(cells[11])
		r.UpstreamCostUSD, costs[1] = l.d.money(cells[12])
		if err := errors.Join(numbers(cells[8:11], &r.RequestCount, &r.PromptTokens, &r.CompletionTokens), costs[0], costs[1]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func billingSQL(q *question, day span) string {
	upstream := "upstream_" + q.d.costColumn
	groups := append(billingNames(), "CASE WHEN "+upstream+" IS NULL THEN '' ELSE '1' END")
	places := make([]string, len(groups))
	for i := range groups {
		places[i] = strconv.Itoa(i + 1)
	}
	sums := []string{"CAST(count(*) AS TEXT)"}
	for _, column := range []string{"prompt_tokens", "completion_tokens", q.d.costColumn, upstream} {
		sums = append(sums, "CAST(coalesce(sum("+column+"), 0) AS TEXT)")
	}
	q.and("endpoint IS NOT NULL")
	q.since(day.since, ">=")
	q.since(day.until, "<")
	return "SELECT " + strings.Join(slices.Concat(groups, sums), ", ") + " FROM api_logs" + q.clause() +
		" GROUP BY " + strings.Join(places, ", ") + " ORDER BY " + strings.Join(places, ", ") + " LIMIT " + strconv.Itoa(MaxReportRows+1)
}

// MaxBilled limits how many ids are looked up at once.
const MaxBilled = 1000

// BilledRequest is a request that a provider has an id for.
type BilledRequest struct {
	UpstreamID string
	Time       time.Time
	BillingRow
}

// Billed implements Store.
func (l *log) Billed(ctx context.Context, upstreamIDs []string) ([]BilledRequest, error) {
	if len(upstreamIDs) > MaxBilled {
		return nil, fmt.Errorf("%w: more than %d ids", ErrRejected, MaxBilled)
	}
	ids, err := json.Marshal(upstreamIDs)
	if err != nil {
		return nil, err
	}
	q := question{d: l.d}
	cost := "CAST(coalesce(" + q.d.costColumn + ", 0) AS TEXT)"
	columns := slices.Concat([]string{"upstream_id", q.d.column("timestamp", kindSecond)}, billingNames(),
		[]string{"CAST(coalesce(prompt_tokens, 0) AS TEXT)", "CAST(coalesce(completion_tokens, 0) AS TEXT)", cost})
	found, err := l.texts(ctx, "SELECT "+strings.Join(columns, ", ")+" FROM api_logs WHERE endpoint IS NOT NULL AND upstream_id IN ("+q.d.list(q.param(string(ids)))+")", q.args...)
	if err != nil {
		return nil, fmt.Errorf("find requests by the upstream's ids: %w", err)
	}
	list := make([]BilledRequest, len(found))
	for i, cells := range found {
		r := &list[i]
		for j, name := range []*string{&r.Provider, &r.UpstreamModel, &r.Model, &r.UsageSource, &r.CostSource, &r.Outcome} {
			*name = orEmpty(cells[2+j])
		}
		r.UpstreamID, r.BYOK, r.RequestCount = orEmpty(cells[0]), orEmpty(cells[8]) != "", 1
		var noTime, noCost error
		r.Time, noTime = time.Parse(time.RFC3339, orEmpty(cells[1]))
		r.CostUSD, noCost = l.d.money(cells[11])
		if err := errors.Join(numbers(cells[9:11], &r.PromptTokens, &r.CompletionTokens), noTime, noCost); err != nil {
			return nil, err
		}
	}
	return list, nil
}
