package adminclient

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
)

// StatsQuery selects figures; "" means all models or providers.
type StatsQuery struct {
	Model    string
	Provider string
	Hours    int
}

// StatsRow is what one model did at one provider in one hour. Percentiles are
// nil where the store has none.
type StatsRow struct {
	Hour                  string  `json:"hour"`
	ModelID               string  `json:"model_id"`
	Provider              string  `json:"provider"`
	RequestCount          int64   `json:"request_count"`
	SuccessCount          int64   `json:"success_count"`
	ErrorCount            int64   `json:"error_count"`
	TotalPromptTokens     int64   `json:"total_prompt_tokens"`
	TotalCompletionTokens int64   `json:"total_completion_tokens"`
	TotalTokens           int64   `json:"total_tokens"`
	TotalCostUSD          string  `json:"total_cost_usd,omitempty"`
	AvgLatencyMS          float64 `json:"avg_latency_ms"`
	P50LatencyMS          *int64  `json:"p50_latency_ms,omitempty"`
	P95LatencyMS          *int64  `json:"p95_latency_ms,omitempty"`
	P99LatencyMS          *int64  `json:"p99_latency_ms,omitempty"`
}

// Stats returns hourly figures, newest hour first.
func (c *Client) Stats(ctx context.Context, q StatsQuery) ([]StatsRow, error) {
	query := url.Values{"hours": {strconv.Itoa(q.Hours)}}
	if q.Model != "" {
		query.Set("model", q.Model)
	}
	if q.Provider != "" {
		query.Set("provider", q.Provider)
	}
	var out struct {
		Stats []StatsRow `json:"stats"`
		// Error stands in a good answer when there is no log to count.
		Error string `json:"error"`
	}
	if err := c.do(ctx, call{method: http.MethodGet, path: "stats", query: query}, &out); err != nil {
		return nil, err
	}
	if out.Error != "" {
		return nil, errors.New(out.Error)
	}
	return orEmpty(out.Stats), nil
}
