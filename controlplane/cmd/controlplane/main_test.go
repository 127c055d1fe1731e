package main // the test runs main itself, as a process of its own

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/bus/bustest"
	"github.com/hybridinference/gateway/shared/eventually"
)

const asMain = "GATEWAY_TEST_RUN_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process is a controlplane in a directory of its own.
func process(t *testing.T, dir string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self, args...)
	c.Dir = dir
	c.Env = append([]string{asMain + "=1", "GORACE=" + os.Getenv("GORACE")}, env...)
	return c
}

// finish runs a process to its end.
func finish(t *testing.T, c *exec.Cmd) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), out.String(), errs.String()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0, out.String(), errs.String()
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestEverySettingThatIsWrongIsTold(t *testing.T) {
	status, _, stderr := finish(t, process(t, t.TempDir(), []string{"CONTROL_PORT=many", "DB_BACKEND=d1"}, "serve", "--log-level", "loud", "--nonsense"))
	for _, want := range []string{
		`CONTROL_PORT must be an integer from 0 to 65535, got "many"`, "D1_ACCOUNT_ID must be set for Cloudflare D1", `--log-level must be one of`, "ADMIN_TOKEN must be set",
		"unknown flag --nonsense",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("%q is not told: %s", want, stderr)
		}
	}
	if status != 1 {
		t.Errorf("status %d", status)
	}
	if status, _, stderr := finish(t, process(t, t.TempDir(), nil, "srve")); status != 1 || !strings.Contains(stderr, "serve, collect, migrate, after-restore, compare, validate, signing-key, health") {
		t.Errorf("an unknown command: %d %s", status, stderr)
	}
}

func TestValidate(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "config/models.yaml", "models: [{id: demo, provider: demo}, {id: a, provider: vllm, base_url: '${FROM_DOTENV}', pricing: {prompt: 0, completion: 0}}]")
	write(t, dir, ".env", "FROM_DOTENV=http://10.0.0.1:8000\n")
	if status, stdout, stderr := finish(t, process(t, dir, nil, "validate")); status != 0 || stdout != "valid: 2 models, 2 endpoints\n" {
		t.Errorf("%d %s %s", status, stdout, stderr)
	}
	write(t, dir, "config/models.yaml", "models: [{id: demo, provider: dmo}, {idd: x}]")
	status, _, stderr := finish(t, process(t, dir, nil, "validate"))
	if lines := strings.Split(strings.TrimSpace(stderr), "\n"); status != 1 || len(lines) < 3 || !strings.HasPrefix(lines[0], "config/models.yaml:1: models[0].provider: ") {
		t.Errorf("%d %s", status, stderr)
	}
}

func TestMigrate(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		if status, stdout, stderr := finish(t, process(t, dir, []string{"DB_BACKEND=sqlite", "STATE_DIR=state"}, "migrate")); status != 0 || !strings.Contains(stdout, "are migrated") {
			t.Errorf("%d %s %s", status, stdout, stderr)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "state", "gateway.db")); err != nil {
		t.Error(err)
	}
}

// serving starts `serve` and returns its address, its log, and a stop.
func serving(t *testing.T, dir, nats string) (c *exec.Cmd, url string, stop func()) {
	t.Helper()
	c = process(t, dir, []string{"DB_BACKEND=sqlite", "ADMIN_TOKEN=an-admin-token-of-the-test", "NATS_URL=" + nats, "LOG_FORMAT=json", "CONTROL_HOST=127.0.0.1"}, "serve", "--control-port=0")
	log, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	found := make(chan string, 1)
	drained := make(chan string, 1)
	go func() { drained <- scan(log, found) }()
	stop = func() {
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		text := <-drained
		if err := c.Wait(); err != nil {
			t.Errorf("serve ended with %v: %s", err, text)
		}
	}
	select {
	case addr := <-found:
		return c, "http://" + addr, stop
	case text := <-drained:
		t.Fatalf("serve ended: %s", text)
	case <-time.After(20 * time.Second):
		t.Fatal("serve does not listen after 20 s")
	}
	return nil, "", nil
}

// scan reads a log to its end and tells the address in it.
func scan(log io.Reader, found chan<- string) string {
	var all strings.Builder
	for lines := bufio.NewScanner(log); lines.Scan(); {
		all.WriteString(lines.Text() + "\n")
		var line struct{ Msg, Addr string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			found <- line.Addr
		}
	}
	return all.String()
}

func release(t *testing.T, url string) float64 {
	t.Helper()
	resp, err := http.Get(url + "/health")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	var health map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&health); err != nil {
		t.Fatal(err)
	}
	n, ok := health["release"].(float64)
	if !ok {
		t.Fatalf("health %v", health)
	}
	return n
}

func TestServeReloadsOnHangupAndEndsOnTerm(t *testing.T) {
	s := bustest.Start(t)
	dir := t.TempDir()
	write(t, dir, "config/models.yaml", "models: [{id: demo, provider: demo}]")
	c, url, stop := serving(t, dir, s.ClientURL())
	reaches := func(n float64) {
		t.Helper()
		eventually.True(t, fmt.Sprintf("release %v is there", n), func() bool { return release(t, url) == n })
	}
	reaches(1)
	write(t, dir, "config/models.yaml", "models: [{id: demo, provider: demo}, {id: more, provider: demo}]")
	if err := c.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	reaches(2)
	stop()
	_, url, stop = serving(t, dir, s.ClientURL())
	reaches(2)
	stop()
}

func TestAfterRestoreHasItsOldName(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"after-restore", "restored"} {
		if status, stdout, stderr := finish(t, process(t, dir, []string{"DB_BACKEND=sqlite", "STATE_DIR=."}, name)); status != 0 || !strings.Contains(stdout, "are now current") {
			t.Errorf("%s: %d %s %s", name, status, stdout, stderr)
		}
	}
}

func TestHelpListsTheSettingsOfACommand(t *testing.T) {
	for command, want := range map[string]string{"serve": "CONTROL_HOST, HOST, --control-host TEXT", "collect": "(default 0)", "compare": "--compare-repair", "validate": "--models-config", "health": "COLLECT_HEALTH"} {
		status, stdout, stderr := finish(t, process(t, t.TempDir(), nil, command, "--help"))
		if status != 0 || !strings.HasPrefix(stdout, "controlplane "+command+" - ") || !strings.Contains(stdout, want) {
			t.Errorf("%s --help: %d %s %s", command, status, stdout, stderr)
		}
	}
}

// A collector has nothing to read again, and SIGHUP does not end it.
func TestCollectOutlivesHangup(t *testing.T) {
	s := bustest.Start(t)
	c := process(t, t.TempDir(), []string{"DB_BACKEND=sqlite", "NATS_URL=" + s.ClientURL(), "STATE_DIR=."}, "collect")
	var log safeBuffer
	c.Stderr = &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	eventually.True(t, "it collects", func() bool { return strings.Contains(log.String(), "collecting") })
	if err := c.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually.True(t, "SIGHUP is logged", func() bool { return strings.Contains(log.String(), "SIGHUP") })
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("%v: %s", err, log.String())
	}
}

// safeBuffer can be read while a process writes to it.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
