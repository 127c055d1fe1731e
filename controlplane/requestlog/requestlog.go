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
	// StatsOf returns the figures of a period by one of StatsBy.
	StatsOf(ctx context.Context, q StatsQuery, by string) ([]GroupStats, error)
	// Series returns figures over time.
	Series(ctx context.Context, q SeriesQuery) (Series, error)
	// Logs returns rows of the log, newest first or, after an id, oldest first.
	Logs(ctx context.Context, q LogQuery) ([]LogRow, error)
	// Content returns what was asked and answered, nil if it is not kept.
	Content(ctx context.Context, requestID string) (*Content, error)
	// Report sums up a period by up to three of ReportBy.
	Report(ctx context.Context, q ReportQuery) ([]ReportRow, error)
	// Billing sums up a period as providers bill it: by day and upstream model, and
	// by what explains differences.
	Billing(ctx context.Context, q BillingQuery) ([]BillingRow, error)
	// Billed finds up to MaxBilled requests by the ids that providers gave them.
	Billed(ctx context.Context, upstreamIDs []string) ([]BilledRequest, error)
	// Spending tells what each key has cost, and when it was used last.
	Spending(ctx context.Context, now time.Time) ([]KeySpending, error)
	// SpendingOf tells it of one key, or in sum of all requests for "".
	SpendingOf(ctx context.Context, now time.Time, key string) (KeySpending, error)
	// Shadows compares shadows with the requests that they are copies of.
	Shadows(ctx context.Context, q ShadowQuery) ([]ShadowComparison, error)
	// Hours counts rows by the hour, oldest first: two stores are compared by it.
	Hours(ctx context.Context, since, until time.Time) ([]Hour, error)
	// Gaps finds events of nodes that have no row, the first thousand.
	Gaps(ctx context.Context, since, until time.Time) ([]Gap, error)
	// Expire removes what is too old, by whole days, and returns about how many
	// rows of the log that were.
	Expire(ctx context.Context, before Cutoffs) (gone int64, err error)
	// Erase removes or pseudonymises someone's requests from a moment on, as far
	// as it comes until ctx ends, and remembers that events which come later are
	// to be erased, too.
	Erase(ctx context.Context, e Erasure, from time.Time) (Erased, error)
	// CountErasure counts what Erase would do.
	CountErasure(ctx context.Context, e Erasure) (Erased, error)
	// EraseLate erases what has come since the erasures of the last EraseTime, and
	// returns how many rows that were.
	EraseLate(ctx context.Context) (rows int64, err error)
	// Reprice computes the costs of a batch of rows anew, and corrects the roll-ups
	// by the difference, in one transaction. What a row cost at first stays in it.
	// A batch that is repeated changes nothing.
	Reprice(ctx context.Context, q RepriceQuery) (Repriced, error)
	// SumUp sums up past days, where that makes Series faster. It is to be called now and then; until it was, and
	// after changes of a past day, Series reads more.
	SumUp(ctx context.Context, now time.Time) error
	// Health reports whether the database answers.
	Health(ctx context.Context) error
}

// Cutoffs are the moments before whose days rows of the log, contents and
// roll-ups are removed; zero keeps them. Contents do not outlive their rows.
type Cutoffs struct{ Rows, Contents, Rollups time.Time }

// ErrRejected is wrapped by errors that the data causes: a value out of range,
// a violated constraint. A retry cannot help; smaller batches find the row.
var ErrRejected = database.ErrRejected
