package requestlog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/d1"
)

// D1 is the request log in Cloudflare D1: SQLite's tables and statements, over HTTP.
type D1 struct {
	client *d1.Client
	insert jsonInsert
}

// OpenD1 checks the settings; the service need not answer.
func OpenD1(c d1.Config) (*D1, error) {
	client, err := d1.New(c)
	if err != nil {
		return nil, err
	}
	return &D1{client: client, insert: newJSONInsert()}, nil
}

// Migrate implements Store. Each step is one transaction, which begins with
// the step's record: of several that try at once, all but one find it there.
func (s *D1) Migrate(ctx context.Context) error {
	list, err := migrations("sqlite")
	if err != nil {
		return err
	}
	return MigrateD1(ctx, s.client, "schema_migrations", len(list), func(i int) (name, text string) { return list[i].name, list[i].sql })
}

// MigrateD1 runs the steps that table does not have yet.
func MigrateD1(ctx context.Context, client *d1.Client, table string, steps int, step func(i int) (name, text string)) error {
	create := "CREATE TABLE IF NOT EXISTS " + table + " (version INTEGER PRIMARY KEY, name TEXT NOT NULL)"
	found, err := client.Repeat(ctx, d1.Statement{SQL: create}, d1.Statement{SQL: "SELECT coalesce(max(version), 0) AS version FROM " + table})
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	var done int
	if err := found[1].Rows[0].Scan(&done); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	for i := done; i < steps; i++ {
		name, text := step(i)
		batch := []d1.Statement{{SQL: "INSERT INTO " + table + " (version, name) VALUES (?1, ?2)", Params: []any{i + 1, name}}}
		for _, one := range statements(text) {
			batch = append(batch, d1.Statement{SQL: one})
		}
		_, err := client.Repeat(ctx, batch...)
		var refused *d1.Error
		if errors.As(err, &refused) && refused.Constraint() {
			continue // somebody else, or an attempt of ours whose answer was lost
		}
		if err != nil {
			return fmt.Errorf("migrate: step %d (%s): %w", i+1, name, err)
		}
	}
	return nil
}

// statements splits a migration: a statement ends with a semicolon at the end
// of a line, a trigger with the line "END;".
func statements(text string) (list []string) {
	var one strings.Builder
	trigger := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "--") || strings.TrimSpace(line) == "" {
			continue
		}
		trigger = trigger || strings.HasPrefix(line, "CREATE TRIGGER")
		one.WriteString(line)
		end := strings.TrimSpace(line)
		if trigger && end == "END;" || !trigger && strings.HasSuffix(end, ";") {
			list = append(list, strings.TrimSuffix(strings.TrimSpace(one.String()), ";"))
			one.Reset()
			trigger = false
		}
	}
	return list
}

// Insert implements Store.
func (s *D1) Insert(ctx context.Context, rows []*Row) (int, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	batch := []d1.Statement{
		{SQL: s.insert.sql, Params: []any{string(appendRows(nil, rows))}},
		// the number of changes in the answer would count the trigger's, too
		{SQL: "SELECT changes() AS n"},
	}
	if contents := withContent(rows); len(contents) > 0 {
		batch = append(batch, d1.Statement{SQL: sqliteContentSQL, Params: []any{string(appendContents(nil, contents))}})
	}
	results, err := s.client.Repeat(ctx, batch...)
	if err != nil {
		return 0, fmt.Errorf("insert %d rows: %w", len(rows), classifyD1(err))
	}
	var n int
	if err := results[1].Rows[0].Scan(&n); err != nil {
		return 0, fmt.Errorf("count inserted rows: %w", err)
	}
	return n, nil
}

func classifyD1(err error) error {
	var refused *d1.Error
	if errors.As(err, &refused) && refused.Data() {
		return fmt.Errorf("%w: %w", ErrRejected, err)
	}
	return err
}

// Stats implements Store.
func (s *D1) Stats(ctx context.Context, q StatsQuery) ([]StatsRow, error) {
	since := q.Since.UTC().Truncate(time.Hour).Format(time.RFC3339)
	results, err := s.client.Repeat(ctx, d1.Statement{SQL: sqliteStatsSQL, Params: []any{since, q.Model, q.Provider, MaxStatsRows}})
	if err != nil {
		return nil, fmt.Errorf("read roll-ups: %w", err)
	}
	var list []StatsRow
	for _, row := range results[0].Rows {
		r, err := scanSQLiteStats(row)
		if err != nil {
			return nil, fmt.Errorf("read roll-ups: %w", err)
		}
		list = append(list, r)
	}
	return list, nil
}

// Health implements Store.
func (s *D1) Health(ctx context.Context) error {
	if _, err := s.client.Repeat(ctx, d1.Statement{SQL: "SELECT 1 AS one"}); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return nil
}

// Close implements Store.
func (s *D1) Close() error { return nil }
