package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/eventually"
)

// startStandalone starts the quick start in a directory of its own.
func startStandalone(t *testing.T, dir string) (p *process, url, admin string) {
	t.Helper()
	port, control := freePort(t), freePort(t)
	p = launch(t, "standalone", []string{
		"PORT=" + port, "CONTROL_PORT=" + control, "STATE_DIR=" + dir,
		"MODELS_CONFIG=" + filepath.Join(root, "config", "models.yaml"), "ROUTING_CONFIG=" + filepath.Join(root, "config", "routing.yaml"),
	})
	url = "http://127.0.0.1:" + port
	serving(t, url+"/health/ready")
	return p, url, "http://127.0.0.1:" + control
}

func TestStandaloneQuickStart(t *testing.T) {
	dir := t.TempDir()
	p, url, admin := startStandalone(t, dir)
	eventually.Nil(t, 10*time.Second, "the greeting", func() error {
		out := p.out.String()
		for _, want := range []string{url + "/v1", "models   2 of 11 in service; `", "gatewayctl endpoints list --out --url " + admin + "` says why", "curl " + url} {
			if !strings.Contains(out, want) {
				return fmt.Errorf("lacks %q", want)
			}
		}
		return nil
	})
	if out, err := ctl(t, admin, "endpoints", "list", "--out"); err != nil || !containsAll(out, "DEEPSEEK_API_KEY is not set", "models.yaml:93", "VLLM_BASE_URL is not set") || strings.Contains(out, "demo:") {
		t.Errorf("%v\n%s", err, out)
	}
	for path, want := range map[string]string{"/health": `"status":"healthy"`, "/v1/models": `"id":"demo"`, "/routing": `"demo":[{"endpoint":"demo:demo-a"`, "/admin/routing": `"base_url"`} {
		if status, body, err := fetch(t.Context(), http.MethodGet, url+path, ""); err != nil || status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("GET %s: %d %s %v", path, status, body, err)
		}
	}
	const ping = `{"messages":[{"role":"user","content":"Ping"}],"max_tokens":64}`
	if status, body, err := fetch(t.Context(), http.MethodPost, url+"/v1/chat/completions", ping, "Content-Type", "application/json"); err != nil || status != http.StatusOK || !strings.Contains(body, "Pong") {
		t.Errorf("%d %s %v", status, body, err)
	}
	refused(t, "in use by another process", "STATE_DIR="+dir, "PORT="+freePort(t), "CONTROL_PORT="+freePort(t))
	refused(t, "address already in use: HOST and PORT", "STATE_DIR="+t.TempDir(), "PORT="+strings.TrimPrefix(url, "http://127.0.0.1:"), "CONTROL_PORT="+freePort(t))
	refused(t, "--insecure", "STATE_DIR="+t.TempDir(), "HOST=0.0.0.0")
	if out, err := ctl(t, admin, "weights", "set", "demo", "demo-a=0.25", "--wait"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	// told to stop in the middle of a stream, it finishes the stream
	stream := make(chan error, 1)
	go func() {
		_, out, err := fetch(t.Context(), http.MethodPost, url+"/v1/chat/completions", `{"model":"deepseek-chat","messages":[{"role":"user","content":"Count to 100"}],"stream":true}`)
		if err == nil && (!strings.Contains(out, `100"},"finish_reason"`) || !strings.HasSuffix(out, "data: [DONE]\n\n")) {
			err = fmt.Errorf("the stream was cut: %s", tail(out))
		}
		stream <- err
	}()
	eventually.Nil(t, 10*time.Second, "the stream runs", func() error {
		_, body, err := fetch(t.Context(), http.MethodGet, url+"/health", "")
		if err == nil && !strings.Contains(body, `"in_flight":1`) {
			err = fmt.Errorf("health %s", body)
		}
		return err
	})
	p.signal(syscall.SIGINT)
	if err := <-stream; err != nil {
		t.Error(err)
	}
	if err := p.wait(20 * time.Second); err != nil {
		t.Errorf("the end: %v", err)
	}

	_, url, admin = startStandalone(t, dir)
	if out, err := ctl(t, admin, "weights", "show", "demo"); err != nil || !strings.Contains(out, "0.25") {
		t.Errorf("after a restart: %v\n%s", err, out)
	}
	eventually.Nil(t, 20*time.Second, "both requests are in the log", func() error {
		_, body, err := fetch(t.Context(), http.MethodGet, url+"/admin/stats", "")
		if err == nil && (!strings.Contains(body, `"model_id":"demo"`) || !strings.Contains(body, `"model_id":"deepseek-v4-flash"`)) {
			err = fmt.Errorf("stats %s", body)
		}
		return err
	})
}

// refused starts a standalone that must end at once and say why.
func refused(t *testing.T, why string, env ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "standalone"))
	cmd.Dir = root
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "GORACE=" + os.Getenv("GORACE")}, env...)
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), why) {
		t.Errorf("with %v: %v, want %q:\n%s", env, err, why, tail(string(out)))
	}
}

func ctl(t *testing.T, admin string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "gatewayctl"), args...)
	cmd.Env = []string{"GATEWAY_ADMIN_URL=" + admin, "PATH=" + os.Getenv("PATH"), "GORACE=" + os.Getenv("GORACE"), "HOME=" + t.TempDir()}
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	return string(out), err
}
