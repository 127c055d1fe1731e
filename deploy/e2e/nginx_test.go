package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/eventually"
)

// startNginx runs the real nginx with the project's configuration, but for the
// number of connections that an address may have.
func startNginx(t *testing.T, connections int, admin string, nodes ...string) (url string) {
	t.Helper()
	template, err := os.ReadFile(filepath.Join(root, "deploy", "nginx", "gateway.conf.template"))
	if err != nil {
		t.Fatal(err)
	}
	port, dir := freePort(t), t.TempDir()
	servers := ""
	for _, n := range nodes {
		servers += "server " + strings.TrimPrefix(n, "http://") + " max_fails=3 fail_timeout=2s; "
	}
	conf := strings.NewReplacer("${GATEWAY_RESOLVER}", "", "${GATEWAY_NODES}", servers, "${GATEWAY_LISTEN}", "127.0.0.1:"+port, "${GATEWAY_ADMIN}", strings.TrimPrefix(admin, "http://"), "${GATEWAY_ADMIN_ALLOW}", "allow 127.0.0.1;",
		"limit_conn gateway_addresses 1000;", fmt.Sprintf("limit_conn gateway_addresses %d;", connections)).Replace(string(template))
	whole := fmt.Sprintf("daemon off; error_log stderr warn; pid %[1]s/pid;\nevents {}\nhttp { access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;\n%[2]s\n}\n", dir, conf)
	if os.Geteuid() == 0 {
		whole = "user root;\n" + whole // its temporary directories are the test's
	}
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	p := launch(t, "/usr/sbin/nginx", nil, "-e", "stderr", "-p", dir, "-c", path)
	t.Cleanup(func() { _ = p.stop(10 * time.Second) })
	url = "http://127.0.0.1:" + port
	serving(t, url+"/health")
	return url
}

