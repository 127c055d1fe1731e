package database

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hybridinference/gateway/controlplane/d1"
)

// D1 is a database of Cloudflare D1, over HTTP.
type D1 struct {
	client    *d1.Client
	condition condition
}

func openD1(c d1.Config) (*D1, error) {
	client, err := d1.New(c)
	if err != nil {
		return nil, err
	}
	return &D1{client: client}, nil
}

// Backend implements DB.
func (d *D1) Backend() string { return BackendD1 }

// CallTimeout implements DB.
func (d *D1) CallTimeout() time.Duration { return slowTimeout }

// Close implements DB.
func (d *D1) Close() error { return nil }

// Ping implements DB.
func (d *D1) Ping(ctx context.Context) error {
	batch, probe := []d1.Statement{{SQL: "SELECT 1 AS one"}}, d.condition.due(time.Now())
	if probe {
		batch = []d1.Statement{
			{SQL: "CREATE TABLE IF NOT EXISTS gateway_write_probe (id INTEGER PRIMARY KEY, at TEXT NOT NULL)"},
			{SQL: "INSERT INTO gateway_write_probe (id, at) VALUES (1, CURRENT_TIMESTAMP) ON CONFLICT (id) DO UPDATE SET at = excluded.at"},
		}
	}
	_, err := d.client.Repeat(ctx, batch...)
	err = classifyD1(err)
	if probe {
		d.condition.tried(err, time.Now())
	}
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return d.condition.now(time.Now())
}

// Write implements DB. It is not repeated when its answer is lost.
func (d *D1) Write(ctx context.Context, batch ...Statement) ([]int64, error) {
	return d.write(ctx, d.client.Once, batch)
}

// WriteIdempotent implements DB.
func (d *D1) WriteIdempotent(ctx context.Context, batch ...Statement) ([]int64, error) {
	return d.write(ctx, d.client.Repeat, batch)
}

type send func(ctx context.Context, batch ...d1.Statement) ([]d1.Result, error)

func (d *D1) write(ctx context.Context, send send, batch []Statement) ([]int64, error) {
	list := make([]d1.Statement, 0, 2*len(batch))
	for _, s := range batch {
		// the number of changes in the answer would count those of triggers
		list = append(list, d1.Statement{SQL: numbered(s.SQL), Params: s.Args}, d1.Statement{SQL: "SELECT changes() AS n"})
	}
	results, err := send(ctx, list...)
	err = classifyD1(err)
	d.condition.wrote(err, time.Now())
	if err != nil {
		return nil, err
	}
	changed := make([]int64, len(batch))
	for i := range batch {
		if err := results[2*i+1].Rows[0].Scan(&changed[i]); err != nil {
			return nil, err
		}
	}
	return changed, nil
}

// Read implements DB.
func (d *D1) Read(ctx context.Context, query Statement, each func(Row) error) error {
	results, err := d.client.Repeat(ctx, d1.Statement{SQL: numbered(query.SQL), Params: query.Args})
	if err != nil {
		return err
	}
	for _, r := range results[0].Rows {
		if err := each(r); err != nil {
			return err
		}
	}
	return nil
}

// Migrate implements DB. Each step is one transaction, which begins with the
// step's record: of several that try at once, all but one find it there.
func (d *D1) Migrate(ctx context.Context, m Migrations) error {
	list, err := m.steps()
	if err != nil {
		return err
	}
	last, err := d.lastStep(ctx, d1.Statement{SQL: m.create()}, d1.Statement{SQL: m.last()})
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	for _, s := range missing(list, last) {
		if err := d.step(ctx, m, s); err != nil {
			return fmt.Errorf("migrate: step %d (%s): %w", s.version, s.name, err)
		}
	}
	return nil
}

// lastStep runs a batch whose last statement asks for the last step.
func (d *D1) lastStep(ctx context.Context, batch ...d1.Statement) (last int, err error) {
	found, err := d.client.Repeat(ctx, batch...)
	if err != nil {
		return 0, err
	}
	err = found[len(batch)-1].Rows[0].Scan(&last)
	return last, err
}

func (d *D1) step(ctx context.Context, m Migrations, s step) error {
	record := m.record(s)
	batch := []d1.Statement{{SQL: numbered(record.SQL), Params: record.Args}}
	for _, one := range split(s.sql) {
		batch = append(batch, d1.Statement{SQL: one})
	}
	_, err := d.client.Repeat(ctx, batch...)
	if errors.Is(classifyD1(err), ErrConstraint) {
		// another process, or an attempt of ours whose answer was lost
		if last, readErr := d.lastStep(ctx, d1.Statement{SQL: m.last()}); readErr == nil && last >= s.version {
			return nil
		}
	}
	return err
}

func classifyD1(err error) error {
	var refused *d1.Error
	switch {
	case !errors.As(err, &refused):
		return err
	case refused.Duplicate():
		return fmt.Errorf("%w: %w", ErrConstraint, err)
	case refused.Data():
		return fmt.Errorf("%w: %w", ErrRejected, err)
	case refused.Full():
		return fmt.Errorf("%w: %w", ErrFull, err)
	case refused.ReadOnly():
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	case refused.Unwritable():
		return fmt.Errorf("%w: %w", errUnwritable, err)
	}
	return err
}
