package settings

import (
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/collector"
	"github.com/hybridinference/gateway/controlplane/d1"
	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/controlplane/server"
	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/secret"
)

// Streams are how NATS keeps what it is given.
type Streams struct {
	Replicas int `env:"NATS_REPLICAS" default:"1" min:"1" max:"5" help:"copies of streams and buckets: 1, or 3 in a cluster"`
}

// AdminServer is the admin API of the daemon.
type AdminServer struct {
	Token  secret.String `env:"ADMIN_TOKEN" strong:"true" help:"token of the admin API; standalone on a loopback address needs none"`
	Host   string        `env:"CONTROL_HOST|HOST" default:"0.0.0.0" help:"address of the admin API"`
	Listen Admin
}

// Console is how people sign in to the console.
type Console struct {
	Idle     time.Duration `env:"CONSOLE_IDLE_TIMEOUT" default:"1h" min:"1m" max:"168h" help:"time without use after which a session of the console ends"`
	Lifetime time.Duration `env:"CONSOLE_SESSION_LIFETIME" default:"12h" min:"1m" max:"720h" help:"time after which a session of the console ends in any case"`
	API      string        `env:"CONSOLE_API_URL" help:"URL of a node, or of what stands before the nodes, to which the console's playground sends prompts; standalone uses its own node"`
	OIDC     OIDC
}

// Check implements env.Checker.
func (s *Console) Check(problem func(format string, args ...any)) {
	if s.API == "" {
		return
	}
	if u, err := url.Parse(s.API); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.User != nil {
		problem("CONSOLE_API_URL must be a URL such as http://10.0.0.11:8080, got %q", s.API)
	}
}

// Options returns them as the daemon takes them.
func (s *Console) Options() server.Console {
	return server.Console{Idle: s.Idle, Lifetime: s.Lifetime, OIDC: s.OIDC.Client(), API: func() string { return s.API }}
}

// KeySecret is what API keys are hashed under.
type KeySecret struct {
	Secret secret.String `env:"API_KEY_SECRET" strong:"true" help:"secret for hashing API keys, the same as on the nodes; without it no key can be created"`
}

// Admin is how the admin API listens.
type Admin struct {
	Port int      `env:"CONTROL_PORT" default:"8081" min:"0" max:"65535" help:"port of the admin API; 0 picks a free one"`
	Cert env.File `env:"CONTROL_TLS_CERT" help:"PEM file with the TLS certificate of the admin API; a renewed one needs no restart"`
	Key  env.File `env:"CONTROL_TLS_KEY" help:"PEM file of its key"`
}

// Check implements env.Checker.
func (s *Admin) Check(problem func(format string, args ...any)) {
	if (s.Cert == "") != (s.Key == "") {
		problem("CONTROL_TLS_CERT and CONTROL_TLS_KEY must be set together")
	}
}

// Files are where the configuration is.
type Files struct {
	Models  string `env:"MODELS_CONFIG" default:"config/models.yaml" help:"file with the models and their endpoints"`
	Routing string `env:"ROUTING_CONFIG" default:"config/routing.yaml" help:"file with the traffic split and health checks; the default one is optional"`
}

// Sent is what configuration may use that is sent over the admin API.
type Sent struct {
	Variables []string `env:"CONFIG_VARIABLES" help:"additional variables that configuration sent over the admin API may use, separated by commas; those used in the daemon's own files are allowed"`
}

// Publish returns the files as the publisher takes them; lookup finds the
// variables that they refer to.
func (s *Files) Publish(lookup env.Lookup, sent Sent) publish.Files {
	return publish.Files{Models: s.Models, Routing: s.Routing, Env: lookup, Variables: sent.Variables}
}

// Database is where releases, keys, the audit log and the request log are kept.
type Database struct {
	Backend  string `env:"DB_BACKEND" default:"postgres" oneof:"postgres,sqlite,d1" help:"database of releases, keys and the request log: postgres, sqlite or d1"`
	Postgres Postgres
	SQLite   SQLite
	D1       D1 `section:"Cloudflare D1: for DB_BACKEND=d1, or beside another database"`
}

// Postgres is how a PostgreSQL server is reached.
type Postgres struct {
	Host     string        `env:"DB_HOST" default:"localhost" help:"PostgreSQL server; several of one cluster separated by commas"`
	Port     int           `env:"DB_PORT" default:"5432" min:"1" max:"65535" help:"its port"`
	Name     string        `env:"DB_NAME" default:"gateway" help:"name of the PostgreSQL database"`
	User     string        `env:"DB_USER" default:"gateway" help:"PostgreSQL user"`
	Password secret.String `env:"DB_PASSWORD" help:"the user's password"`
	SSLMode  string        `env:"DB_SSLMODE" default:"prefer" oneof:"disable,prefer,require,verify-ca,verify-full" help:"TLS to PostgreSQL: disable, prefer, require, verify-ca or verify-full"`
	RootCert env.File      `env:"DB_SSLROOTCERT" help:"PEM file with the CA certificates to trust"`
	Cert     env.File      `env:"DB_SSLCERT" help:"PEM file of a client certificate"`
	Key      env.File      `env:"DB_SSLKEY" help:"PEM file of its key"`
}

