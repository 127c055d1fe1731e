package controlstate

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// Steps only ever add: during an upgrade the older program works on the newer
// tables.
//
//go:embed migrations/*.sql
var stepFiles embed.FS

// step is one file migrations/<version>_<name>.sql.
type step struct {
	version int
	name    string
	sql     string
}

// steps returns all in ascending order.
func steps() ([]step, error) {
	files, err := fs.Glob(stepFiles, "migrations/*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	list := make([]step, 0, len(files))
	for i, path := range files { // Glob sorts
		text, err := stepFiles.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read migration: %w", err)
		}
		number, name, _ := strings.Cut(strings.TrimSuffix(path[len("migrations/"):], ".sql"), "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 {
			panic(fmt.Sprintf("BUG: %s is not step %d", path, i+1))
		}
		list = append(list, step{version, name, string(text)})
	}
	return list, nil
}

const (
	createSteps = "CREATE TABLE IF NOT EXISTS control_migrations (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL)"
	lastStep    = "SELECT coalesce(max(version), 0) FROM control_migrations"
	recordStep  = "INSERT INTO control_migrations (version, name) VALUES ($1, $2)"
)

// missing returns the steps after the last one that was run; none when the
// database is ahead of this program.
func missing(list []step, last int) []step { return list[min(last, len(list)):] }
