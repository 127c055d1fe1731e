// Package settings reads what the control plane's processes are told by their
// environment and flags. The standalone process reads the same variables.
package settings

import (
	"math"
	"path/filepath"

	"github.com/hybridinference/gateway/controlplane/config"
	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/controlplane/store"
	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/secret"
)

// Replicas reads how often JetStream keeps everything.
func Replicas(r *env.Reader) int {
	return r.Int("NATS_REPLICAS", 1, env.Bounds[int]{Min: 1, Max: 5}, "copies of streams and buckets: 1, or 3 in a cluster")
}

// SQLiteFile is the database's name in STATE_DIR.
const SQLiteFile = "gateway.db"

// backendD1 is known by name only, so that whoever asks for it learns why not.
const backendD1 = "d1"

// Store reads which database is used. backend is the default of DB_BACKEND,
// stateDir where SQLite's file is unless SQLITE_PATH says otherwise.
func Store(r *env.Reader, backend, stateDir string) store.Config {
	c := store.Config{
		Backend: r.Enum("DB_BACKEND", backend, "database of releases, keys and the request log", store.BackendPostgres, store.BackendSQLite, backendD1),
		Postgres: store.PostgresConfig{
			Host:     r.String("DB_HOST", "localhost", "PostgreSQL host, several separated by commas"),
			Port:     r.Int("DB_PORT", 5432, env.Bounds[int]{Min: 1, Max: math.MaxUint16}, "PostgreSQL port"),
			Name:     r.String("DB_NAME", "gateway", "PostgreSQL database"),
			User:     r.String("DB_USER", "gateway", "PostgreSQL user"),
			Password: r.Secret("DB_PASSWORD", "PostgreSQL password"),
			SSLMode:  r.Enum("DB_SSLMODE", "prefer", "PostgreSQL TLS", "disable", "prefer", "require", "verify-ca", "verify-full"),
		},
		SQLitePath: r.String("SQLITE_PATH", filepath.Join(stateDir, SQLiteFile), "SQLite file, for DB_BACKEND=sqlite"),
	}
	if c.Backend == backendD1 {
		r.Problemf("DB_BACKEND d1 is not available in this version: use %s or %s", store.BackendPostgres, store.BackendSQLite)
	}
	return c
}

// StateDir reads where state is kept.
func StateDir(r *env.Reader, def string) string {
	return r.String("STATE_DIR", def, "directory of the process's state")
}

// Files reads where the configuration is.
func Files(r *env.Reader) publish.Files {
	return publish.Files{
		Models:  r.String("MODELS_CONFIG", config.DefaultModelsPath, "models and their endpoints"),
		Routing: r.String("ROUTING_CONFIG", config.DefaultRoutingPath, "split and health checks; may be missing"),
		Env:     r.Lookup,
	}
}

// Admin reads the secrets of the admin API.
func Admin(r *env.Reader) (token, keySecret secret.String) {
	token = r.Secret("ADMIN_TOKEN", "token of the admin API")
	keySecret = r.Secret("API_KEY_SECRET", "secret under which API keys are hashed, the same as the nodes'")
	return token, keySecret
}
