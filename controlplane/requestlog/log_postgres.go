package requestlog

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// texts runs a statement within the time limit. All parameters are text.
func (p *Postgres) texts(ctx context.Context, sql string, args ...string) ([][]*string, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a
	}
	rows, err := p.pool.Query(ctx, sql, values...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]*string, error) {
		cells := make([]*string, len(row.FieldDescriptions()))
		into := make([]any, len(cells))
		for i := range cells {
			into[i] = &cells[i]
		}
		return cells, row.Scan(into...)
	})
}

func (p *Postgres) dialect() dialect {
	const iso = `'YYYY-MM-DD"T"HH24:MI:SS"Z"'`
	return dialect{
		param: "$",
		column: func(name string, k kind) string {
			switch k {
			case kindSecond:
				return "to_char(" + name + " AT TIME ZONE 'UTC', " + iso + ")"
			case kindMicro:
				return "to_char(" + name + ` AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
			case kindText:
				return name
			default:
				return name + "::text"
			}
		},
		moment: func(param string) string { return param + "::text::timestamptz" },
		hour:   "to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:00:00\"Z\"')",
		cost:   "coalesce(sum(cost_usd), 0)::text",
		rolled: true,
	}
}

// Logs implements Store.
func (p *Postgres) Logs(ctx context.Context, q LogQuery) ([]LogRow, error) { return readLog(ctx, p, q) }

// Usage implements Store.
func (p *Postgres) Usage(ctx context.Context, since time.Time, by string) ([]UsageRow, error) {
	return readUsage(ctx, p, since, by)
}

// Hours implements Store.
func (p *Postgres) Hours(ctx context.Context, since, until time.Time) ([]Hour, error) {
	return readHours(ctx, p, since, until)
}

// Gaps implements Store.
func (p *Postgres) Gaps(ctx context.Context, since, until time.Time) ([]Gap, error) {
	return readGaps(ctx, p, since, until)
}
