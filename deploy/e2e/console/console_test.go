// Package console_test drives the console in Chromium, over a running gateway
// with traffic on it.
package console_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
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

	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/logs/logtest"
)

const adminToken = "an-admin-token-for-the-console-tests"

// hostile is what attackers would write wherever they can: shown, it is text;
// run, it leaves a mark that the script looks for.
const hostile = `"><img src=x onerror=window.hacked=1><script>window.hacked=1</script>`

const models = `models:
  - id: chat
    name: 'Chat %[2]s'
    pricing: {prompt: "1", completion: "2", input_cache_reads: "1"}
    route:
      - {kind: vllm, id: a, weight: 0.6, base_url: %[1]s/a/v1}
      - {kind: vllm, id: b, weight: 0.4, base_url: %[1]s/b/v1}
  - id: single
    pricing: {prompt: "1", completion: "2", input_cache_reads: "1"}
    route:
      - {kind: vllm, id: only, weight: 1, base_url: %[1]s/only/v1}
`

// upstream is an OpenAI-compatible server whose endpoints fail on request.
type upstream struct {
	mu      sync.Mutex
	failing map[string]bool
}

func (u *upstream) set(name string, failing bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.failing[name] = failing
}

// ServeHTTP answers /<endpoint>/v1/chat/completions, and for the script
// /fail/<endpoint> and /mend/<endpoint>.
func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if name == "fail" || name == "mend" {
		u.set(rest, name == "fail")
		return
	}
	body, _ := io.ReadAll(r.Body)
	u.mu.Lock()
	failing := u.failing[name]
	u.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if failing {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = fmt.Fprintf(w, `{"error":{"message":%q}}`, "out of memory "+hostile)
		return
	}
	if bytes.Contains(body, []byte(`"stream":true`)) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprintf(w, `data: {"id":"up-1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":%q},"finish_reason":null}]}`+"\n\n", "Hello "+hostile)
		_, _ = io.WriteString(w, `data: {"id":"up-1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`+"\n\n"+
			`data: {"id":"up-1","object":"chat.completion.chunk","model":"m","choices":[],"usage":{"prompt_tokens":400,"completion_tokens":100,"total_tokens":500}}`+"\n\ndata: [DONE]\n\n")
		return
	}
	_, _ = fmt.Fprintf(w, `{"id":"up-1","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":%q},"finish_reason":"stop"}],`+
		`"usage":{"prompt_tokens":400,"completion_tokens":100,"total_tokens":500}}`, "Hello "+hostile)
}

// gateway is a running standalone.
type gateway struct {
	t          *testing.T
	api, admin string
}

func start(t *testing.T, upstreamURL string) *gateway {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "standalone")
	build := exec.CommandContext(t.Context(), "go", "build", "-race", "-o", bin, "github.com/hybridinference/gateway/deploy/standalone")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"models.yaml": fmt.Sprintf(models, upstreamURL, strings.ReplaceAll(hostile, "'", "''")), "routing.yaml": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	port, control := freePort(t), freePort(t)
	cmd := exec.Command(bin)
	var out logtest.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &out
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "GORACE=" + os.Getenv("GORACE"), "METRICS_ADDR=off", "STATE_DIR=" + filepath.Join(dir, "state"), "MODELS_CONFIG=models.yaml", "ROUTING_CONFIG=routing.yaml",
		"PORT=" + port, "CONTROL_PORT=" + control, "ADMIN_TOKEN=" + adminToken, "USER_AUTH_ENABLED=true", "API_KEY_SECRET=a-secret-for-the-console-tests-1234",
		"DB_STORE_FULL_CONTENT=true", "CIRCUIT_FAILURE_THRESHOLD=3", "CIRCUIT_COOLDOWN_SECONDS=1", "LOG_LEVEL=warn",
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() || strings.Contains(out.String(), "DATA RACE") {
			t.Errorf("output of standalone:\n%s", out.String())
		}
	})
	g := &gateway{t: t, api: "http://127.0.0.1:" + port, admin: "http://127.0.0.1:" + control}
	eventually.Nil(t, 30*time.Second, "the gateway is ready", func() error {
		resp, err := http.Get(g.api + "/health/ready")
		if err == nil {
			err = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				err = fmt.Errorf("status %d", resp.StatusCode)
			}
		}
		return err
	})
	return g
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // only its number was wanted
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// create posts to the admin API and returns a field of the answer.
func (g *gateway) create(path, body, field string) string {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, g.admin+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // decoded to its end
	var answer map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusCreated {
		g.t.Fatalf("%s: %d %v %v", path, resp.StatusCode, answer, err)
	}
	return fmt.Sprint(answer[field])
}

// traffic asks for the model chat twenty times a second until ctx ends.
func (g *gateway) traffic(ctx context.Context, key string) {
	body, err := json.Marshal(map[string]any{"model": "chat", "temperature": 0.7, "messages": []any{map[string]string{"role": "user", "content": "Hi " + hostile}}})
	if err != nil {
		g.t.Error(err)
		return
	}
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.api+"/v1/chat/completions", bytes.NewReader(body))
		if err != nil {
			g.t.Error(err)
			return
		}
		req.Header.Set("Authorization", "Bearer "+key)
		req.Header.Set("User-Agent", "agent "+hostile)
		req.Header.Set("X-Title", "title "+hostile)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
	}
}

// TestConsole is what people do with the console; console.mjs has the steps.
// CONSOLE_SHOTS names the folder for the screenshots, by default the test's
// artifacts (go test -artifacts).
func TestConsole(t *testing.T) {
	up := &upstream{failing: map[string]bool{}}
	server := httptest.NewServer(up)
	t.Cleanup(server.Close)
	g := start(t, server.URL)
	quoted, err := json.Marshal("key " + hostile)
	if err != nil {
		t.Fatal(err)
	}
	key := g.create("/admin/keys", fmt.Sprintf(`{"name":%s,"role":"pro","user":%s}`, quoted, quoted), "key")
	viewer := g.create("/admin/operators", `{"name":"vera","role":"viewer"}`, "token")
	operator := g.create("/admin/operators", `{"name":"otto","role":"operator"}`, "token")
	shots := os.Getenv("CONSOLE_SHOTS")
	if shots == "" {
		shots = t.ArtifactDir()
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { g.traffic(ctx, key) })
	defer running.Wait()
	defer stop()
	cmd := exec.CommandContext(t.Context(), "node", "console.mjs")
	cmd.Env = append(os.Environ(), "API="+g.api, "ADMIN="+g.admin, "UPSTREAM="+server.URL, "API_KEY="+key, "ADMIN_TOKEN="+adminToken, "VIEWER="+viewer, "OPERATOR="+operator, "SHOTS="+shots)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("console.mjs: %v; screenshots are in %s", err, shots)
	}
}
