package requestlog

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hybridinference/gateway/controlplane/database"
)

// expireChunk is how many rows SQLite and D1 delete at a time: others wait for
// a writer, and D1 bounds a statement's time.
const expireChunk = 5000

// contents is the later one of the moments before which contents go.
func (c Cutoffs) contents() time.Time {
	if c.Rows.After(c.Contents) {
		return c.Rows
	}
	return c.Contents
}

// Expire implements Store.
func (p *Postgres) Expire(ctx context.Context, before Cutoffs) (gone int64, err error) {
	if !before.Rows.IsZero() {
		if gone, err = p.dropDays(ctx, before.Rows); err != nil {
			return gone, err
		}
	}
	if at := before.contents(); !at.IsZero() {
		if _, err := p.pg.WriteIdempotent(ctx, database.SQL("DELETE FROM api_contents WHERE timestamp < $1", at.UTC().Truncate(day))); err != nil {
			return gone, fmt.Errorf("delete old contents: %w", err)
		}
	}
	if err := p.expireNumbers(ctx, before); err != nil || before.Rollups.IsZero() {
		return gone, err
	}
	_, err = p.pg.WriteIdempotent(ctx, database.SQL("DELETE FROM api_ttft_daily WHERE day < $1", before.Rollups.UTC().Truncate(day)))
	return gone, err
}

// expireNumbers removes old roll-ups, a day at a time, and the records of erased
// rows that would be too old by now.
func (l *log) expireNumbers(ctx context.Context, before Cutoffs) error {
	if !before.Rows.IsZero() {
		if _, err := l.db.WriteIdempotent(ctx, database.SQL("DELETE FROM api_erased WHERE last_time < "+l.d.moment("$1"), isoTime(before.Rows.UTC().Truncate(day)))); err != nil {
			return fmt.Errorf("delete old records of erased rows: %w", err)
		}
	}
	if before.Rollups.IsZero() {
		return nil
	}
	end := before.Rollups.UTC().Truncate(day)
	for _, t := range []struct{ table, column string }{{"api_usage", "slot"}, {"api_latency", "hour"}, {"api_stats_hourly", "hour"}} {
		if err := l.expireDays(ctx, t.table, t.column, end); err != nil {
			return fmt.Errorf("delete old rows of %s: %w", t.table, err)
		}
	}
	return nil
}

func (l *log) expireDays(ctx context.Context, table, column string, end time.Time) error {
	for {
		found, err := l.texts(ctx, "SELECT "+l.d.column("min("+column+")", kindSecond)+" FROM "+table)
		if err != nil || found[0][0] == nil {
			return err
		}
		oldest, err := time.Parse(time.RFC3339, *found[0][0])
		if err != nil || !oldest.Before(end) {
			return err
		}
		next := isoTime(oldest.UTC().Truncate(day).Add(day))
		if _, err := l.db.WriteIdempotent(ctx, database.SQL("DELETE FROM "+table+" WHERE "+column+" < "+l.d.moment("$1"), next)); err != nil {
			return err
		}
	}
}

// dropDays drops the partitions of whole days: nothing is read, and no row is
// touched. It waits for no one: a partition that is in use stays until the next
// time.
func (p *Postgres) dropDays(ctx context.Context, before time.Time) (gone int64, err error) {
	const find = `SELECT c.relname, coalesce(s.n_live_tup, 0) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
		WHERE i.inhparent = 'api_logs'::regclass AND c.relname ~ '^api_logs_[0-9]{8}$' AND c.relname < $1 ORDER BY 1`
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	type partition struct {
		name string
		rows int64
	}
	var old []partition
	err = p.pg.Read(ctx, database.SQL(find, "api_logs_"+before.UTC().Format("20060102")), func(row database.Row) error {
		var d partition
		err := row.Scan(&d.name, &d.rows)
		old = append(old, d)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("find old partitions: %w", err)
	}
	for _, d := range old {
		err := p.pg.Tx(ctx, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "SELECT set_config('lock_timeout', '2000', true), pg_advisory_xact_lock($1, $2)", int32(lockClass), int32(lockPartitions)); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "DROP TABLE IF EXISTS "+pgx.Identifier{d.name}.Sanitize())
			return err
		})
		if err != nil {
			return gone, fmt.Errorf("drop partition %s: %w", d.name, err)
		}
		gone += d.rows
	}
	if len(old) > 0 {
		p.days.forget()
	}
	return gone, nil
}

// expireSQL deletes some of the oldest rows; request ids begin with their second.
func expireSQL(table string) string {
	return fmt.Sprintf("DELETE FROM %[1]s WHERE request_id IN (SELECT request_id FROM %[1]s WHERE request_id < $1 ORDER BY request_id LIMIT %[2]d)", table, expireChunk)
}

func firstID(at time.Time) string { return fmt.Sprintf("gen-%d-", at.UTC().Truncate(day).Unix()) }

// Expire implements Store, chunk by chunk. Contents go first, which hang on rows.
func (s *SQLite) Expire(ctx context.Context, before Cutoffs) (gone int64, err error) {
	if _, err := s.expireRows(ctx, "api_contents", before.contents()); err != nil {
		return 0, err
	}
	if gone, err = s.expireRows(ctx, "api_logs", before.Rows); err != nil {
		return gone, err
	}
	return gone, s.expireNumbers(ctx, before)
}

func (s *SQLite) expireRows(ctx context.Context, table string, before time.Time) (gone int64, err error) {
	for !before.IsZero() {
		changed, err := s.db.WriteIdempotent(ctx, database.SQL(expireSQL(table), firstID(before)))
		if err != nil {
			return gone, fmt.Errorf("delete old rows of %s: %w", table, err)
		}
		if gone += changed[0]; changed[0] < expireChunk {
			break
		}
	}
	return gone, nil
}
