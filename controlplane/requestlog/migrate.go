package requestlog

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// Migrations only ever add: an older program must work on a newer schema,
// since the database is upgraded first.
//
//go:embed migrations
var migrationFiles embed.FS

// migration is one file migrations/<dialect>/<version>_<name>.sql.
type migration struct {
	version int
	name    string
	sql     string
}

// migrations returns those of a dialect in ascending order.
func migrations(dialect string) ([]migration, error) {
	files, err := fs.Glob(migrationFiles, "migrations/"+dialect+"/*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	list := make([]migration, 0, len(files))
	for i, path := range files { // Glob sorts
		text, err := migrationFiles.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read migration: %w", err)
		}
		base := strings.TrimSuffix(path[strings.LastIndexByte(path, '/')+1:], ".sql")
		number, name, _ := strings.Cut(base, "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 {
			panic(fmt.Sprintf("BUG: migration %s is not number %d", path, i+1))
		}
		list = append(list, migration{version, name, string(text)})
	}
	return list, nil
}
