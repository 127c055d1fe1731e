package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/hybridinference/gateway/shared/eventually"
)

const (
	adminToken = "e2e-admin-token-0123"
	keySecret  = "e2e-key-secret-0123"
)

// fleet is the gateway in its own processes: NATS, PostgreSQL, the daemon, a
// collector and data-plane nodes.
type fleet struct {
	t        *testing.T
	natsPort string
	natsDir  string
	nats     *process
	database *url.URL
	config   string
	admin    string
	common   []string
	// credentials is where each role's are, "" for a NATS that asks for none.
	credentials string
}

// newFleet starts NATS, creates a database and writes models.yaml.
func newFleet(t *testing.T, models string) *fleet {
	t.Helper()
	f := &fleet{t: t, natsPort: freePort(t), natsDir: t.TempDir(), config: t.TempDir(), database: newDatabase(t)}
	f.writeModels(models)
	f.startNATS()
	f.common = append(f.databaseEnv(), "NATS_URL=nats://127.0.0.1:"+f.natsPort, "ADMIN_TOKEN="+adminToken, "API_KEY_SECRET="+keySecret, "LOG_LEVEL=info")
	return f
}

func (f *fleet) databaseEnv() []string {
	password, _ := f.database.User.Password()
	return []string{
		"DB_BACKEND=postgres", "DB_HOST=" + f.database.Hostname(), "DB_PORT=" + f.database.Port(), "DB_NAME=" + strings.TrimPrefix(f.database.Path, "/"),
		"DB_USER=" + f.database.User.Username(), "DB_PASSWORD=" + password,
	}
}

// newDatabase creates a database in the cluster that the test set-up started.
func newDatabase(t *testing.T) *url.URL {
	t.Helper()
	base := os.Getenv("GATEWAY_TEST_POSTGRES")
	if base == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("GATEWAY_TEST_POSTGRES is not set: run scripts/test.sh")
		}
		t.Skip("needs PostgreSQL: run scripts/test.sh ./deploy/e2e/...")
	}
	conn, err := pgx.Connect(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	name := "e2e_" + strings.ToLower(strings.NewReplacer("/", "_", "-", "_").Replace(t.Name())) + "_" + freePort(t)
	if _, err := conn.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u
}

func (f *fleet) writeModels(text string) {
	f.t.Helper()
	if err := os.WriteFile(f.modelsPath(), []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fleet) modelsPath() string { return filepath.Join(f.config, "models.yaml") }

// as returns the variables of a process with the credentials of that name.
func (f *fleet) as(name string) []string {
	env := append([]string{}, f.common...)
	if f.credentials != "" {
		env = append(env, "NATS_CREDS="+filepath.Join(f.credentials, name+".creds"), "NATS_CA="+filepath.Join(f.credentials, "ca.pem"))
	}
	return env
}

func (f *fleet) startNATS() {
	f.t.Helper()
	f.nats = launch(f.t, "nats-server", nil, "-a", "127.0.0.1", "-p", f.natsPort, "-js", "-sd", f.natsDir)
}

// startDaemon starts `controlplane serve`.
func (f *fleet) startDaemon() *process {
	f.t.Helper()
	port := freePort(f.t)
	f.admin = "http://127.0.0.1:" + port
	p := launch(f.t, "controlplane", append(f.as("controlplane"), "CONTROL_PORT="+port, "HOST=127.0.0.1", "MODELS_CONFIG="+f.modelsPath(), "ROUTING_CONFIG="+f.routingPath()), "serve")
	serving(f.t, f.admin+"/health")
	return p
}

func (f *fleet) routingPath() string {
	path := filepath.Join(f.config, "routing.yaml")
	if _, err := os.Stat(path); err != nil {
		if err := os.WriteFile(path, []byte("routing_strategy: fixed\n"), 0o600); err != nil {
			f.t.Fatal(err)
		}
	}
	return path
}

// startCollector starts `controlplane collect`.
func (f *fleet) startCollector() *process {
	f.t.Helper()
	return launch(f.t, "controlplane", f.as("collector"), "collect")
}

// member is a running data-plane node.
type member struct {
	*process
	id, url, dir string
}

func (f *fleet) startNode(id string, extra ...string) *member {
	f.t.Helper()
	return f.startNodeIn(id, f.t.TempDir(), extra...)
}

func (f *fleet) startNodeIn(id, dir string, extra ...string) *member {
	f.t.Helper()
	return f.restartNode(id, dir, freePort(f.t), extra...)
}

// restartNode starts a node at a port that is known already.
func (f *fleet) restartNode(id, dir, port string, extra ...string) *member {
	f.t.Helper()
	env := append(f.as(id), "PORT="+port, "HOST=127.0.0.1", "NODE_ID="+id, "STATE_DIR="+dir)
	m := &member{process: launch(f.t, "dataplane", append(env, extra...)), id: id, dir: dir, url: "http://127.0.0.1:" + port}
	serving(f.t, m.url+"/health/ready")
	return m
}

// ctl runs gatewayctl and returns what it printed.
func (f *fleet) ctl(args ...string) string {
	f.t.Helper()
	out, err := f.tryCtl(args...)
	if err != nil {
		f.t.Fatalf("gatewayctl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (f *fleet) tryCtl(args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(bin, "gatewayctl"), args...)
	cmd.Env = []string{"GATEWAY_ADMIN_URL=" + f.admin, "ADMIN_TOKEN=" + adminToken, "PATH=" + os.Getenv("PATH"), "GORACE=" + os.Getenv("GORACE"), "HOME=" + f.t.TempDir()}
	cmd.Dir = f.t.TempDir()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// key makes an API key that every node knows when it returns.
func (f *fleet) key(nodes ...*member) string {
	f.t.Helper()
	return f.keyWith(nil, nodes...)
}

// keyWith is key with further flags of keys create.
func (f *fleet) keyWith(flags []string, nodes ...*member) string {
	f.t.Helper()
	var made struct{ Key string }
	if err := json.Unmarshal([]byte(f.ctl(append([]string{"keys", "create", "--name", "e2e", "-o", "json"}, flags...)...)), &made); err != nil {
		f.t.Fatal(err)
	}
	for _, n := range nodes {
		eventually.Nil(f.t, timeToApply, "the key reaches "+n.id, func() error { return f.usable(n, made.Key) })
	}
	return made.Key
}

func (f *fleet) usable(n *member, key string) error {
	status, body, err := fetch(f.t.Context(), http.MethodGet, n.url+"/v1/models", "", "Authorization", "Bearer "+key)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("%d %s", status, body)
	}
	return nil
}

// query reads one row of the database.
func (f *fleet) query(ctx context.Context, sql string, into ...any) error {
	conn, err := pgx.Connect(ctx, f.database.String())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	return conn.QueryRow(ctx, sql).Scan(into...)
}

// column reads the first column of a query's rows.
func (f *fleet) column(sql string) []string {
	f.t.Helper()
	conn, err := pgx.Connect(f.t.Context(), f.database.String())
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = conn.Close(f.t.Context()) }()
	rows, err := conn.Query(f.t.Context(), sql)
	if err != nil {
		f.t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		f.t.Fatal(err)
	}
	return list
}
