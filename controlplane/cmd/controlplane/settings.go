package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/hybridinference/gateway/controlplane/config"
	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/controlplane/store"
	"github.com/hybridinference/gateway/shared/env"
)

const backendD1 = "d1"

// readDatabase takes the settings of the database, which the control state and
// the request log share.
func readDatabase(r *env.Reader) store.Config {
	c := store.Config{Backend: r.Enum("DB_BACKEND", store.BackendPostgres, "which database", store.BackendPostgres, store.BackendSQLite, backendD1)}
	c.Postgres = store.PostgresConfig{
		Host:     r.String("DB_HOST", "localhost", "PostgreSQL server; several of one cluster with commas"),
		Port:     r.Int("DB_PORT", 5432, env.Bounds[int]{Min: 1, Max: math.MaxUint16}, "its port"),
		Name:     r.String("DB_NAME", "gateway", "database"),
		User:     r.String("DB_USER", "gateway", "role"),
		Password: r.Secret("DB_PASSWORD", "its password"),
		SSLMode:  r.Enum("DB_SSLMODE", "prefer", "encryption", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
	}
	dir := r.String("STATE_DIR", "data", "directory of the SQLite file")
	c.SQLitePath = r.String("SQLITE_PATH", "", "the SQLite file itself; gateway.db in STATE_DIR if not set")
	if c.SQLitePath == "" {
		c.SQLitePath = filepath.Join(dir, "gateway.db")
	}
	if c.Backend == backendD1 {
		r.Problemf("DB_BACKEND d1 is not available in this version: use %s or %s", store.BackendPostgres, store.BackendSQLite)
	}
	return c
}

// makeDirectory makes the place for a SQLite file.
func makeDirectory(c store.Config) error {
	if c.Backend != store.BackendSQLite {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(c.SQLitePath), 0o750); err != nil {
		return fmt.Errorf("directory of the SQLite file: %w", err)
	}
	return nil
}

func readFiles(r *env.Reader) publish.Files {
	return publish.Files{
		Models:  r.String("MODELS_CONFIG", config.DefaultModelsPath, "models and their endpoints"),
		Routing: r.String("ROUTING_CONFIG", config.DefaultRoutingPath, "health checks and the local split; need not exist at the default path"),
		Env:     r.Lookup,
	}
}

func readNATS(r *env.Reader) (url, creds string) {
	return r.String("NATS_URL", "nats://127.0.0.1:4222", "NATS servers, comma-separated"), r.String("NATS_CREDS", "", "credentials file for NATS")
}
