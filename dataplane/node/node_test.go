package node_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/dataplane/gateway"
	"github.com/hybridinference/gateway/dataplane/node"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/bus/bustest"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/wire"
)

// control plays the control plane's part on a real NATS server.
type control struct {
	t      *testing.T
	server *bustest.Server
	nc     *nats.Conn
	status chan *wire.NodeStatus
}

func newControl(t *testing.T, s *bustest.Server) *control {
	c := &control{t: t, server: s, nc: s.Connect("control"), status: make(chan *wire.NodeStatus, 256)}
	if _, err := c.nc.Subscribe(wire.NodeStatusPrefix+"*", func(m *nats.Msg) {
		st, err := wire.DecodeNodeStatus(m.Data)
		if err != nil {
			t.Error(err)
			return
		}
		c.status <- st
	}); err != nil {
		t.Fatal(err)
	}
	return c
}

func release(epoch, number uint64, models ...wire.Model) *wire.Release {
	r := &wire.Release{Epoch: epoch, Number: number, Snapshot: wire.Snapshot{Models: models}}
	r.Hash, _ = r.Snapshot.Sum()
	return r
}

func demo(id string) wire.Model {
	return wire.Model{ID: id, Name: id, Type: "chat", InputModalities: []string{"text"}, OutputModalities: []string{"text"}, Endpoints: []wire.Endpoint{{ID: id + ":demo-api", Kind: "demo", Provider: "Demo", Weight: 1, UpstreamModel: "demo"}}}
}

func (c *control) publish(r *wire.Release) {
	c.t.Helper()
	body, err := r.Encode()
	if err != nil {
		c.t.Fatal(err)
	}
	c.put(wire.ReleaseKey, r.Epoch, r.Number, body)
	c.beat(r.Epoch, r.Number, 0)
}

func (c *control) put(key string, epoch, gen uint64, body []byte) {
	c.t.Helper()
	doc, err := bus.Seal(key, epoch, gen, body)
	if err != nil {
		c.t.Fatal(err)
	}
	kv, err := bus.EnsureConfig(c.t.Context(), c.nc, 1)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := kv.Put(c.t.Context(), key, doc); err != nil {
		c.t.Fatal(err)
	}
}

func (c *control) beat(epoch, release, keys uint64) {
	c.t.Helper()
	b := wire.Beat{Epoch: epoch, Release: release, Keys: keys}
	data, err := b.Encode()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.nc.Publish(wire.BeatSubject, data); err != nil {
		c.t.Fatal(err)
	}
}

// await waits for a status that fits.
func (c *control) await(what string, fits func(*wire.NodeStatus) bool) *wire.NodeStatus {
	c.t.Helper()
	timeout := time.After(15 * time.Second)
	for {
		select {
		case s := <-c.status:
			if fits(s) {
				return s
			}
		case <-timeout:
			c.t.Fatalf("no status: %s", what)
		}
	}
}

func start(t *testing.T, url, dir string) (*node.Node, func()) {
	t.Helper()
	return startAs(t, "n1", url, dir)
}

