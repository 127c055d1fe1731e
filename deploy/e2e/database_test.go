package e2e_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/logs/logtest"
)

// postgresUser is whom servers run as, that refuse to run as root; nil for
// whoever runs the tests.
func postgresUser(t *testing.T) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// ownDirectory is a directory that a server may write to, and reach.
func ownDirectory(t *testing.T, who *syscall.Credential) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "gateway-e2e-pg-") //nolint:usetesting // another user cannot reach what t.TempDir makes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if who != nil {
		if err := os.Chown(dir, int(who.Uid), int(who.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// server is a PostgreSQL server of a test's own.
type server struct {
	t    *testing.T
	who  *syscall.Credential
	bin  string
	dir  string
	host string
	port string
}

func (s *server) run(name string, args ...string) {
	s.t.Helper()
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.who}
	log, err := os.CreateTemp("", "gateway-e2e-log-")
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = os.Remove(log.Name()) }()
	cmd.Stdout, cmd.Stderr = log, log // a pipe would be held by the server that pg_ctl leaves
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(log.Name())
		s.t.Fatalf("%s %s: %v: %s", name, args, err, text)
	}
}

func (s *server) data() string { return filepath.Join(s.dir, "data") }

// start starts the server; options are PostgreSQL's own.
func (s *server) start(options ...string) {
	s.t.Helper()
	options = append(options, "listen_addresses="+s.host, "port="+s.port, "unix_socket_directories=")
	text := ""
	for _, o := range options {
		text += " -c " + o
	}
	s.run("pg_ctl", "-D", s.data(), "-w", "-l", filepath.Join(s.dir, "log"), "-o", text, "start")
	s.t.Cleanup(func() {
		cmd := exec.Command(filepath.Join(s.bin, "pg_ctl"), "-D", s.data(), "-m", "immediate", "stop")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.who}
		_ = cmd.Run() // it may be stopped already
	})
}

func newServer(t *testing.T, host, port string) *server {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(found) == 0 {
		t.Fatal("no PostgreSQL server programs: run scripts/test.sh")
	}
	slices.Sort(found)
	s := &server{t: t, who: postgresUser(t), bin: found[len(found)-1], host: host, port: port}
	s.dir = ownDirectory(t, s.who)
	return s
}

func (s *server) exec(sql string) {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.url("postgres"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = conn.Close(s.t.Context()) }()
	if _, err := conn.Exec(s.t.Context(), sql); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) url(database string) string {
	return "postgres://postgres@" + s.host + ":" + s.port + "/" + database + "?sslmode=disable"
}

// TestTheDatabaseFailsOver has a primary and a synchronous standby, of which
// the first dies under load and the second takes over.
func TestTheDatabaseFailsOver(t *testing.T) {
	port := freePort(t)
	primary, standby := newServer(t, "127.0.0.1", port), newServer(t, "127.0.0.2", port)
	primary.run("initdb", "-D", primary.data(), "-A", "trust", "-U", "postgres", "--no-sync")
	primary.start()
	standby.run("pg_basebackup", "-h", primary.host, "-p", port, "-U", "postgres", "-D", standby.data(), "-R", "-X", "stream", "-c", "fast")
	standby.start()
	primary.exec("ALTER SYSTEM SET synchronous_standby_names = '*'")
	primary.exec("SELECT pg_reload_conf()")
	primary.exec("CREATE DATABASE gateway")

	f := newFleet(t, demoModels)
	f.common = append(f.common, "DB_HOST=127.0.0.1,127.0.0.2", "DB_PORT="+port, "DB_NAME=gateway", "DB_USER=postgres", "DB_PASSWORD=")
	f.startDaemon()
	f.startCollector()
	f.startCollector()
	n := f.startNode("node-a")
	key := f.key(n)
	asked := startTraffic(t, key, n)
	asked.until(t, 100)
	primary.run("pg_ctl", "-D", primary.data(), "-m", "immediate", "stop")
	if out, err := f.tryCtl("weights", "set", "demo", "a=0.9"); err == nil {
		t.Errorf("without a database a change was made: %s", out)
	}
	standby.run("pg_ctl", "-D", standby.data(), "-w", "promote")
	eventually.Nil(t, 30*time.Second, "changes are made again", func() error {
		_, err := f.tryCtl("weights", "set", "demo", "a=0.9", "--wait", "5s")
		return err
	})
	asked.until(t, asked.asked.Load()+100)
	count := asked.end()
	eventually.Nil(t, 60*time.Second, "every answer has one row", func() error {
		conn, err := pgx.Connect(t.Context(), standby.url("gateway"))
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close(t.Context()) }()
		var rows, rolled int64
		if err := conn.QueryRow(t.Context(), "SELECT count(*), (SELECT sum(request_count) FROM api_stats_hourly)::bigint FROM api_logs").Scan(&rows, &rolled); err != nil {
			return err
		}
		if rows != count || rolled != count {
			return fmt.Errorf("%d rows, %d in the roll-ups, of %d", rows, rolled, count)
		}
		return nil
	})
}

// TestThroughAPooler has PgBouncer between, which gives every transaction
// another connection.
func TestThroughAPooler(t *testing.T) {
	pooler, err := exec.LookPath("pgbouncer")
	if err != nil {
		pooler = "/usr/sbin/pgbouncer"
	}
	if _, err := os.Stat(pooler); err != nil {
		t.Fatal("no PgBouncer: run scripts/test.sh")
	}
	f := newFleet(t, demoModels)
	who := postgresUser(t)
	dir := ownDirectory(t, who)
	port := freePort(t)
	password, _ := f.database.User.Password()
	if password != "" {
		password = " password='" + password + "'"
	}
	conf := filepath.Join(dir, "pgbouncer.ini")
	text := fmt.Sprintf(`[databases]
* = host=%s port=%s user=%s%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
`, f.database.Hostname(), f.database.Port(), f.database.User.Username(), password, port)
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(pooler, conf)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	out := &logtest.Buffer{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("pgbouncer: %s", tail(out.String()))
		}
	})
	f.common = append(f.common, "DB_HOST=127.0.0.1", "DB_PORT="+port, "DB_SSLMODE=disable")
	f.startDaemon()
	f.startCollector()
	f.startCollector()
	n := f.startNode("node-a")
	key := f.key(n)
	asked := startTraffic(t, key, n)
	for i := range 10 {
		f.ctl("weights", "set", "demo", fmt.Sprintf("a=%d", i+2))
	}
	count := asked.end()
	var rows int64
	eventually.Nil(t, 30*time.Second, "every answer has its row", func() error {
		if err := f.query(t.Context(), "SELECT count(*) FROM api_logs", &rows); err != nil {
			return err
		}
		if rows != count {
			return fmt.Errorf("%d rows of %d", rows, count)
		}
		return nil
	})
	for _, args := range [][]string{{"logs", "search"}, {"usage", "--by", "key"}, {"stats"}, {"ledger"}, {"releases", "list"}} {
		if out := f.ctl(args...); strings.TrimSpace(out) == "" {
			t.Errorf("%v prints nothing", args)
		}
	}
	if status, body, err := fetch(t.Context(), http.MethodGet, f.admin+"/health", ""); err != nil || status != http.StatusOK || !strings.Contains(body, `"database":"ok"`) {
		t.Errorf("%d %s %v", status, body, err)
	}
}
