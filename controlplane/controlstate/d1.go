package controlstate

import (
	"context"
	"errors"
	"fmt"

	"github.com/hybridinference/gateway/controlplane/d1"
	"github.com/hybridinference/gateway/controlplane/requestlog"
)

// d1Database keeps the state in Cloudflare D1.
type d1Database struct{ client *d1.Client }

func openD1(c d1.Config) (*d1Database, error) {
	client, err := d1.New(c)
	if err != nil {
		return nil, err
	}
	return &d1Database{client}, nil
}

// write is not repeated when its answer is lost: it may have been done.
func (d *d1Database) write(ctx context.Context, batch []statement) ([]int64, error) {
	list := make([]d1.Statement, 0, 2*len(batch))
	for _, s := range batch {
		list = append(list, d1.Statement{SQL: numbered(s.sql), Params: s.args}, d1.Statement{SQL: "SELECT changes() AS n"})
	}
	results, err := d.client.Once(ctx, list...)
	var refused *d1.Error
	if errors.As(err, &refused) && refused.Constraint() {
		return nil, fmt.Errorf("%w: %w", errConstraint, err)
	}
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

func (d *d1Database) read(ctx context.Context, query statement, each func(row) error) error {
	results, err := d.client.Repeat(ctx, d1.Statement{SQL: numbered(query.sql), Params: query.args})
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

func (d *d1Database) migrate(ctx context.Context, list []step) error {
	return requestlog.MigrateD1(ctx, d.client, "control_migrations", len(list), func(i int) (name, text string) { return list[i].name, list[i].sql })
}

func (d *d1Database) close() error { return nil }