// Nodes that share a directory have places of their own in it, and names by them.
func TestNodesShareADirectory(t *testing.T) {
	s, dir := bustest.Start(t), t.TempDir()
	var names []string
	for range 2 {
		n, err := node.New(t.Context(), node.Options{
			Node: "n", NATS: bus.Options{URL: s.ClientURL()}, StateDir: dir, SharedDir: true, Breaker: upstream.DefaultBreaker(), Gateway: gateway.Options{Addr: "127.0.0.1:0"},
			Secret: func(string) (string, bool) { return "", false }, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, n.Name())
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- n.Run(ctx) }()
		t.Cleanup(func() {
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	if names[0] != "n-1" || names[1] != "n-2" {
		t.Errorf("names %v", names)
	}
}

func startAs(t *testing.T, id, url, dir string) (*node.Node, func()) {
	t.Helper()
	return startWaiting(t, id, url, dir, time.Millisecond)
}

// startWaiting starts a node that lets requests wait for its first release.
func startWaiting(t *testing.T, id, url, dir string, await time.Duration) (*node.Node, func()) {
	t.Helper()
	n, err := node.New(t.Context(), node.Options{
		Node: id, Version: "test", NATS: bus.Options{URL: url}, StateDir: dir, Breaker: upstream.DefaultBreaker(),
		Gateway: gateway.Options{Addr: "127.0.0.1:0"}, Flush: 200 * time.Millisecond, Await: await, Secret: func(string) (string, bool) { return "", false },
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return n, run(t, n)
}

// run runs a node until stop is called.
func run(t *testing.T, n *node.Node) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			if err := <-done; err != nil {
				t.Log("stop:", err)
			}
		}
	}
	t.Cleanup(stop)
	return stop
}

func call(t *testing.T, n *node.Node, path, body string) (int, string) {
	t.Helper()
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+n.Addr()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func health(t *testing.T, n *node.Node) (h struct {
	Status  string
	Release uint64
	Notes   []string
},
) {
	t.Helper()
	_, body := call(t, n, "/health", "")
	if err := json.Unmarshal([]byte(body), &h); err != nil {
		t.Fatal(err)
	}
	return h
}

const ask = `{"messages":[{"role":"user","content":"Ping"}]}`

// A load balancer may know a new node by its name before the node has a release:
// what it sends is answered, not refused.
func TestRequestsWaitForTheFirstRelease(t *testing.T) {
	s := bustest.Start(t)
	c := newControl(t, s)
	n, _ := startWaiting(t, "n1", s.ClientURL(), t.TempDir(), time.Minute)
	answered := make(chan error, 1)
	go func() {
		resp, err := http.Post("http://"+n.Addr()+"/v1/chat/completions", "application/json", strings.NewReader(ask))
		if err == nil {
			defer func() { _ = resp.Body.Close() }()
			if resp.StatusCode != http.StatusOK {
				err = errors.New(resp.Status)
			}
		}
		answered <- err
	}()
	c.await("the node is there", func(s *wire.NodeStatus) bool { return s.Release == 0 })
	select {
	case err := <-answered:
		t.Fatalf("answered without a release: %v", err)
	default:
	}
	c.publish(release(5, 1, demo("a")))
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

func TestANodeFollowsReleases(t *testing.T) {
	s := bustest.Start(t)
	c := newControl(t, s)
	n, _ := start(t, s.ClientURL(), t.TempDir())
	if status, body := call(t, n, "/v1/chat/completions", ask); status != 503 || !strings.Contains(body, "it has received no release") {
		t.Fatalf("without a release: %d %s", status, body)
	}
	if status, _ := call(t, n, "/health/ready", ""); status != 503 {
		t.Error("ready without a release")
	}
	c.publish(release(5, 1, demo("a")))
	c.await("applied 1", func(s *wire.NodeStatus) bool { return s.Release == 1 && s.State == wire.StateApplied })
	if status, body := call(t, n, "/v1/chat/completions", ask); status != 200 || !strings.Contains(body, `"model":"a"`) {
		t.Fatalf("%d %s", status, body)
	}
	bad := demo("b")
	bad.Endpoints[0].Kind = "teapot"
	c.publish(release(5, 2, bad))
	st := c.await("rejected 2", func(s *wire.NodeStatus) bool { return s.Offered == 2 })
	if st.State != wire.StateRejected || st.Release != 1 || !strings.Contains(st.Reason, "teapot") {
		t.Errorf("status %+v", st)
	}
	c.publish(release(5, 3, demo("c")))
	c.await("applied 3", func(s *wire.NodeStatus) bool { return s.Release == 3 && s.State == wire.StateApplied })
	c.publish(release(5, 2, demo("old"))) // an older one is not taken
	c.publish(release(6, 1, demo("d")))   // a later epoch is, whatever its number
	c.await("epoch 6", func(s *wire.NodeStatus) bool { return s.Epoch == 6 && s.Release == 1 })
	if _, body := call(t, n, "/routing", ""); !strings.Contains(body, `"d":[`) || strings.Contains(body, "old") {
		t.Errorf("routing %s", body)
	}
}

func TestANodeStartsFromDiskAndOutlivesNATS(t *testing.T) {
	s := bustest.Start(t)
	c := newControl(t, s)
	dir := t.TempDir()
	n, stop := start(t, s.ClientURL(), dir)
	c.publish(release(5, 7, demo("a")))
	c.await("applied 7", func(s *wire.NodeStatus) bool { return s.Release == 7 })
	port, url := s.Port(), s.ClientURL()
	s.Stop()
	if status, _ := call(t, n, "/v1/chat/completions", ask); status != 200 {
		t.Errorf("with NATS gone: %d", status)
	}
	stop()

	n, stop = start(t, url, dir)
	if status, _ := call(t, n, "/v1/chat/completions", ask); status != 200 {
		t.Errorf("started without NATS: %d", status)
	}
	if h := health(t, n); h.Status != "degraded" || h.Release != 7 || !strings.Contains(strings.Join(h.Notes, ";"), "NATS is unreachable") {
		t.Errorf("health %+v", h)
	}
	// NATS comes back with its storage wiped: the node goes on, and takes what is put back
	s = bustest.StartOn(t, t.TempDir(), port)
	c = newControl(t, s)
	c.publish(release(5, 8, demo("b")))
	c.await("applied 8", func(s *wire.NodeStatus) bool { return s.Release == 8 && s.Source == wire.SourceNATS })
	stop()

	// a damaged document is passed over for the one before
	if err := os.WriteFile(filepath.Join(dir, "release.gws"), []byte("GWS1 damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	n, _ = start(t, url, dir)
	if h := health(t, n); h.Release != 7 {
		t.Errorf("after damage: %+v", h)
	}
}

func TestUsageReachesTheStreamAlsoAfterAnOutage(t *testing.T) {
	s := bustest.Start(t)
	c := newControl(t, s)
	if _, err := bus.EnsureUsage(t.Context(), c.nc, bus.Limits{}); err != nil {
		t.Fatal(err)
	}
	n, _ := start(t, s.ClientURL(), "")
	c.publish(release(5, 1, demo("a")))
	c.await("applied", func(s *wire.NodeStatus) bool { return s.Release == 1 })
	port, dir := s.Port(), s.Dir()
	s.Stop()
	for range 20 {
		if status, _ := call(t, n, "/v1/chat/completions", ask); status != 200 {
			t.Fatalf("with NATS gone: %d", status)
		}
	}
	s = bustest.StartOn(t, dir, port)
	c = newControl(t, s)
	c.await("all acknowledged", func(s *wire.NodeStatus) bool { return s.Usage.Acked == 20 && s.Usage.Pending == 0 })
	js, err := bus.EnsureUsage(t.Context(), c.nc, bus.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	sink, err := bus.EnsureSink(t.Context(), js, "test")
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for got < 20 {
		m, err := sink.Next()
		if err != nil {
			t.Fatal(err)
		}
		f, err := bus.DecodeFrame(m.Headers(), m.Data())
		if err != nil || f.Node != "n1" {
			t.Fatalf("%+v %v", f, err)
		}
		got += strings.Count(string(f.Lines), "\n")
	}
	if got != 20 {
		t.Errorf("%d events, want 20", got)
	}
}

// What one node has answered every node knows, within a second of its end.
func TestGenerationsAndSpendingAreTheFleets(t *testing.T) {
	server := bustest.Start(t)
	c := newControl(t, server)
	priced := demo("m")
	priced.Endpoints[0].Pricing = wire.Pricing{Prompt: "1", Completion: "1"}
	c.publish(release(1, 1, priced))
	a, _ := startAs(t, "a", server.ClientURL(), t.TempDir())
	b, _ := startAs(t, "b", server.ClientURL(), t.TempDir())
	for _, id := range []string{"a", "b"} {
		c.await(id+" has the release", func(s *wire.NodeStatus) bool { return s.Node == id && s.Release == 1 })
	}
	generation := func(n *node.Node) string {
		status, body := call(t, n, "/v1/chat/completions", ask)
		var answer struct{ ID string }
		if err := json.Unmarshal([]byte(body), &answer); err != nil || status != 200 {
			t.Fatalf("%d %s: %v", status, body, err)
		}
		return answer.ID
	}
	id := generation(a)
	begun := time.Now()
	if status, body := call(t, b, "/v1/generation?id="+id, ""); status != 200 || !strings.Contains(body, id) || time.Since(begun) > time.Second {
		t.Errorf("after %s: %d %s", time.Since(begun), status, body)
	}
	if status, body := call(t, b, "/v1/generation?id=gen-1-nobody", ""); status != 404 {
		t.Errorf("%d %s", status, body)
	}
	usage := func(n *node.Node) float64 {
		_, body := call(t, n, "/v1/key", "")
		var key struct{ Data struct{ Usage float64 } }
		if err := json.Unmarshal([]byte(body), &key); err != nil || key.Data.Usage <= 0 {
			t.Fatalf("%v: %s", err, body)
		}
		return key.Data.Usage
	}
	one := usage(b) // which has spent nothing itself
	generation(b)
	if two := usage(a); two != 2*one {
		t.Errorf("two requests cost %v, one %v", two, one)
	}
}

// Everything that New has made before it fails is gone afterwards: the next one
// can have it.
func TestAStartThatFailsLeavesNothingBehind(t *testing.T) {
	s := bustest.Start(t)
	dir := t.TempDir()
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	options := func(addr, url string) node.Options {
		return node.Options{
			Node: "n1", NATS: bus.Options{URL: url}, StateDir: dir, Breaker: upstream.DefaultBreaker(), Gateway: gateway.Options{Addr: addr},
			Secret: func(string) (string, bool) { return "", false }, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		}
	}
	if _, err := node.New(t.Context(), options(taken.Addr().String(), s.ClientURL())); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Fatalf("a port that is taken: %v", err)
	}
	addr := taken.Addr().String()
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := node.New(t.Context(), options(addr, "no such scheme://")); err == nil || !strings.Contains(err.Error(), "NATS") {
		t.Fatalf("a NATS URL that is none: %v", err)
	}
	begun := time.Now()
	n, err := node.New(t.Context(), options(addr, s.ClientURL()))
	if err != nil {
		t.Fatalf("after failed starts: %v", err)
	}
	if time.Since(begun) > time.Second {
		t.Errorf("the lock was waited for: %s", time.Since(begun))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Run(ctx); err != nil {
		t.Error(err)
	}
	eventually.True(t, "no connection to NATS is left", func() bool { return s.NumClients() == 0 })
}
