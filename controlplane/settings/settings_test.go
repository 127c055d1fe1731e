package settings_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/collector"
	"github.com/hybridinference/gateway/controlplane/d1"
	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/settings"
	"github.com/hybridinference/gateway/shared/env"
)

const token = "0123456789abcdef"

func lookup(vars ...string) env.Lookup {
	return func(name string) (string, bool) {
		for _, pair := range vars {
			if key, value, _ := strings.Cut(pair, "="); key == name {
				return value, true
			}
		}
		return "", false
	}
}

// refused expects exactly these problems, one a line.
func refused(t *testing.T, into any, want []string, vars ...string) {
	t.Helper()
	err := env.Parse(into, nil, lookup(vars...))
	if err == nil {
		t.Errorf("%v: accepted", vars)
		return
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(want) {
		t.Errorf("%v: %v", vars, err)
		return
	}
	for i := range want {
		if !strings.Contains(lines[i], want[i]) {
			t.Errorf("%v: line %d is %q, want %q", vars, i, lines[i], want[i])
		}
	}
}

func TestServe(t *testing.T) {
	var s settings.Serve
	if err := env.Parse(&s, []string{"--control-port", "9"}, lookup("ADMIN_TOKEN="+token, "HOST=10.0.0.1", "NATS_REPLICAS=3", "TRUSTED_PROXIES=10.0.0.0/8", "CONSOLE_IDLE_TIMEOUT=5m", "CONSOLE_SESSION_LIFETIME=2h", "CONSOLE_API_URL=http://10.0.0.11:8080")); err != nil {
		t.Fatal(err)
	}
	db := s.Database.Config()
	if c := s.Console.Options(); c.Idle != 5*time.Minute || c.Lifetime != 2*time.Hour || c.API() != "http://10.0.0.11:8080" {
		t.Errorf("%+v", c)
	}
	if s.Addr() != "10.0.0.1:9" || s.Streams.Replicas != 3 || len(s.Proxies.List()) != 1 || db.Backend != database.BackendPostgres || db.Postgres.Port != 5432 || db.Postgres.Name != "gateway" {
		t.Errorf("%+v", s)
	}
	if got := s.Dual.Stores(db); len(got) != 1 || got[0].Backend != database.BackendPostgres {
		t.Errorf("stores %+v", got)
	}
	refused(t, new(settings.Serve), []string{"ADMIN_TOKEN must be set"})
	refused(t, new(settings.Serve), []string{"CONSOLE_API_URL must be a URL such as http://10.0.0.11:8080, got \"10.0.0.11:8080\""}, "ADMIN_TOKEN="+token, "CONSOLE_API_URL=10.0.0.11:8080")
	refused(t, new(settings.Serve), []string{"ADMIN_TOKEN is too weak"}, "ADMIN_TOKEN=secret")
	cert := filepath.Join(t.TempDir(), "none")
	refused(t, new(settings.Serve), []string{"CONTROL_TLS_CERT must name a file that can be read", "DB_SSLROOTCERT must name a file", "CONTROL_TLS_CERT and CONTROL_TLS_KEY must be set together"}, "ADMIN_TOKEN="+token, "CONTROL_TLS_CERT="+cert, "DB_SSLROOTCERT="+cert)
	refused(t, new(settings.Serve), []string{"CONTROL_TLS_CERT and CONTROL_TLS_KEY must be set together"}, "ADMIN_TOKEN="+token, "CONTROL_TLS_KEY=settings_test.go")
	refused(t, new(settings.Serve), []string{"NATS_CERT and NATS_KEY must be set together"}, "ADMIN_TOKEN="+token, "NATS_CERT=settings_test.go")
}

func TestOIDC(t *testing.T) {
	all := []string{
		"ADMIN_TOKEN=" + token, "OIDC_ISSUER=https://login.example.com/realms/x", "OIDC_CLIENT_ID=gateway", "OIDC_CLIENT_SECRET=s", "OIDC_REDIRECT_URL=https://gateway.example.com/console/oidc/callback",
		"OIDC_ADMIN_GROUPS=platform, sre", "OIDC_OPERATOR_GROUPS=oncall", "OIDC_VIEWER_GROUPS=*", "OIDC_SCOPES=openid,groups", "OIDC_GROUPS_CLAIM=realm_access.roles",
	}
	prints := map[string]bool{}
	for _, vars := range [][]string{all, append(all[1:], "ADMIN_TOKEN=another-long-token"), append([]string{"OIDC_ADMIN_GROUPS=platform"}, all...), append([]string{"OIDC_CLIENT_ID=other"}, all...)} {
		var s settings.Serve
		if err := env.Parse(&s, nil, lookup(vars...)); err != nil {
			t.Fatal(err)
		}
		c := s.Console.Options().OIDC
		if c == nil || c.Name() != "login.example.com" {
			t.Fatalf("%v: %+v", vars, c)
		}
		prints[c.Fingerprint()] = true
	}
	if len(prints) != 3 { // one for each that decides otherwise about roles
		t.Errorf("fingerprints %v", prints)
	}
	if c := new(settings.Console).Options().OIDC; c != nil {
		t.Errorf("without an issuer: %+v", c)
	}
	bad := func(want string, vars ...string) {
		t.Helper()
		refused(t, new(settings.Serve), []string{want}, append(vars, all...)...)
	}
	bad(`OIDC_ISSUER must begin with https://; http:// is for loopback addresses only, got "http://login.example.com"`, "OIDC_ISSUER=http://login.example.com")
	bad(`OIDC_ISSUER must be a URL such as https://login.example.com, got "login.example.com"`, "OIDC_ISSUER=login.example.com")
	bad(`OIDC_REDIRECT_URL must end with /console/oidc/callback, got "https://gateway.example.com/console"`, "OIDC_REDIRECT_URL=https://gateway.example.com/console")
	bad("OIDC_SCOPES must contain openid", "OIDC_SCOPES=email")
	bad("OIDC_CLIENT_ID must be set", "OIDC_CLIENT_ID=")
	refused(t, new(settings.Serve), []string{"one of OIDC_VIEWER_GROUPS, OIDC_OPERATOR_GROUPS and OIDC_ADMIN_GROUPS must be set"}, all[:5]...)
	refused(t, new(settings.Serve), []string{"OIDC_ISSUER must be set"}, all[0], all[2])
}

func TestDatabases(t *testing.T) {
	d1Vars := []string{"D1_ACCOUNT_ID=0123456789abcdef0123456789abcdef", "D1_DATABASE_ID=01234567-89ab-cdef-0123-456789abcdef", "D1_API_TOKEN=t"}
	var m settings.Migrate
	if err := env.Parse(&m, nil, lookup("DB_BACKEND=SQLite", "STATE_DIR=/var/lib/gateway")); err != nil {
		t.Fatal(err)
	}
	if c := m.Database.Config(); c.Backend != database.BackendSQLite || c.SQLitePath != "/var/lib/gateway/gateway.db" {
		t.Errorf("%+v", c)
	}
	if err := env.Parse(&m, nil, lookup("SQLITE_PATH=x.db")); err != nil || m.Database.Config().SQLitePath != "x.db" {
		t.Errorf("%+v %v", m.Database.Config(), err)
	}
	var c settings.Collect
	if err := env.Parse(&c, nil, lookup(append(d1Vars, "DB_DUAL_WRITE=1", "LOG_RETENTION_DAYS=30", "CONTENT_RETENTION_DAYS=7", "ROLLUP_RETENTION_DAYS=400")...)); err != nil {
		t.Fatal(err)
	}
	both := c.Dual.Stores(c.Database.Config())
	if len(both) != 2 || both[0].Backend != database.BackendPostgres || both[1].Backend != database.BackendD1 {
		t.Errorf("%+v", both)
	}
	const day = 24 * time.Hour
	if got := c.Retention.Spans(); got != (collector.Retention{Rows: 30 * day, Contents: 7 * day, Rollups: 400 * day}) {
		t.Errorf("retention %+v", got)
	}
	refused(t, new(settings.Collect), []string{"CONTENT_RETENTION_DAYS must not be greater than LOG_RETENTION_DAYS (7), got 8"}, "LOG_RETENTION_DAYS=7", "CONTENT_RETENTION_DAYS=8")
	refused(t, new(settings.Collect), []string{"ROLLUP_RETENTION_DAYS must not be less than LOG_RETENTION_DAYS (7, 0 is forever), got 6"}, "LOG_RETENTION_DAYS=7", "ROLLUP_RETENTION_DAYS=6")
	refused(t, new(settings.Collect), []string{"ROLLUP_RETENTION_DAYS must not be less than LOG_RETENTION_DAYS (0, 0 is forever), got 6"}, "ROLLUP_RETENTION_DAYS=6")
	// the defaults here and those of a client that is told nothing are the same
	if got := both[1].D1; got.Base != d1.DefaultBase || got.Rate != d1.DefaultRate {
		t.Errorf("%+v", got)
	}
	refused(t, new(settings.Migrate), []string{"D1_ACCOUNT_ID", "D1_DATABASE_ID", "D1_API_TOKEN"}, "DB_BACKEND=d1")
	refused(t, new(settings.Collect), []string{"D1_ACCOUNT_ID", "D1_DATABASE_ID", "D1_API_TOKEN"}, "D1_DUAL_WRITE=1")
	refused(t, new(settings.Collect), []string{"DB_BACKEND must not be d1"}, append(d1Vars, "DB_BACKEND=d1", "D1_DUAL_WRITE=1")...)
	refused(t, new(settings.Compare), []string{"D1_DUAL_WRITE must be true"})
	refused(t, new(settings.Collect), []string{`COLLECT_HEALTH must be an address with a port such as 127.0.0.1:8082, got "8082"`}, "COLLECT_HEALTH=8082")
}

func TestPostgresSettings(t *testing.T) {
	var m settings.Migrate
	if err := env.Parse(&m, nil, lookup("DB_SSLMODE=verify-ca", "DB_SSLROOTCERT=settings_test.go", "DB_SSLCERT=signing_test.go", "DB_SSLKEY=groups.go")); err != nil {
		t.Fatal(err)
	}
	if p := m.Database.Config().Postgres; p.SSLMode != "verify-ca" || p.RootCert != "settings_test.go" || p.Cert != "signing_test.go" || p.Key != "groups.go" {
		t.Errorf("%+v", p)
	}
}

func TestHealth(t *testing.T) {
	f := func(url, certificate string, vars ...string) {
		t.Helper()
		var s settings.Health
		if err := env.Parse(&s, nil, lookup(vars...)); err != nil {
			t.Fatal(err)
		}
		if u, c := s.URL(); u != url || c != certificate {
			t.Errorf("%v: %s %s", vars, u, c)
		}
	}
	f("http://127.0.0.1:8081/health", "")
	f("https://127.0.0.1:9/health", "settings_test.go", "CONTROL_PORT=9", "CONTROL_TLS_CERT=settings_test.go")
	f("http://127.0.0.1:8082/health", "", "COLLECT_HEALTH=127.0.0.1:8082")
}
