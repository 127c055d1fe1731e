package database

import (
	"fmt"
	"hash/fnv"
	"io/fs"
	"strconv"
	"strings"
)

// Migrations are the steps that make a set of tables, in one SQL dialect. They
// only ever add: the database is upgraded first, so the older program works on
// the newer tables.
type Migrations struct {
	// Table records which steps have been run.
	Table string
	// Files are the steps, <version>_<name>.sql, from version 1 without a gap.
	Files fs.FS
}

type step struct {
	version int
	name    string
	sql     string
}

// steps returns all in ascending order.
func (m Migrations) steps() ([]step, error) {
	files, err := fs.Glob(m.Files, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	list := make([]step, 0, len(files))
	for i, file := range files { // Glob sorts
		text, err := fs.ReadFile(m.Files, file)
		if err != nil {
			return nil, fmt.Errorf("read migration: %w", err)
		}
		number, name, _ := strings.Cut(strings.TrimSuffix(file, ".sql"), "_")
		if version, err := strconv.Atoi(number); err != nil || version != i+1 {
			return nil, fmt.Errorf("BUG: migration %s of %s is not number %d", file, m.Table, i+1)
		}
		list = append(list, step{i + 1, name, string(text)})
	}
	return list, nil
}

// missing returns the steps after the last one that was run; none when the
// database is ahead of this program.
func missing(list []step, last int) []step { return list[min(last, len(list)):] }

// The column types are read by PostgreSQL and SQLite alike. Databases of older
// versions have tables with other columns besides version and name.
func (m Migrations) create() string {
	return "CREATE TABLE IF NOT EXISTS " + m.Table +
		" (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP)"
}

func (m Migrations) last() string {
	return "SELECT coalesce(max(version), 0) AS version FROM " + m.Table
}

func (m Migrations) record(s step) Statement {
	return SQL("INSERT INTO "+m.Table+" (version, name) VALUES ($1, $2)", s.version, s.name)
}

// lock is the number of the advisory lock in PostgreSQL.
func (m Migrations) lock() int32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(m.Table)) // never fails
	return int32(h.Sum32())
}

// split cuts a step into statements: one ends with a semicolon at the end of a
// line, a trigger with the line "END;".
func split(text string) (list []string) {
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