// SQLite is where the SQLite file is.
type SQLite struct {
	Path     string `env:"SQLITE_PATH" help:"file for DB_BACKEND=sqlite; gateway.db in STATE_DIR if not set"`
	StateDir string `env:"STATE_DIR" default:"data" help:"directory of the process's state"`
}

// D1 is how Cloudflare D1 is reached.
type D1 struct {
	AccountID  string        `env:"D1_ACCOUNT_ID" help:"Cloudflare account of the database"`
	DatabaseID string        `env:"D1_DATABASE_ID" help:"id of the database"`
	Token      secret.String `env:"D1_API_TOKEN" help:"Cloudflare API token that may edit D1"`
	Base       string        `env:"D1_API_BASE" default:"https://api.cloudflare.com/client/v4" help:"URL of Cloudflare's API"`
	Rate       float64       `env:"D1_REQUESTS_PER_SECOND" default:"3.8" min:"0.1" max:"10000" help:"maximum request rate to D1; Cloudflare allows 1,200 requests per token in five minutes"`
}

// Check implements env.Checker.
func (s *Database) Check(problem func(format string, args ...any)) {
	if s.Backend == database.BackendD1 {
		s.D1.check(problem)
	}
}

func (s *D1) check(problem func(format string, args ...any)) {
	if _, err := d1.New(s.config()); err != nil {
		for line := range strings.Lines(err.Error()) {
			problem("%s", strings.TrimSuffix(line, "\n"))
		}
	}
}

func (s *D1) config() d1.Config {
	return d1.Config{AccountID: s.AccountID, DatabaseID: s.DatabaseID, Token: s.Token, Base: s.Base, Rate: s.Rate}
}

// Config returns the database as it is opened.
func (s *Database) Config() database.Config {
	p := s.Postgres
	c := database.Config{
		Backend: s.Backend, SQLitePath: s.SQLite.Path, D1: s.D1.config(),
		Postgres: database.PostgresConfig{
			Host: p.Host, Port: p.Port, Name: p.Name, User: p.User, Password: p.Password,
			SSLMode: p.SSLMode, RootCert: string(p.RootCert), Cert: string(p.Cert), Key: string(p.Key),
		},
	}
	if c.SQLitePath == "" {
		c.SQLitePath = filepath.Join(s.SQLite.StateDir, "gateway.db")
	}
	return c
}

// DualWrite is whether D1 gets the request log besides another database.
type DualWrite struct {
	On bool `env:"D1_DUAL_WRITE|DB_DUAL_WRITE" default:"false" help:"write the request log to D1 besides DB_BACKEND, and read it from there (also DB_DUAL_WRITE)"`
}

// Validate reports what contradicts db, which is another group.
func (s *DualWrite) Validate(db Database, problem func(format string, args ...any)) {
	switch {
	case !s.On:
	case db.Backend == database.BackendD1:
		problem("D1_DUAL_WRITE writes to D1 besides another database: DB_BACKEND must not be d1")
	default:
		db.D1.check(problem)
	}
}

// Stores returns the databases that get the request log: the first is the
// primary one, whose commits nodes are told of.
func (s *DualWrite) Stores(db database.Config) []database.Config {
	if !s.On {
		return []database.Config{db}
	}
	second := db
	second.Backend = database.BackendD1
	return []database.Config{db, second}
}

// Retention is how long the request log is kept.
type Retention struct {
	Days     int `env:"LOG_RETENTION_DAYS" default:"0" min:"0" max:"36500" help:"retention of request log rows in days, 0 keeps them forever; totals are kept"`
	Contents int `env:"CONTENT_RETENTION_DAYS" default:"0" min:"0" max:"36500" help:"retention of stored prompts and answers in days, 0 keeps them as long as their rows"`
	Rollups  int `env:"ROLLUP_RETENTION_DAYS" default:"0" min:"0" max:"36500" help:"retention of the totals behind usage, stats and the cost of keys in days, 0 keeps them forever"`
}

// Check implements env.Checker.
func (s *Retention) Check(problem func(format string, args ...any)) {
	if s.Days > 0 && s.Contents > s.Days {
		problem("CONTENT_RETENTION_DAYS must not be greater than LOG_RETENTION_DAYS (%d), got %d", s.Days, s.Contents)
	}
	if s.Rollups > 0 && (s.Days == 0 || s.Rollups < s.Days) {
		problem("ROLLUP_RETENTION_DAYS must not be less than LOG_RETENTION_DAYS (%d, 0 is forever), got %d", s.Days, s.Rollups)
	}
}

// Spans are these times, 0 for no limit.
func (s *Retention) Spans() collector.Retention {
	days := func(n int) time.Duration { return 24 * time.Hour * time.Duration(n) }
	return collector.Retention{Rows: days(s.Days), Contents: days(s.Contents), Rollups: days(s.Rollups)}
}

// CollectHealth is where a collector reports its health.
type CollectHealth struct {
	Addr string `env:"COLLECT_HEALTH" help:"address such as 127.0.0.1:8082 where the collector serves GET /health; disabled if not set"`
}

// Check implements env.Checker.
func (s *CollectHealth) Check(problem func(format string, args ...any)) {
	if _, port, err := net.SplitHostPort(s.Addr); s.Addr != "" && (err != nil || port == "") {
		problem("COLLECT_HEALTH must be an address with a port such as 127.0.0.1:8082, got %q", s.Addr)
	}
}
