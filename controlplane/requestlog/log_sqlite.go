package requestlog

import (
	"context"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/d1"
)

// sqliteDialect is D1's, too.
func sqliteDialect() dialect {
	return dialect{
		param: "?", pico: true,
		column: func(name string, k kind) string {
			switch k {
			case kindMoney:
				return "CAST(" + strings.TrimSuffix(name, "usd") + "pico AS TEXT)"
			case kindInt:
				return "CAST(" + name + " AS TEXT)"
			default:
				return name
			}
		},
		moment: func(param string) string { return param },
		hour:   "substr(timestamp, 1, 13) || ':00:00Z'",
		cost:   "CAST(coalesce(sum(cost_pico), 0) AS TEXT)",
	}
}

func (s *SQLite) dialect() dialect { return sqliteDialect() }

func (s *SQLite) texts(ctx context.Context, query string, args ...string) (table [][]*string, err error) {
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a
	}
	rows, err := s.reader.QueryContext(ctx, query, values...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // reading is over; Err has told what went wrong
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		cells := make([]*string, len(columns))
		into := make([]any, len(columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		table = append(table, cells)
	}
	return table, rows.Err()
}

// Logs implements Store.
func (s *SQLite) Logs(ctx context.Context, q LogQuery) ([]LogRow, error) { return readLog(ctx, s, q) }

// Usage implements Store.
func (s *SQLite) Usage(ctx context.Context, since time.Time, by string) ([]UsageRow, error) {
	return readUsage(ctx, s, since, by)
}

// Hours implements Store.
func (s *SQLite) Hours(ctx context.Context, since, until time.Time) ([]Hour, error) {
	return readHours(ctx, s, since, until)
}

// Gaps implements Store.
func (s *SQLite) Gaps(ctx context.Context, since, until time.Time) ([]Gap, error) {
	return readGaps(ctx, s, since, until)
}

func (s *D1) dialect() dialect { return sqliteDialect() }

func (s *D1) texts(ctx context.Context, query string, args ...string) (table [][]*string, err error) {
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a
	}
	results, err := s.client.Repeat(ctx, d1.Statement{SQL: query, Params: values})
	if err != nil {
		return nil, err
	}
	for _, row := range results[0].Rows {
		cells := make([]*string, len(row))
		into := make([]any, len(row))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := row.Scan(into...); err != nil {
			return nil, err
		}
		table = append(table, cells)
	}
	return table, nil
}

// Logs implements Store.
func (s *D1) Logs(ctx context.Context, q LogQuery) ([]LogRow, error) { return readLog(ctx, s, q) }

// Usage implements Store.
func (s *D1) Usage(ctx context.Context, since time.Time, by string) ([]UsageRow, error) {
	return readUsage(ctx, s, since, by)
}

// Hours implements Store.
func (s *D1) Hours(ctx context.Context, since, until time.Time) ([]Hour, error) {
	return readHours(ctx, s, since, until)
}

// Gaps implements Store.
func (s *D1) Gaps(ctx context.Context, since, until time.Time) ([]Gap, error) {
	return readGaps(ctx, s, since, until)
}
