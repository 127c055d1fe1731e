// Package requestlog keeps the request log: one row per usage event in api_logs and
// hourly roll-ups beside it, in PostgreSQL, SQLite or Cloudflare D1.
//
// Every store gives the same promise, held by the suite in requestlogtest: a batch
// is committed whole or not at all, a row whose request_id is there already is
// skipped, and the roll-ups count exactly the rows that are in api_logs. An
// event may therefore be inserted any number of times, by any number of
// collectors, before and after any crash.
package requestlog

import (
	"context"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
)

// Store is a request log. Its methods may be called side by side.
type Store interface {
	// Migrate brings the tables up to this program's version. Programs that
	// call it at once take turns; a database that is ahead is left alone.
	Migrate(ctx context.Context) error
	// Insert commits rows and returns how many were new. An error that wraps
	// ErrRejected is the fault of some row and comes back on every attempt;
	// any other is worth another attempt, which is safe even if the first was
	// committed after all.
	Insert(ctx context.Context, rows []*Row) (inserted int, err error)
	// Stats returns hourly figures, newest hour first, at most MaxStatsRows.
	Stats(ctx context.Context, q StatsQuery) ([]StatsRow, error)
	// Logs returns rows of the log, newest first or, after an id, oldest first.
	Logs(ctx context.Context, q LogQuery) ([]LogRow, error)
	// Content returns what was asked and answered, nil if it is not kept.
	Content(ctx context.Context, requestID string) (*Content, error)
	// Usage sums up since a moment by one of UsageBy, the most requests first.
	Usage(ctx context.Context, since time.Time, by string) ([]UsageRow, error)
	// Hours counts rows by the hour, oldest first: two stores are compared by it.
	Hours(ctx context.Context, since, until time.Time) ([]Hour, error)
	// Gaps finds events of nodes that have no row, the first hundred.
	Gaps(ctx context.Context, since, until time.Time) ([]Gap, error)
	// Expire removes the rows of the days before that moment's day and returns
	// about how many they were. The roll-ups stay.
	Expire(ctx context.Context, before time.Time) (gone int64, err error)
	// Health reports whether the database answers.
	Health(ctx context.Context) error
}

// ErrRejected is wrapped by errors that the data causes: a value out of range,
// a violated constraint. A retry cannot help; smaller batches find the row.
var ErrRejected = database.ErrRejected

// MaxStatsRows bounds the answer to a StatsQuery.
const MaxStatsRows = 1000

// StatsQuery selects roll-ups.
type StatsQuery struct {
	// Since is the start of the period. The hour it falls into is included
	// whole, since a roll-up cannot be cut.
	Since time.Time
	// Model and Provider select exact values; "" means all.
	Model, Provider string
}

// StatsRow is what one model did at one provider in one hour. Success means a
// status below 400. Percentiles come from a histogram and are exact below
// 32 ms, within 6 % above.
type StatsRow struct {
	Hour                  time.Time `json:"hour"`
	ModelID               string    `json:"model_id"`
	Provider              string    `json:"provider"`
	RequestCount          int64     `json:"request_count"`
	SuccessCount          int64     `json:"success_count"`
	ErrorCount            int64     `json:"error_count"`
	TotalPromptTokens     int64     `json:"total_prompt_tokens"`
	TotalCompletionTokens int64     `json:"total_completion_tokens"`
	TotalTokens           int64     `json:"total_tokens"`
	// TotalCostUSD is an exact decimal.
	TotalCostUSD string  `json:"total_cost_usd"`
	AvgLatencyMS float64 `json:"avg_latency_ms"`
	P50LatencyMS int64   `json:"p50_latency_ms"`
	P95LatencyMS int64   `json:"p95_latency_ms"`
	P99LatencyMS int64   `json:"p99_latency_ms"`
}
