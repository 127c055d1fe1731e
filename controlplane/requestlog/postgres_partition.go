package requestlog

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Advisory locks of the gateway: the class, and one number per purpose.
const (
	lockClass      = 0x67617465 // "gate"
	lockPartitions = 2
)

const day = 24 * time.Hour

// knownDays remembers which days have a partition.
type knownDays struct {
	mu   sync.Mutex
	days map[time.Time]bool
}

// missing returns the days of rows that are not known, without repetition.
func (k *knownDays) missing(rows []*Row) []time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	var list []time.Time
	var last time.Time
	for _, r := range rows {
		d := r.timestamp().Truncate(day)
		if d.Equal(last) || k.days[d] {
			continue
		}
		last = d
		list = append(list, d)
	}
	return list
}

func (k *knownDays) add(days ...time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.days == nil {
		k.days = make(map[time.Time]bool)
	}
	for _, d := range days {
		k.days[d] = true
	}
}

func (k *knownDays) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.days = nil
}

// ensureDays makes the partitions that rows need.
func (p *Postgres) ensureDays(ctx context.Context, rows []*Row) error {
	days := p.days.missing(rows)
	if len(days) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	err := p.pg.Tx(ctx, func(tx pgx.Tx) error { return makePartitions(ctx, tx, days) })
	if err != nil {
		return fmt.Errorf("make partitions of api_logs: %w", err)
	}
	p.days.add(days...)
	return nil
}

// makePartitions makes the partitions of days that have none. The table is made
// first and attached then: CREATE TABLE ... PARTITION OF would lock the log
// against all readers and writers.
func makePartitions(ctx context.Context, tx pgx.Tx, days []time.Time) error {
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1, $2)", int32(lockClass), int32(lockPartitions)); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	for _, d := range days {
		if err := makePartition(ctx, tx, d); err != nil {
			return fmt.Errorf("%s: %w", d.Format(time.DateOnly), err)
		}
	}
	return nil
}

func makePartition(ctx context.Context, tx pgx.Tx, d time.Time) error {
	name := "api_logs_" + d.Format("20060102")
	var exists bool
	if err := tx.QueryRow(ctx, "SELECT to_regclass($1::text) IS NOT NULL", name).Scan(&exists); err != nil {
		return err
	}
	if exists {
		return nil
	}
	const bound = "2006-01-02 15:04:05+00"
	_, err := tx.Exec(ctx, fmt.Sprintf(`CREATE TABLE %[1]s (LIKE api_logs INCLUDING ALL)`, name))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, fmt.Sprintf(`ALTER TABLE api_logs ATTACH PARTITION %s FOR VALUES FROM ('%s') TO ('%s')`,
		name, d.Format(bound), d.Add(day).Format(bound)))
	return err
}
