package requestlog

import (
	"context"
	"slices"
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

// Usage implements Store.
func (l *log) Usage(ctx context.Context, since time.Time, by string) ([]UsageRow, error) {
	found, err := l.Report(ctx, ReportQuery{Since: since, By: []string{by}})
	if err != nil {
		return nil, err
	}
	list := make([]UsageRow, len(found))
	for i, r := range found {
		list[i] = UsageRow{*r.column(by), r.RequestCount, r.ErrorCount, r.PromptTokens, r.CompletionTokens, r.TotalTokens, r.CostUSD}
	}
	// the most requests first; equal ones by name
	slices.SortStableFunc(list, func(a, b UsageRow) int { return int(min(1, max(-1, b.RequestCount-a.RequestCount))) })
	return list, nil
}
