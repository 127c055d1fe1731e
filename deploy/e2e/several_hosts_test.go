package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/eventually"
)

// hostsOf is the deployment of the guide's chapter on several hosts: three with
// NATS, one with PostgreSQL, one with the daemon and a collector, one with
// another collector, three nodes, and nginx.
type severalHosts struct {
	t        *testing.T
	net      *network
	nats     [3]*host
	database *host
	control  *host
	second   *host // of the collectors
	nodes    [3]*host
	edge     *host
	units    map[string]*process // by host and unit
	key      string
}

const hostsSubnet = "10.77.0"

// newSeveralHosts does what the guide says, with the scripts that it names.
func newSeveralHosts(t *testing.T) *severalHosts {
	t.Helper()
	s := &severalHosts{t: t, net: newNetwork(t, hostsSubnet), units: map[string]*process{}}
	for i := range s.nats {
		s.nats[i] = s.net.host(fmt.Sprintf("nats-%d", i+1))
	}
	s.database = s.net.host("db")
	s.control, s.second = s.net.host("control"), s.net.host("second")
	for i := range s.nodes {
		s.nodes[i] = s.net.host(fmt.Sprintf("node-%d", i+1))
	}
	s.edge = s.net.host("edge")

	bundle := t.TempDir()
	nats := filepath.Join(bundle, "nats")
	s.net.run(filepath.Join(bin, "gatewayctl"), "nats", "setup", "--dir", nats, "--hosts", s.nats[0].ip+","+s.nats[1].ip+","+s.nats[2].ip,
		"--nodes", "node-1,node-2,node-3", "--install-dir", "/etc/gateway/nats")
	config := filepath.Join(bundle, "config")
	if err := os.MkdirAll(config, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"models.yaml": demoModels, "routing.yaml": "routing_strategy: fixed\n"} {
		if err := os.WriteFile(filepath.Join(config, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range s.net.hosts {
		if h == s.database || h == s.edge {
			continue
		}
		h.show(bin, "/root/gateway/bin")
		h.bring(nats, "/root/gateway/nats")
		h.bring(config, "/root/gateway/config")
		h.bring(filepath.Join(root, "deploy", "systemd"), "/root/gateway/deploy/systemd")
	}
	s.database.postgres("/var/lib/gateway-postgres", "gateway", "db-password", "gateway")
	for _, h := range s.nats {
		s.install(h, "nats", "--name", h.ip)
	}
	s.install(s.control, "controlplane")
	s.install(s.control, "collector")
	s.install(s.second, "collector")
	for _, h := range s.nodes {
		s.install(h, "dataplane", "--name", h.name)
	}
	s.start()
	return s
}

// install runs the script, and fills in what it says is left to the operator.
func (s *severalHosts) install(h *host, role string, args ...string) {
	s.t.Helper()
	said := h.must(nil, append([]string{"/root/gateway/deploy/systemd/install.sh", role}, args...)...)
	if !strings.Contains(said, "installed gateway-"+role) {
		s.t.Fatalf("%s: %s", h.name, said)
	}
	if role == "nats" {
		return
	}
	path := h.path("/etc/gateway/" + role + ".env")
	text, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	filled := strings.NewReplacer("10.0.0.1:", s.nats[0].ip+":", "10.0.0.2:", s.nats[1].ip+":", "10.0.0.3:", s.nats[2].ip+":", "10.0.0.5", s.database.ip,
		"DRAIN_GRACE_SECONDS=2", "DRAIN_GRACE_SECONDS=1", "TRUSTED_PROXIES=10.0.0.0/8", "TRUSTED_PROXIES="+s.edge.ip, "ADMIN_TOKEN=change-me", "ADMIN_TOKEN="+adminToken, "API_KEY_SECRET=change-me", "API_KEY_SECRET="+keySecret,
		"DB_PASSWORD=change-me", "DB_PASSWORD=db-password", "DB_SSLMODE=require", "DB_SSLMODE=prefer").Replace(string(text))
	if filled == string(text) && strings.Contains(filled, "change-me") {
		s.t.Fatalf("%s: nothing was filled in:\n%s", path, text)
	}
	if err := os.WriteFile(path, []byte(filled), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *severalHosts) up(h *host, unit string) {
	s.t.Helper()
	s.units[h.name+" "+unit] = h.systemctl(unit)
}

// restart is what the guide says of an upgrade: the new program, then the unit.
func (s *severalHosts) restart(h *host, role string, args ...string) {
	s.t.Helper()
	s.install(h, role, args...)
	if err := s.units[h.name+" gateway-"+role].stop(60 * time.Second); err != nil {
		s.t.Errorf("%s: gateway-%s: %v", h.name, role, err)
	}
	s.up(h, "gateway-"+role)
}

func (s *severalHosts) start() {
	s.t.Helper()
	for _, h := range s.nats {
		s.up(h, "gateway-nats")
	}
	s.up(s.control, "gateway-controlplane")
	s.up(s.control, "gateway-collector")
	s.up(s.second, "gateway-collector")
	for _, h := range s.nodes {
		s.up(h, "gateway-dataplane")
		s.ready(h)
	}
	s.healthy(s.control, "/usr/local/bin/controlplane", "health")
	servers := ""
	for _, h := range s.nodes {
		servers += "server " + h.ip + ":8080 max_fails=3 fail_timeout=2s; "
	}
	s.edge.nginx(map[string]string{"GATEWAY_RESOLVER": "", "GATEWAY_NODES": servers, "GATEWAY_LISTEN": "80", "GATEWAY_ADMIN": s.control.ip + ":8081", "GATEWAY_ADMIN_ALLOW": "allow " + s.edge.ip + ";"})
	var made struct{ Key string }
	s.ctlJSON(&made, "keys", "create", "--name", "e2e", "--wait")
	s.key = made.Key
	eventually.Nil(s.t, 20*time.Second, "nginx serves", func() error { _, err := s.ask(s.edge.client(), true); return err })
}

func (s *severalHosts) ready(h *host) {
	s.t.Helper()
	s.healthy(h, "/usr/local/bin/dataplane", "health")
}

// serves waits until nginx sends requests to a node.
func (s *severalHosts) serves(h *host) {
	s.t.Helper()
	issued := func() (uint64, error) {
		out, err := s.tryCtl("ledger", "-o", "json")
		if err != nil {
			return 0, fmt.Errorf("%w: %s", err, out)
		}
		var ledger struct {
			Nodes []struct {
				Node   string
				Issued uint64
			}
		}
		if err := json.Unmarshal([]byte(out), &ledger); err != nil {
			return 0, fmt.Errorf("%w: %s", err, out)
		}
		for _, n := range ledger.Nodes {
			if n.Node == h.name {
				return n.Issued, nil
			}
		}
		return 0, fmt.Errorf("%s is not in %s", h.name, out)
	}
	var before uint64
	eventually.Nil(s.t, 30*time.Second, h.name+" is in the ledger", func() (err error) { before, err = issued(); return err })
	eventually.Nil(s.t, 30*time.Second, h.name+" gets requests", func() error {
		n, err := issued()
		if err == nil && n <= before {
			before = n // its count began anew
			err = fmt.Errorf("still %d usage events", n)
		}
		return err
	})
}

func (s *severalHosts) healthy(h *host, args ...string) {
	s.t.Helper()
	eventually.Nil(s.t, 30*time.Second, h.name+" is ready", func() error {
		out, err := h.do(nil, args...)
		if err != nil {
			return errors.New(out)
		}
		return nil
	})
}

// ask sends one request through nginx and returns its generation.
func (s *severalHosts) ask(client *http.Client, stream bool) (string, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 4*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.edge.ip+"/v1/chat/completions",
		strings.NewReader(fmt.Sprintf(`{"model":"demo","messages":[{"role":"user","content":"Count to 5"}],"stream":%v,"demo_delay_ms":5}`, stream)))
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	// A reload of nginx closes connections that are idle, maybe just when a client
	// begins to use one: as SDKs do, ask once more then. The header is not sent.
	req.Header["Idempotency-Key"] = []string{}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	whole := strings.Contains(string(body), "1 2 3 4 5")
	if stream {
		whole = strings.HasSuffix(string(body), "data: [DONE]\n\n") && strings.Contains(string(body), `"finish_reason":"stop"`)
	}
	if resp.StatusCode != http.StatusOK || !whole {
		return "", fmt.Errorf("%d %s", resp.StatusCode, tail(string(body)))
	}
	return resp.Header.Get("X-Generation-Id"), nil
}

// flow is traffic: it runs until stop is called, and remembers every answer.
type flow struct {
	s       *severalHosts
	ids     finished
	failed  atomic.Int64
	first   atomic.Pointer[error]
	stop    chan struct{}
	running sync.WaitGroup
	asked   []atomic.Int64 // by worker, answered or failed
}

func (s *severalHosts) flow(workers int) *flow {
	tr := &flow{s: s, stop: make(chan struct{}), asked: make([]atomic.Int64, workers)}
	client := s.edge.client()
	for w := range workers {
		tr.running.Go(func() {
			for i := w; ; i++ {
				select {
				case <-tr.stop:
					return
				default:
				}
				id, err := s.ask(client, i%2 == 0)
				tr.asked[w].Add(1)
				if err != nil {
					tr.failed.Add(1)
					tr.first.CompareAndSwap(nil, &err)
					continue
				}
				tr.ids.note(id)
				time.Sleep(20 * time.Millisecond) // a pace: two cores are shared with eleven hosts
			}
		})
	}
	return tr
}

// goesOn waits until every worker has finished so many more requests, well or not.
func (tr *flow) goesOn(requests int64) {
	tr.s.t.Helper()
	for w := range tr.asked {
		want := tr.asked[w].Load() + requests
		eventually.True(tr.s.t, fmt.Sprintf("worker %d has asked %d more times", w, requests), func() bool { return tr.asked[w].Load() >= want })
	}
}

// calm fails the test if more requests failed since the last call than may.
func (tr *flow) calm(what string, allowed int64) {
	tr.s.t.Helper()
	n := tr.failed.Swap(0)
	first := tr.first.Swap(nil)
	tr.ids.mu.Lock()
	count := len(tr.ids.ids)
	tr.ids.mu.Unlock()
	tr.s.t.Logf("%s: %d answers so far, %d failed meanwhile", what, count, n)
	if n > allowed {
		tr.s.t.Errorf("%s: %d requests failed, of which the first: %v", what, n, *first)
	}
}

// TestSeveralHosts installs the gateway on eleven hosts as the guide says,
// under traffic cuts one off, kills another, and upgrades all of them. No request
// fails that was not on the host that was lost, and each has its row.
func TestSeveralHosts(t *testing.T) {
	t.Parallel() // it waits most of the time
	s := newSeveralHosts(t)
	const workers = 6
	tr := s.flow(workers)
	tr.goesOn(10)
	tr.calm("everything is up", 0)

	s.nodes[1].cut(true)
	tr.goesOn(30) // what hangs ends when its client has waited long enough
	tr.calm("a node is cut off", workers)
	tr.goesOn(30)
	tr.calm("a node is cut off for good", 0)
	s.nodes[1].cut(false)
	s.serves(s.nodes[1])
	tr.calm("it is back", workers) // what hung may end now

	s.nats[0].crash()
	s.second.crash()
	tr.goesOn(50)
	tr.calm("a NATS server and a collector are dead", 0)
	out := s.ctl("weights", "set", "demo", "a=0.5", "--wait", "--reason", "with two of three NATS servers")
	if !strings.Contains(out, "node-3") {
		t.Errorf("weights set: %s", out)
	}
	s.up(s.nats[0], "gateway-nats")
	s.up(s.second, "gateway-collector")
	s.control.crash()
	tr.goesOn(50)
	tr.calm("the control plane is dead", 0)
	s.up(s.control, "gateway-controlplane")
	s.up(s.control, "gateway-collector")
	s.healthy(s.control, "/usr/local/bin/controlplane", "health")

	s.upgrade()
	tr.calm("everything was upgraded", 0)
	close(tr.stop)
	tr.running.Wait()
	s.stored(tr.ids.ids)
}

// upgrade is the guide's chapter of that name.
func (s *severalHosts) upgrade() {
	began := time.Now()
	defer func() { s.t.Logf("the upgrade took %s", time.Since(began)) }()
	for _, h := range s.nats {
		s.restart(h, "nats", "--name", h.ip)
		eventually.Nil(s.t, 30*time.Second, "NATS has its streams", func() error { _, err := s.tryCtl("ledger"); return err })
	}
	s.restart(s.control, "controlplane")
	s.healthy(s.control, "/usr/local/bin/controlplane", "health")
	s.restart(s.control, "collector")
	s.restart(s.second, "collector")
	for _, h := range s.nodes {
		s.restart(h, "dataplane", "--name", h.name)
		s.ready(h)
		s.serves(h)
	}
}

// stored waits until nothing is on its way any more, and looks for every answer.
func (s *severalHosts) stored(ids []string) {
	s.t.Helper()
	eventually.Nil(s.t, 60*time.Second, "the ledger is balanced", func() error {
		out, err := s.tryCtl("ledger", "-o", "json")
		if err == nil && !containsAll(out[strings.Index(out, `"sum"`):], `"pending": 0`, `"lost": 0`, `"balanced": true`, `"waiting_frames": 0`, `"frames_in_hand": 0`) {
			err = errors.New("not yet")
		}
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	rows := strings.Fields(s.database.must([]string{"PGPASSWORD=db-password"}, "psql", "-h", "127.0.0.1", "-U", "gateway", "-d", "gateway", "-Atc", "SELECT request_id FROM api_logs"))
	have := map[string]int{}
	for _, id := range rows {
		have[id]++
	}
	for _, id := range ids {
		if have[id] != 1 {
			s.t.Errorf("%s has %d rows", id, have[id])
		}
	}
	s.t.Logf("result: several hosts: %d answers, %d rows", len(ids), len(rows))
}

func (s *severalHosts) tryCtl(args ...string) (string, error) {
	return s.control.do([]string{"ADMIN_TOKEN=" + adminToken}, append([]string{"/usr/local/bin/gatewayctl"}, args...)...)
}

func (s *severalHosts) ctl(args ...string) string {
	s.t.Helper()
	out, err := s.tryCtl(args...)
	if err != nil {
		s.t.Fatalf("gatewayctl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (s *severalHosts) ctlJSON(into any, args ...string) {
	s.t.Helper()
	unmarshal(s.t, s.ctl(append(args, "-o", "json")...), into)
}
