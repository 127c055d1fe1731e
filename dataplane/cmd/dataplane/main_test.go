package main // the test runs main itself, as a process of its own

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/bus/bustest"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/wire"
)

const asMain = "GATEWAY_TEST_RUN_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// instance is a dataplane in a directory of its own.
type instance struct {
	*exec.Cmd

	t    *testing.T
	addr string
	mu   sync.Mutex
	log  bytes.Buffer
	done chan error
}

// launch starts a node and waits until it listens.
func launch(t *testing.T, dir string, env ...string) *instance {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &instance{Cmd: exec.CommandContext(t.Context(), self), t: t, done: make(chan error, 1)}
	p.Dir, p.Env = dir, append([]string{asMain + "=1", "GORACE=" + os.Getenv("GORACE"), "HOST=127.0.0.1", "PORT=0", "NODE_ID=n1", "LOG_FORMAT=json", "USER_AUTH_ENABLED=false"}, env...)
	log, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	listening := make(chan string, 1)
	go func() { p.done <- errors.Join(p.read(log, listening), p.Wait()) }()
	select {
	case p.addr = <-listening:
	case err := <-p.done:
		t.Fatalf("dataplane ended: %v: %s", err, p.text())
	case <-time.After(eventually.Limit):
		t.Fatalf("dataplane does not listen: %s", p.text())
	}
	return p
}

func (p *instance) read(log io.Reader, listening chan<- string) error {
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		p.mu.Lock()
		p.log.Write(append(lines.Bytes(), '\n'))
		p.mu.Unlock()
		var line struct{ Msg, Addr string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			listening <- line.Addr
		}
	}
	return lines.Err()
}

func (p *instance) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

func (p *instance) signal(s os.Signal) {
	p.t.Helper()
	if err := p.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// stop ends the node and returns how it ended.
func (p *instance) stop() error {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	select {
	case err := <-p.done:
		return err
	case <-time.After(eventually.Limit):
		p.t.Fatalf("dataplane still runs: %s", p.text())
		return nil
	}
}

func (p *instance) ask() (string, error) {
	resp, err := http.Post("http://"+p.addr+"/v1/chat/completions", "application/json", strings.NewReader(`{"messages":[{"role":"user","content":"Ping"}]}`))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(resp.Body)
	return fmt.Sprint(resp.StatusCode, " ", string(text)), errors.Join(err, resp.Body.Close())
}

// publish puts a release of one model into service whose endpoint needs a key.
func publish(t *testing.T, s *bustest.Server, baseURL, variable string) {
	t.Helper()
	r := &wire.Release{Epoch: 1, Number: 1, Snapshot: wire.Snapshot{Models: []wire.Model{{
		ID: "m", Name: "m", Type: "chat", InputModalities: []string{"text"}, OutputModalities: []string{"text"},
		Endpoints: []wire.Endpoint{{ID: "m:up", Kind: "vllm", Provider: "Up", BaseURL: baseURL, UpstreamModel: "m", Weight: 1, Secrets: []string{variable}}},
	}}}}
	r.Hash, _ = r.Snapshot.Sum()
	body, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := bus.Seal(wire.ReleaseKey, 1, 1, body)
	if err != nil {
		t.Fatal(err)
	}
	if err := bus.Publish(t.Context(), s.Connect("control"), wire.ReleaseKey, doc, 1); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A provider's key is rotated while the node serves: by SIGHUP after .env has
// changed, and without one when the file that holds the key has.
func TestKeysAreRotatedWithoutARestart(t *testing.T) {
	keys := make(chan string, 1)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-keys:
		default:
		}
		keys <- r.Header.Get("Authorization")
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"Pong"}}]}`)
	}))
	defer upstream.Close()
	s := bustest.Start(t)
	publish(t, s, upstream.URL+"/v1", "UP_KEY")
	sent := func(p *instance, want string) {
		t.Helper()
		eventually.Nil(t, 20*time.Second, "the upstream gets "+want, func() error {
			answer, err := p.ask()
			if err != nil || !strings.HasPrefix(answer, "200 ") {
				return errors.Join(err, fmt.Errorf("%s: %s", answer, p.text()))
			}
			if got := <-keys; got != "Bearer "+want {
				return fmt.Errorf("it got %q", got)
			}
			return nil
		})
	}
	dir := t.TempDir()
	dotenv, file := filepath.Join(dir, ".env"), filepath.Join(dir, "key")
	write(t, dotenv, "UP_KEY=first-key\n")
	p := launch(t, dir, "NATS_URL="+s.ClientURL(), "STATE_DIR=state")
	sent(p, "first-key")
	write(t, dotenv, "UP_KEY=second-key\nMAX_BODY_BYTES=5000\n")
	p.signal(syscall.SIGHUP)
	sent(p, "second-key")
	eventually.True(t, "the log names what needs a restart", func() bool {
		return strings.Contains(p.text(), `"changed settings take effect after a restart","variables":"MAX_BODY_BYTES"`)
	})
	write(t, dotenv, "UP_KEY=third\nhunter2\n") // half written
	p.signal(syscall.SIGHUP)
	eventually.True(t, "the broken file is reported", func() bool { return strings.Contains(p.text(), ".env:2: must have the form NAME=value") })
	sent(p, "second-key")
	if strings.Contains(p.text(), "hunter2") || strings.Contains(p.text(), "second-key") {
		t.Errorf("a secret is in the log: %s", p.text())
	}
	write(t, file, "fourth-key\n")
	write(t, dotenv, "UP_KEY_FILE="+file+"\n")
	p.signal(syscall.SIGHUP)
	sent(p, "fourth-key")
	write(t, file, "fifth-key-by-itself\n")
	sent(p, "fifth-key-by-itself")
	if err := p.stop(); err != nil {
		t.Errorf("the end: %v: %s", err, p.text())
	}
}

// The first signal says how many requests are waited for, the second does not
// wait for them, however soon it comes.
func TestASecondSignalEndsAtOnce(t *testing.T) {
	asked, end := make(chan struct{}), make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		asked <- struct{}{}
		<-end
	}))
	defer upstream.Close()
	defer close(end)
	s := bustest.Start(t)
	publish(t, s, upstream.URL+"/v1", "UP_KEY")
	for name, soon := range map[string]bool{"at once": true, "while it drains": false} {
		p := launch(t, t.TempDir(), "NATS_URL="+s.ClientURL(), "STATE_DIR=state", "UP_KEY=a-key")
		eventually.True(t, "the release is there", func() bool {
			resp, err := http.Get("http://" + p.addr + "/health/ready")
			return err == nil && resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
		})
		go func() { _, _ = p.ask() }() // it is cut
		<-asked
		p.signal(syscall.SIGINT)
		if !soon {
			eventually.True(t, "the log says what is in flight", func() bool { return strings.Contains(p.text(), `"msg":"draining","in_flight":1`) })
		}
		p.signal(syscall.SIGTERM)
		select {
		case err := <-p.done:
			// The system may hand over two signals that wait in either order.
			if failed, ok := errors.AsType[*exec.ExitError](err); !ok || failed.ExitCode() != 143 && failed.ExitCode() != 130 {
				t.Errorf("%s: it ended with %v", name, err)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s: it still waits: %s", name, p.text())
		}
	}
}

func TestVersion(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"--version", "version"} {
		cmd := exec.CommandContext(t.Context(), self, word)
		cmd.Env = []string{asMain + "=1", "GORACE=" + os.Getenv("GORACE")}
		if out, err := cmd.CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "dataplane dev (go1.") {
			t.Errorf("%s: %v %q", word, err, out)
		}
	}
}
