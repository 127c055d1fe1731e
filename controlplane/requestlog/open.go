package requestlog

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/hybridinference/gateway/controlplane/database"
)

//go:embed migrations
var migrationFiles embed.FS

// New returns the request log in db, whose tables it does not touch. The caller
// closes db.
func New(db database.DB) Store {
	if p, ok := db.(*database.Postgres); ok {
		return newPostgres(p)
	}
	return newSQLite(db)
}

// migrate runs the steps of a dialect.
func (l *log) migrate(ctx context.Context, dialect string) error {
	files, err := fs.Sub(migrationFiles, "migrations/"+dialect)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	return l.db.Migrate(ctx, database.Migrations{Table: "schema_migrations", Files: files})
}
