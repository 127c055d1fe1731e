package e2e_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/logs/logtest"
)

// process is a running binary whose output the test's log shows on failure.
type process struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd
	out  *logtest.Buffer
	done chan error
}

// launch starts a binary with exactly these variables and ends it with the test.
func launch(t *testing.T, name string, env []string, args ...string) *process {
	t.Helper()
	path := name
	if !strings.Contains(name, "/") {
		path = filepath.Join(bin, name)
	}
	p := &process{t: t, name: filepath.Base(name), cmd: exec.Command(path, args...), out: &logtest.Buffer{}, done: make(chan error, 1)}
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "GORACE=" + os.Getenv("GORACE"), "HOME=" + t.TempDir(), "METRICS_ADDR=off"}, env...)
	p.cmd.Dir = t.TempDir() // without a .env
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("output of %s:\n%s", p.name, tail(p.out.String()))
		}
		if strings.Contains(p.out.String(), "DATA RACE") {
			t.Errorf("%s: data race:\n%s", p.name, p.out)
		}
	})
	return p
}

func tail(s string) string { return s[max(0, len(s)-8000):] }

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Errorf("%s: %v", p.name, err)
	}
}

// ended reports whether the process has ended by itself.
func (p *process) ended() bool {
	select {
	case err := <-p.done:
		p.done <- err
		return true
	default:
		return false
	}
}

// kill ends the process as a crash would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	err := <-p.done
	p.done <- err
}

// stop asks the process to end and returns how it did.
func (p *process) stop(within time.Duration) error {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	return p.wait(within)
}

func (p *process) wait(within time.Duration) error {
	p.t.Helper()
	select {
	case err := <-p.done:
		p.done <- err
		return err
	case <-time.After(within):
		p.t.Fatalf("%s still runs after %s:\n%s", p.name, within, tail(p.out.String()))
		return nil
	}
}

// freePort returns a port that nothing listens on.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// fetch calls an HTTP endpoint and returns status and body.
func fetch(ctx context.Context, method, url, body string, headers ...string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

// serving waits until a URL answers 200.
func serving(t *testing.T, url string) {
	t.Helper()
	eventually.Nil(t, 20*time.Second, url, func() error {
		status, body, err := fetch(t.Context(), http.MethodGet, url, "")
		if err == nil && status != http.StatusOK {
			err = errors.New(strconv.Itoa(status) + " " + body)
		}
		return err
	})
}

func containsAll(s string, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(s, part) {
			return false
		}
	}
	return true
}
