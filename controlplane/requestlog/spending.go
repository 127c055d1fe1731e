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

// Pico returns the costs in pico-dollars.
func (k *KeySpending) Pico() (total, day, week, month int64, err error) {
	for _, f := range []struct {
		text string
		into *int64
	}{{k.Total, &total}, {k.Day, &day}, {k.Week, &week}, {k.Month, &month}} {
		if *f.into, err = parsePico(f.text); err != nil {
			return 0, 0, 0, 0, err
		}
	}
	return total, day, week, month, nil
}

// Spending implements Store.
func (l *log) Spending(ctx context.Context, now time.Time) ([]KeySpending, error) {
	q := question{d: l.d}
	_, _, name := spendingSource(&q)
	q.and(name + " <> ''")
	return l.spending(ctx, &q, name, now.UTC())
}

// SpendingOf implements Store.
func (l *log) SpendingOf(ctx context.Context, now time.Time, key string) (KeySpending, error) {
	q := question{d: l.d}
	name := "''"
	if key != "" {
		_, _, name = spendingSource(&q)
		q.and(name + " = " + q.param(key))
	}
	list, err := l.spending(ctx, &q, name, now.UTC())
	if err != nil || len(list) == 0 {
		return KeySpending{Key: key, Total: "0", Day: "0", Week: "0", Month: "0"}, err
	}
	return list[0], nil
}

// spendingSource is what spending is read from: the table, and its columns of time and key.
func spendingSource(q *question) (table, moment, key string) {
	if q.d.byHour {
		return "api_usage_by", "hour", "name"
	}
	return "api_usage", "slot", "key_id"
}

func (l *log) spending(ctx context.Context, q *question, name string, now time.Time) ([]KeySpending, error) {
	day := now.Truncate(24 * time.Hour)
	week := day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	table, moment, _ := spendingSource(q)
	if l.d.byHour {
		q.and("dimension = 'key'")
	}
	columns := []string{name + " AS k", l.d.column("max(last_second)", kindSecond), "CAST(sum(" + l.d.costColumn + ") AS TEXT)"}
	for _, since := range []time.Time{day, week, month} {
		columns = append(columns, "CAST(sum(CASE WHEN "+moment+" >= "+l.d.moment(q.param(since.Format(time.RFC3339)))+" THEN "+l.d.costColumn+" ELSE 0 END) AS TEXT)")
	}
	found, err := l.texts(ctx, "SELECT "+strings.Join(columns, ", ")+" FROM "+table+q.clause()+" GROUP BY 1 ORDER BY 1", q.args...)
	if err != nil {
		return nil, fmt.Errorf("sum up spending: %w", err)
	}
	list := make([]KeySpending, len(found))
	for i, cells := range found {
		k := KeySpending{Key: orEmpty(cells[0])}
		if k.LastUsed, err = time.Parse(time.RFC3339, orEmpty(cells[1])); err != nil {
			return nil, fmt.Errorf("sum up spending: %w", err)
		}
		for j, into := range []*string{&k.Total, &k.Day, &k.Week, &k.Month} {
			if *into, err = l.d.money(cells[2+j]); err != nil {
				return nil, fmt.Errorf("sum up spending: %w", err)
			}
		}
		list[i] = k
	}
	return list, nil
}
