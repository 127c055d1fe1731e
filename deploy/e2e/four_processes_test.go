package e2e_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/upstream"
	"github.com/hybridinference/gateway/shared/eventually"
)

// timeToApply is how long a change may take to reach a node.
const timeToApply = 10 * time.Second

const demoModels = `
default_model: demo
models:
  - id: demo
    name: Demo
    provider: demo
    supports_tools: true
    pricing: {prompt: "0.1", completion: "0.2"}
    route:
      - {id: a, kind: demo, weight: 0.5}
      - {id: b, kind: demo, weight: 0.5}
  - {id: other, name: Other, provider: demo}
`

func chatBody(model, text string, stream bool) string {
	return fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":%q}],"max_tokens":64,"stream":%v,"demo_delay_ms":0}`, model, text, stream)
}

func TestFourProcessesCountEveryRequest(t *testing.T) {
	f := newFleet(t, demoModels)
	f.startDaemon()
	f.startCollector()
	nodes := []*member{f.startNode("node-a"), f.startNode("node-b")}
	key := f.key(nodes...)
	const requests = 10_000
	want := map[string]int{"demo": requests / 2, "other": requests / 2}
	var failed atomic.Int64
	var wg sync.WaitGroup
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	for w := range 8 {
		wg.Go(func() {
			for i := w; i < requests; i += 8 {
				model := []string{"demo", "other"}[i/8%2]
				if err := ask(client, nodes[i%2].url, key, chatBody(model, "Ping", i%5 == 0)); err != nil {
					failed.Add(1)
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if failed.Load() > 0 {
		t.Fatalf("%d requests failed", failed.Load())
	}
	eventually.Nil(t, 60*time.Second, "every request has its row", func() error {
		for model, n := range want {
			var rows, distinct int
			if err := f.query(t.Context(), "SELECT COUNT(*), COUNT(DISTINCT request_id) FROM api_logs WHERE model_id = '"+model+"'", &rows, &distinct); err != nil {
				return err
			}
			if rows != n || distinct != n {
				return fmt.Errorf("%s: %d rows, %d distinct, want %d", model, rows, distinct, n)
			}
		}
		return nil
	})
	if got := f.statsCount(); got != requests {
		t.Errorf("/admin/stats counts %d requests, want %d", got, requests)
	}
}

func ask(client *http.Client, url, key, body string) error {
	req, err := http.NewRequest(http.MethodPost, url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	last := ""
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if lines.Text() != "" {
			last = lines.Text()
		}
	}
	if resp.StatusCode != http.StatusOK || !strings.Contains(last, "Pong") && last != "data: [DONE]" {
		return fmt.Errorf("status %d, last line %q", resp.StatusCode, last)
	}
	return nil
}

func (f *fleet) statsCount() int {
	f.t.Helper()
	status, body, err := fetch(f.t.Context(), http.MethodGet, f.admin+"/admin/stats?hours=2", "", "Authorization", "Bearer "+adminToken)
	if err != nil || status != http.StatusOK {
		f.t.Fatalf("%d %s %v", status, body, err)
	}
	var stats struct {
		Stats []struct {
			RequestCount int `json:"request_count"`
		}
	}
	if err := json.Unmarshal([]byte(body), &stats); err != nil {
		f.t.Fatal(err)
	}
	n := 0
	for _, row := range stats.Stats {
		n += row.RequestCount
	}
	return n
}

func TestWeightsMoveWhileAStreamRuns(t *testing.T) {
	f := newFleet(t, demoModels)
	daemon := f.startDaemon()
	a, b := f.startNode("node-a"), f.startNode("node-b")
	key := f.key(a, b)
	stream := make(chan error, 1)
	go func() {
		body := `{"model":"demo","messages":[{"role":"user","content":"Count to 60"}],"stream":true,"demo_delay_ms":50}`
		_, out, err := fetch(t.Context(), http.MethodPost, a.url+"/v1/chat/completions", body, "Authorization", "Bearer "+key)
		if err == nil && (!strings.Contains(out, `"content":"60"`) || !strings.HasSuffix(out, "data: [DONE]\n\n")) {
			err = fmt.Errorf("the stream was cut: %s", tail(out))
		}
		stream <- err
	}()
	var set struct {
		Release int
		Nodes   []struct{ Node, State string }
	}
	if err := json.Unmarshal([]byte(f.ctl("weights", "set", "demo", "a=0.9", "b=0.1", "--wait", "10s", "--reason", "test", "-o", "json")), &set); err != nil {
		t.Fatal(err)
	}
	if set.Release < 2 || len(set.Nodes) != 2 || set.Nodes[0].State != "applied" || set.Nodes[1].State != "applied" {
		t.Errorf("weights set: %+v", set)
	}
	for _, n := range []*member{a, b} {
		if _, body, err := fetch(t.Context(), http.MethodGet, n.url+"/routing", ""); err != nil || !strings.Contains(body, `"endpoint":"demo:a","provider":"Demo","weight":"90%"`) {
			t.Errorf("%s routes %s %v", n.id, body, err)
		}
	}
	// the daemon is restarted: the weights stay
	if err := daemon.stop(10 * time.Second); err != nil {
		t.Errorf("stop the daemon: %v", err)
	}
	daemon = f.startDaemon()
	if out := f.ctl("weights", "show", "demo", "-o", "json"); !strings.Contains(out, `0.9`) {
		t.Errorf("after a restart: %s", out)
	}
	// a broken file changes nothing and says why
	f.writeModels(strings.Replace(demoModels, "weight: 0.5", "weight: heavy", 1))
	daemon.signal(syscall.SIGHUP)
	eventually.Nil(t, timeToApply, "the daemon says what is wrong", func() error {
		if !strings.Contains(daemon.out.String(), "models.yaml:10") {
			return fmt.Errorf("log: %s", tail(daemon.out.String()))
		}
		return nil
	})
	// a good one is applied, the overrides stay
	f.writeModels(strings.Replace(demoModels, "id: other, name: Other", "id: another, name: Another", 1))
	daemon.signal(syscall.SIGHUP)
	eventually.Nil(t, timeToApply, "the new file is applied", func() error {
		_, body, err := fetch(t.Context(), http.MethodGet, b.url+"/routing", "")
		if err == nil && (!strings.Contains(body, `"another"`) || !strings.Contains(body, `"weight":"90%"`)) {
			err = fmt.Errorf("routing %s", body)
		}
		return err
	})
	f.ctl("weights", "reset", "demo", "--wait", "10s")
	if _, body, err := fetch(t.Context(), http.MethodGet, b.url+"/routing", ""); err != nil || strings.Contains(body, "90%") {
		t.Errorf("after a reset: %s %v", body, err)
	}
	if err := <-stream; err != nil {
		t.Error(err)
	}
}

func TestStartInAnyOrderAndOutlive(t *testing.T) {
	f := newFleet(t, demoModels)
	f.nats.kill()
	port := freePort(t)
	// a node before anything else: it waits and says so
	node := launch(t, "dataplane", append(append([]string{}, f.common...), "PORT="+port, "HOST=127.0.0.1", "NODE_ID=early", "STATE_DIR="+t.TempDir()))
	url := "http://127.0.0.1:" + port
	serving(t, url+"/health")
	if _, body, _ := fetch(t.Context(), http.MethodGet, url+"/health", ""); !strings.Contains(body, "NATS is unreachable") {
		t.Errorf("health %s", body)
	}
	f.startCollector()
	f.startNATS()
	daemon := f.startDaemon()
	m := &member{process: node, id: "early", url: url}
	serving(t, url+"/health/ready")
	key := f.key(m)
	daemon.kill()
	f.nats.kill()
	for range 10 {
		if status, body, err := fetch(t.Context(), http.MethodPost, url+"/v1/chat/completions", chatBody("demo", "Ping", false), "Authorization", "Bearer "+key); err != nil || status != http.StatusOK {
			t.Fatalf("with the control plane and NATS gone: %d %s %v", status, body, err)
		}
	}
	f.startNATS()
	f.startDaemon()
	eventually.Nil(t, 60*time.Second, "the events of the outage arrive", func() error {
		var n int
		if err := f.query(t.Context(), "SELECT COUNT(*) FROM api_logs", &n); err != nil {
			return err
		}
		if n != 10 {
			return fmt.Errorf("%d rows, want 10", n)
		}
		return nil
	})
	f.ctl("keys", "revoke", keyID(t, f))
	eventually.Nil(t, timeToApply, "the key is revoked", func() error {
		status, _, err := fetch(t.Context(), http.MethodGet, url+"/v1/models", "", "Authorization", "Bearer "+key)
		if err == nil && status != http.StatusUnauthorized {
			err = fmt.Errorf("status %d", status)
		}
		return err
	})
}

func keyID(t *testing.T, f *fleet) string {
	t.Helper()
	var keys []struct{ ID string }
	if err := json.Unmarshal([]byte(f.ctl("keys", "list", "-o", "json")), &keys); err != nil || len(keys) != 1 {
		t.Fatalf("keys %v %v", keys, err)
	}
	return keys[0].ID
}

func TestOpenAINodeSDK(t *testing.T) {
	f := newFleet(t, demoModels)
	f.startDaemon()
	n := f.startNode("node-a")
	key := f.key(n)
	cmd := exec.CommandContext(t.Context(), "node", "openai.mjs")
	cmd.Dir = "sdk"
	cmd.Env = append(os.Environ(), "BASE_URL="+n.url+"/v1", "API_KEY="+key)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestWeightsOverFourNodes: nodes that know nothing of each other's picks divide
// the traffic as the weights say, all together.
func TestWeightsOverFourNodes(t *testing.T) {
	most, rest := startUpstream(t), startUpstream(t)
	f := newFleet(t, fmt.Sprintf("models:\n  - id: m\n    route:\n      - {kind: vllm, id: a, weight: 0.8, base_url: %q}\n      - {kind: vllm, id: b, weight: 0.2, base_url: %q}\n", most.URL(), rest.URL()))
	f.startDaemon()
	nodes := make([]*member, 4)
	for i := range nodes {
		nodes[i] = f.startNode(fmt.Sprintf("node-%d", i))
	}
	key := f.key(nodes...)
	const each = 1000
	var all sync.WaitGroup
	for _, n := range nodes {
		for range 2 {
			all.Go(func() {
				for range each / 2 {
					status, body, err := fetch(t.Context(), http.MethodPost, n.url+"/v1/chat/completions", `{"messages":[{"role":"user","content":"x"}]}`, "Authorization", "Bearer "+key)
					if err != nil || status != http.StatusOK {
						t.Errorf("%s: %d %s %v", n.id, status, body, err)
						return
					}
				}
			})
		}
	}
	all.Wait()
	a, b := float64(most.Counts().Total.Requests), float64(rest.Counts().Total.Requests)
	// chi-square with one degree of freedom: 15.1 is passed by chance once in 10,000 runs
	want := 4.0 * each
	if chi := (a-0.8*want)*(a-0.8*want)/(0.8*want) + (b-0.2*want)*(b-0.2*want)/(0.2*want); a+b != want || chi > 15.1 {
		t.Errorf("%v and %v requests, chi-square %.1f", a, b, chi)
	}
}

func startUpstream(t *testing.T) *upstream.Server {
	t.Helper()
	server, err := upstream.Start(upstream.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}
