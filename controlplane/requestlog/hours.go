package requestlog

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// Hour is what the log holds of one hour, counted from its rows.
type Hour struct {
	Hour   string `json:"hour"`
	Rows   int64  `json:"rows"`
	Tokens int64  `json:"tokens"`
	// CostUSD is an exact decimal.
	CostUSD string `json:"cost_usd"`
}

// Gap is a run of numbers of a node's events that have no rows.
type Gap struct {
	Node  string `json:"node"`
	Epoch string `json:"epoch"`
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// Hours implements Store.
func (l *log) Hours(ctx context.Context, since, until time.Time) ([]Hour, error) {
	q := question{d: l.d}
	q.since(since, ">=")
	q.since(until, "<")
	found, err := l.texts(ctx, "SELECT "+q.d.hour+" AS h, CAST(count(*) AS TEXT) AS n, CAST(coalesce(sum(total_tokens), 0) AS TEXT) AS t, "+q.d.cost+
		" AS m FROM api_logs"+q.clause()+" GROUP BY 1 ORDER BY 1", q.args...)
	if err != nil {
		return nil, fmt.Errorf("count the log: %w", err)
	}
	list := make([]Hour, len(found))
	for i, cells := range found {
		h := Hour{Hour: orEmpty(cells[0])}
		if err := numbers(cells[1:3], &h.Rows, &h.Tokens); err != nil {
			return nil, fmt.Errorf("count the log: %w", err)
		}
		if h.CostUSD, err = q.d.money(cells[3]); err != nil {
			return nil, fmt.Errorf("count the log: %w", err)
		}
		list[i] = h
	}
	return list, nil
}

// maxGaps limits the answer of a search for gaps.
const maxGaps = 1000

// Gaps implements Store.
func (l *log) Gaps(ctx context.Context, since, until time.Time) ([]Gap, error) {
	q := question{d: l.d}
	q.and("seq IS NOT NULL")
	q.since(since, ">=")
	q.since(until, "<")
	erased := question{d: l.d, args: q.args}
	if !since.IsZero() {
		erased.and("last_time >= " + l.d.moment(erased.param(isoTime(since))))
	}
	if !until.IsZero() {
		erased.and("first_time < " + l.d.moment(erased.param(isoTime(until))))
	}
	// erased numbers are accounted for, as runs
	found, err := l.texts(ctx, "SELECT node, spool_epoch, CAST(last_seq + 1 AS TEXT) AS f, CAST(following - 1 AS TEXT) AS l FROM ("+
		"SELECT node, spool_epoch, last_seq, lead(first_seq) OVER (PARTITION BY node, spool_epoch ORDER BY first_seq) AS following FROM ("+
		"SELECT node, spool_epoch, seq AS first_seq, seq AS last_seq FROM api_logs"+q.clause()+" UNION ALL SELECT node, spool_epoch, first_seq, last_seq FROM api_erased"+erased.clause()+
		") AS r) AS s WHERE following > last_seq + 1 ORDER BY node, spool_epoch, last_seq LIMIT "+strconv.Itoa(maxGaps), erased.args...)
	if err != nil {
		return nil, fmt.Errorf("look for gaps: %w", err)
	}
	list := make([]Gap, len(found))
	for i, cells := range found {
		var first, last int64
		if err := numbers(cells[2:4], &first, &last); err != nil {
			return nil, fmt.Errorf("look for gaps: %w", err)
		}
		list[i] = Gap{Node: orEmpty(cells[0]), Epoch: orEmpty(cells[1]), First: uint64(first), Last: uint64(last)}
	}
	return list, nil
}
