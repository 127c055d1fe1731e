package requestlog

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// KeySpending is what a key has cost, exact decimals in USD, and when it was
// used last. Days, weeks (from Monday) and months are UTC's.
type KeySpending struct {
	Key                     string
	Total, Day, Week, Month string
	LastUsed                time.Time
}

// Spending implements Store.
func (l *log) Spending(ctx context.Context, now time.Time) ([]KeySpending, error) {
	list, err := l.spending(ctx, now.UTC())
	if err != nil {
		return nil, fmt.Errorf("sum up spending: %w", err)
	}
	return list, nil
}

func (l *log) spending(ctx context.Context, now time.Time) ([]KeySpending, error) {
	q := question{d: l.d}
	day := now.Truncate(24 * time.Hour)
	week := day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	columns := []string{"key_id", l.d.column("max(last_second)", kindSecond), "CAST(sum(" + l.d.costColumn + ") AS TEXT)"}
	for _, since := range []time.Time{day, week, month} {
		columns = append(columns, "CAST(sum(CASE WHEN slot >= "+l.d.moment(q.param(since.Format(time.RFC3339)))+" THEN "+l.d.costColumn+" ELSE 0 END) AS TEXT)")
	}
	found, err := l.texts(ctx, "SELECT "+strings.Join(columns, ", ")+" FROM api_usage WHERE key_id <> '' GROUP BY key_id ORDER BY key_id", q.args...)
	if err != nil {
		return nil, err
	}
	list := make([]KeySpending, len(found))
	for i, cells := range found {
		k := KeySpending{Key: orEmpty(cells[0])}
		if k.LastUsed, err = time.Parse(time.RFC3339, orEmpty(cells[1])); err != nil {
			return nil, err
		}
		for j, into := range []*string{&k.Total, &k.Day, &k.Week, &k.Month} {
			if *into, err = l.d.money(cells[2+j]); err != nil {
				return nil, err
			}
		}
		list[i] = k
	}
	return list, nil
}
