// Package settings reads what the control plane's processes are told by their
// environment and flags. The standalone process reads the same variables.
package settings

import (
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/config"
	"github.com/hybridinference/gateway/controlplane/d1"
	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/secret"
)

// Replicas reads how often JetStream keeps everything.
func Replicas(r *env.Reader) int {
	return r.Int("NATS_REPLICAS", 1, env.Bounds[int]{Min: 1, Max: 5}, "copies of streams and buckets: 1, or 3 in a cluster")
}

// CollectHealth reads where a collector tells how it is.
func CollectHealth(r *env.Reader) string {
	addr := r.String("COLLECT_HEALTH", "", "address such as 127.0.0.1:8082 where a collector answers GET /health; nowhere if not set")
	if _, port, err := net.SplitHostPort(addr); addr != "" && (err != nil || port == "") {
		r.Problemf("COLLECT_HEALTH must be an address with a port such as 127.0.0.1:8082, got %q", addr)
	}
	return addr
}

// SQLiteFile is the database's name in STATE_DIR.
const SQLiteFile = "gateway.db"

// Store reads which database is used. backend is the default of DB_BACKEND,
// stateDir where SQLite's file is unless SQLITE_PATH says otherwise.
func Store(r *env.Reader, backend, stateDir string) requestlog.Config {
	c := requestlog.Config{
		Backend: r.Enum("DB_BACKEND", backend, "database of releases, keys and the request log", requestlog.BackendPostgres, requestlog.BackendSQLite, requestlog.BackendD1),
		Postgres: requestlog.PostgresConfig{
			Host:     r.String("DB_HOST", "localhost", "PostgreSQL host, several separated by commas"),
			Port:     r.Int("DB_PORT", 5432, env.Bounds[int]{Min: 1, Max: math.MaxUint16}, "PostgreSQL port"),
			Name:     r.String("DB_NAME", "gateway", "PostgreSQL database"),
			User:     r.String("DB_USER", "gateway", "PostgreSQL user"),
			Password: r.Secret("DB_PASSWORD", "PostgreSQL password"),
			SSLMode:  r.Enum("DB_SSLMODE", "prefer", "PostgreSQL TLS", "disable", "prefer", "require", "verify-ca", "verify-full"),
			RootCert: file(r, "DB_SSLROOTCERT", "PEM file of the authorities that PostgreSQL's certificate must come from"),
			Cert:     file(r, "DB_SSLCERT", "PEM file of a client certificate for PostgreSQL"),
			Key:      file(r, "DB_SSLKEY", "PEM file of its key"),
		},
		SQLitePath: r.String("SQLITE_PATH", filepath.Join(stateDir, SQLiteFile), "SQLite file, for DB_BACKEND=sqlite"),
	}
	c.D1 = readD1(r)
	if c.Backend == requestlog.BackendD1 {
		checkD1(r, c.D1)
	}
	return c
}

func readD1(r *env.Reader) d1.Config {
	return d1.Config{
		AccountID:  r.String("D1_ACCOUNT_ID", "", "Cloudflare account of the D1 database"),
		DatabaseID: r.String("D1_DATABASE_ID", "", "id of the D1 database"),
		Token:      r.Secret("D1_API_TOKEN", "Cloudflare API token that may edit D1"),
		Base:       r.String("D1_API_BASE", d1.DefaultBase, "Cloudflare's API"),
		Rate:       r.Float("D1_REQUESTS_PER_SECOND", d1.DefaultRate, env.Bounds[float64]{Min: 0.1, Max: 10_000}, "requests to D1 at most; Cloudflare allows 4 per token"),
	}
}

func checkD1(r *env.Reader, c d1.Config) {
	if _, err := d1.New(c); err != nil {
		for line := range strings.Lines(err.Error()) {
			r.Problemf("%s", strings.TrimSuffix(line, "\n"))
		}
	}
}

// DualWrite reads whether D1 gets all events besides the store c.
func DualWrite(r *env.Reader, c requestlog.Config) bool {
	on := r.Bool("D1_DUAL_WRITE|DB_DUAL_WRITE", false, "write to D1 besides DB_BACKEND, and read from it")
	if on && c.Backend == requestlog.BackendD1 {
		r.Problemf("D1_DUAL_WRITE writes to D1 besides another database: DB_BACKEND must not be d1")
	}
	if on {
		checkD1(r, c.D1)
	}
	return on
}

// Second is the store that dual writing adds.
func Second(c requestlog.Config) requestlog.Config {
	c.Backend = requestlog.BackendD1
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

// file reads the path of a file that must be there.
func file(r *env.Reader, name, about string) string {
	path := r.String(name, "", about)
	if path == "" {
		return ""
	}
	if _, err := os.Stat(path); err != nil {
		r.Problemf("%s must name a file that can be read: %s", name, err)
	}
	return path
}

// Retention reads how long the request log is kept.
func Retention(r *env.Reader) time.Duration {
	const century = 36_500
	return 24 * time.Hour * time.Duration(r.Int("LOG_RETENTION_DAYS", 0, env.Bounds[int]{Min: 0, Max: century}, "days that rows of the request log are kept, 0 for ever; roll-ups stay"))
}