// TestRollingRestartBehindNginx restarts one node after the other under load:
// every request gets its whole answer.
func TestRollingRestartBehindNginx(t *testing.T) {
	f := newFleet(t, demoModels)
	f.startDaemon()
	grace := "DRAIN_GRACE_SECONDS=0.5"
	nodes := []*member{f.startNode("node-a", grace), f.startNode("node-b", grace)}
	key := f.key(nodes...)
	url := startNginx(t, 1000, f.admin, nodes[0].url, nodes[1].url)
	if status, body, err := fetch(t.Context(), http.MethodGet, url+"/admin/nodes", "", "Authorization", "Bearer "+adminToken); err != nil || status != 200 || !strings.Contains(body, "node-a") {
		t.Errorf("admin through nginx: %d %s %v", status, body, err)
	}
	chunkByChunk(t, url, key)

	var sent atomic.Int64
	stop, failed := make(chan struct{}), make(chan error, 8)
	for worker := range cap(failed) {
		go func() { failed <- hammer(t, url, key, worker%2 == 0, &sent, stop) }()
	}
	for i, id := range []string{"node-a", "node-b"} {
		n := nodes[i]
		for _, other := range nodes { // the one that was restarted has to be back in nginx's turn
			serves(t, other)
		}
		if err := n.stop(30 * time.Second); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		port := n.url[strings.LastIndexByte(n.url, ':')+1:]
		nodes[i] = f.restartNode(id, n.dir, port, grace)
	}
	close(stop)
	for range cap(failed) {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d requests during two restarts", sent.Load())
	errorsOfNginx(t, url, nodes)
}

// errorsOfNginx checks that what nginx answers by itself has the gateway's form.
// The nodes are stopped for it.
func errorsOfNginx(t *testing.T, url string, nodes []*member) {
	t.Helper()
	f := func(url, path, body string, status int, want string, headers ...string) {
		t.Helper()
		got, text, err := fetch(t.Context(), http.MethodPost, url+path, body, headers...)
		var parsed map[string]any
		if err != nil || got != status || json.Unmarshal([]byte(text), &parsed) != nil || !strings.Contains(text, want) {
			t.Errorf("%s: %d %v: %s\nwant %d with %s", path, got, err, text, status, want)
		}
	}
	f(url, "/v1/chat/completions", `{}`, 401, `"message":"No API key provided`) // the node's own
	large := strings.Repeat(" ", 51<<20)
	f(url, "/v1/chat/completions", large, 413, `{"error":{"code":413,"message":"The request body is larger than the proxy in front of the gateway accepts","metadata":{"error_type":"payload_too_large","request_id":"`)
	f(url, "/v1/messages", large, 413, `{"type":"error","error":{"type":"request_too_large","message":"The request body`)
	f(url, "/v1/models", "", 400, `{"error":{"code":400,"message":"The request is not valid HTTP"`, "X-Large", strings.Repeat("x", 40<<10))
	garbage, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = garbage.Close() }()
	_, err = io.WriteString(garbage, "GARBAGE\r\n\r\n")
	text, failed := io.ReadAll(garbage)
	if err := errors.Join(err, failed); err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 400 ") || !strings.Contains(string(text), `{"error":{"code":400,`) {
		t.Errorf("garbage: %v: %s", err, text)
	}
	f(url, "/v1/models?"+strings.Repeat("x", 40<<10), "", 414, `"code":414,"message":"The request's URI is too long"`)
	narrow := startNginx(t, 1, url, nodes[0].url)
	var waiting []net.Conn // for the rest of their bodies
	defer func() {
		for _, held := range waiting {
			_ = held.Close()
		}
	}()
	eventually.True(t, "the second connection is refused", func() bool {
		held, err := net.Dial("tcp", strings.TrimPrefix(narrow, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		// nginx may still count a request that was answered: then this one is refused itself, and another is tried
		waiting = append(waiting, held)
		if _, err := io.WriteString(held, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{"); err != nil {
			t.Fatal(err)
		}
		status, _, err := fetch(t.Context(), http.MethodGet, narrow+"/health", "")
		return err == nil && status == http.StatusTooManyRequests
	})
	f(narrow, "/v1/models", "", 429, `"code":429,"message":"Too many connections from your address"`)
	for _, held := range waiting { // a node that stops waits for a body whose head it has
		_ = held.Close()
	}
	for _, n := range nodes {
		if err := n.stop(30 * time.Second); err != nil {
			t.Error(err)
		}
	}
	f(url, "/v1/chat/completions", `{}`, 502, `{"error":{"code":502,"message":"No node of the gateway is reachable","metadata":{"error_type":"provider_unavailable"`)
	f(url, "/v1/messages/count_tokens", `{}`, 502, `{"type":"error","error":{"type":"api_error","message":"No node of the gateway is reachable"},"request_id":"`)
}

// chunkByChunk checks that nginx passes on chunks when they arrive.
func chunkByChunk(t *testing.T, url, key string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/chat/completions", strings.NewReader(`{"model":"demo","messages":[{"role":"user","content":"Count to 20"}],"stream":true}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	reads, buf := 0, make([]byte, 64<<10)
	for {
		n, err := resp.Body.Read(buf)
		if n > 0 {
			reads++
		}
		if err != nil {
			break
		}
	}
	if reads < 15 { // the demo pauses between its 20 chunks
		t.Errorf("a stream of 20 chunks arrived in %d pieces", reads)
	}
}

// hammer sends one request after the other until stop, and returns what went wrong.
func hammer(t *testing.T, url, key string, stream bool, sent *atomic.Int64, stop <-chan struct{}) error {
	body := fmt.Sprintf(`{"model":"demo","messages":[{"role":"user","content":"Count to 5"}],"stream":%v,"demo_delay_ms":5}`, stream)
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		status, out, err := fetch(t.Context(), http.MethodPost, url+"/v1/chat/completions", body, "Authorization", "Bearer "+key)
		whole := strings.Contains(out, "1 2 3 4 5")
		if stream {
			whole = strings.HasSuffix(out, "data: [DONE]\n\n") && strings.Contains(out, `"finish_reason":"stop"`)
		}
		if err != nil {
			return fmt.Errorf("request %d, stream %v: %w", sent.Load(), stream, err)
		}
		if status != http.StatusOK || !whole {
			return fmt.Errorf("request %d, stream %v: %d %s", sent.Load(), stream, status, tail(out))
		}
		sent.Add(1)
	}
}

// serves waits until a node is given requests.
func serves(t *testing.T, n *member) {
	t.Helper()
	eventually.Nil(t, 20*time.Second, n.id+" is given requests", func() error {
		_, body, err := fetch(t.Context(), http.MethodGet, n.url+"/health", "")
		var h struct {
			InFlight int `json:"in_flight"`
		}
		if err == nil {
			err = json.Unmarshal([]byte(body), &h)
		}
		if err == nil && h.InFlight == 0 {
			err = errors.New("nothing in flight")
		}
		return err
	})
}
