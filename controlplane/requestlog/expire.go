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

// Expire implements Store by dropping the partitions of whole days: nothing is
// read, and no row is touched. It waits for no one: a partition that is in use
// stays until the next time.
func (p *Postgres) Expire(ctx context.Context, before time.Time) (gone int64, err error) {
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
	if _, err := p.pg.WriteIdempotent(ctx, database.SQL("DELETE FROM api_contents WHERE timestamp < $1", before.UTC().Truncate(day))); err != nil {
		return gone, fmt.Errorf("delete old contents: %w", err)
	}
	return gone, nil
}

// expireSQL deletes some of the oldest rows; request ids begin with their second.
func expireSQL(table string) string {
	return fmt.Sprintf("DELETE FROM %[1]s WHERE request_id IN (SELECT request_id FROM %[1]s WHERE request_id < $1 ORDER BY request_id LIMIT %[2]d)", table, expireChunk)
}

// expiring are the tables, those first that hang on others.
func expiring() []string { return []string{"api_contents", "api_logs"} }

func firstID(at time.Time) string { return fmt.Sprintf("gen-%d-", at.UTC().Truncate(day).Unix()) }

// Expire implements Store: chunk by chunk, and it counts the rows of the log,
// which come last.
func (s *SQLite) Expire(ctx context.Context, before time.Time) (gone int64, err error) {
	for _, table := range expiring() {
		gone = 0
		for {
			changed, err := s.db.WriteIdempotent(ctx, database.SQL(expireSQL(table), firstID(before)))
			if err != nil {
				return gone, fmt.Errorf("delete old rows of %s: %w", table, err)
			}
			if gone += changed[0]; changed[0] < expireChunk {
				break
			}
		}
	}
	return gone, nil
}
