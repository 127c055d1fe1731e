package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/wire"
)

// traffic asks all nodes in turn, without a pause, until it is stopped.
type traffic struct {
	t      *testing.T
	stop   context.CancelFunc
	all    sync.WaitGroup
	asked  atomic.Int64
	failed atomic.Int64
}

func startTraffic(t *testing.T, key string, nodes ...*member) *traffic {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	f := &traffic{t: t, stop: cancel}
	t.Cleanup(func() { // of a test that has failed
		cancel()
		f.all.Wait()
	})
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}, Timeout: 30 * time.Second}
	for w := range 3 {
		f.all.Go(func() {
			for i := w; ctx.Err() == nil; i++ {
				n := nodes[i%len(nodes)]
				if err := ask(client, n.url, key, chatBody("demo", "Ping", i%3 == 0)); err != nil {
					f.failed.Add(1)
					t.Errorf("%s: %v", n.id, err)
				}
				f.asked.Add(1)
				time.Sleep(5 * time.Millisecond) // two cores are shared with the whole fleet
			}
		})
	}
	return f
}

// until waits for that many requests.
func (f *traffic) until(t *testing.T, count int64) {
	t.Helper()
	eventually.Nil(t, 30*time.Second, "requests are answered", func() error {
		if n := f.asked.Load(); n < count {
			return fmt.Errorf("%d requests, want %d", n, count)
		}
		return nil
	})
}

// end stops it: not one request may have failed.
func (f *traffic) end() int64 {
	f.t.Helper()
	f.stop()
	f.all.Wait()
	if f.failed.Load() > 0 || f.asked.Load() < 20 {
		f.t.Errorf("%d of %d requests failed", f.failed.Load(), f.asked.Load())
	}
	return f.asked.Load()
}

// shown is a node as gatewayctl nodes shows it.
type shown struct {
	Node, State, Reason string
	Release             uint64
	ReleaseState        string `json:"release_state"`
	LastSeenMS          int64  `json:"last_seen_ms"`
}

func (f *fleet) nodes() map[string]shown {
	f.t.Helper()
	var list []shown
	if err := json.Unmarshal([]byte(f.ctl("nodes", "-o", "json")), &list); err != nil {
		f.t.Fatal(err)
	}
	out := map[string]shown{}
	for _, n := range list {
		out[n.Node] = n
	}
	return out
}

// outcomeOf is what weights set -o json prints.
type outcomeOf struct {
	Release uint64
	Nodes   []struct{ Node, State, Reason string }
}

// setWeight moves the traffic; code is gatewayctl's.
func (f *fleet) setWeight(weight float64, more ...string) (out outcomeOf, text string, err error) {
	f.t.Helper()
	text, err = f.tryCtl(append([]string{"weights", "set", "demo", "a=" + strconv.FormatFloat(weight, 'f', -1, 64), "-o", "json"}, more...)...)
	if i := strings.Index(text, "{"); i >= 0 {
		_ = json.NewDecoder(strings.NewReader(text[i:])).Decode(&out) // messages may follow
	}
	return out, text, err
}

// routes waits until a node routes demo:a with that share.
func (f *fleet) routes(n *member, share string, within time.Duration) {
	f.t.Helper()
	eventually.Nil(f.t, within, n.id+" routes "+share, func() error {
		_, body, err := fetch(f.t.Context(), http.MethodGet, n.url+"/routing", "")
		if err == nil && !strings.Contains(body, `"endpoint":"demo:a","provider":"Demo","weight":"`+share+`"`) {
			err = errors.New(body)
		}
		return err
	})
}

// notes returns what a node's health complains of.
func notes(t *testing.T, n *member) string {
	t.Helper()
	status, body, err := fetch(t.Context(), http.MethodGet, n.url+"/health", "")
	if err != nil || status != http.StatusOK {
		t.Fatalf("%d %s %v", status, body, err)
	}
	return body
}

func exitOf(err error) int {
	var exit interface{ ExitCode() int }
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// TestTheFleetOutlivesItsCluster runs over a NATS cluster with TLS and a
// credential for each role, loses one server, then all, and kills the control
// plane again and again while it publishes. Traffic never fails.
func TestTheFleetOutlivesItsCluster(t *testing.T) {
	f, c := newClusterFleet(t, demoModels, "node-a", "node-b", "node-c")
	daemon := f.startDaemon()
	f.startCollector()
	nodes := []*member{f.startNode("node-a"), f.startNode("node-b"), f.startNode("node-c")}
	key := f.key(nodes...)
	asked := startTraffic(t, key, nodes...)

	if out, text, err := f.setWeight(0.3, "--wait", "20s"); err != nil || len(out.Nodes) != 3 {
		t.Fatalf("%v: %s", err, text)
	}
	// one of three: after the election everything goes on
	c.servers[0].kill()
	eventually.Nil(t, 30*time.Second, "a change with two of three servers", func() error {
		out, text, err := f.setWeight(1.5, "--wait", "10s")
		if err == nil && len(out.Nodes) != 3 {
			err = errors.New(text)
		}
		return err
	})
	for _, n := range nodes {
		f.routes(n, "75%", 5*time.Second)
	}
	c.start(0)

	// the whole cluster: changes are kept, nodes say what they miss
	for _, s := range c.servers {
		s.kill()
	}
	out, text, err := f.setWeight(4.5, "--wait", "1s")
	if exitOf(err) == 0 || out.Release == 0 || !strings.Contains(text, "was not applied on 3 of 3 nodes") {
		t.Errorf("without NATS a wait ends with %v: %s", err, text)
	}
	if status, _ := f.tryCtl("status", "-o", "json"); strings.Contains(status, `"nats": "connected"`) {
		t.Errorf("status: %s", status)
	}
	for _, n := range nodes {
		if body := notes(t, n); !strings.Contains(body, "NATS is unreachable") || !strings.Contains(body, `"status":"degraded"`) {
			t.Errorf("%s: %s", n.id, body)
		}
	}
	for i := range c.servers {
		c.start(i)
	}
	for _, n := range nodes {
		f.routes(n, "90%", 40*time.Second)
	}

	// kill -9 during publishing, at every stage of it
	last := uint64(0)
	for i := range 8 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			for j := range 6 {
				if out, _, err := f.setWeight(float64(10+i*6+j), "--timeout", "1s"); err == nil { // no one waits for the next daemon
					last = out.Release
				}
			}
		}()
		time.Sleep(time.Duration(60+70*i) * time.Millisecond) // the moment is what varies
		daemon.kill()
		<-done
		daemon = f.startDaemon()
	}
	var newest uint64
	if err := f.query(t.Context(), "SELECT max(number) FROM control_releases", &newest); err != nil {
		t.Fatal(err)
	}
	if newest < last {
		t.Errorf("release %d was confirmed, the newest is %d", last, newest)
	}
	eventually.Nil(t, 20*time.Second, "every node has the newest release", func() error {
		for id, n := range f.nodes() {
			if n.State == "live" && n.Release != newest || n.ReleaseState == "rejected" {
				return fmt.Errorf("%s: %+v, newest %d", id, n, newest)
			}
		}
		return nil
	})
	t.Logf("%d requests", asked.end())
}

// TestANodeThatIsCutOff loses its way to NATS, silently, for longer than it
// takes to be called stale. It serves on, accepts what it knew, and catches up.
func TestANodeThatIsCutOff(t *testing.T) {
	f := newFleet(t, demoModels)
	f.startDaemon()
	f.startCollector()
	toNATS := newWay(t, "127.0.0.1:"+f.natsPort)
	there, away := f.startNode("node-a"), f.startNode("node-b", "NATS_URL=nats://"+toNATS.addr())
	key := f.key(there, away)
	asked := startTraffic(t, key, there, away)
	toNATS.freeze(true)
	eventually.Nil(t, 20*time.Second, "the node counts as stale", func() error {
		if n := f.nodes()["node-b"]; n.State != "stale" {
			return fmt.Errorf("%+v", n)
		}
		return nil
	})
	if out, text, err := f.setWeight(4.5, "--wait", "10s"); err != nil || len(out.Nodes) != 1 {
		t.Errorf("nodes that are stale are not waited for: %v: %s", err, text)
	}
	later := f.key(there)
	if status, _, err := fetch(t.Context(), http.MethodGet, away.url+"/v1/models", "", "Authorization", "Bearer "+later); err != nil || status != http.StatusUnauthorized {
		t.Errorf("a key that the node cannot know: %d %v", status, err)
	}
	eventually.Nil(t, 20*time.Second, "the node says how old its keys are", func() error {
		if body := notes(t, away); !containsAll(body, `"key_table_age_ms":`, "the key table is ", "keys revoked since then still work here") {
			return errors.New(body)
		}
		return nil
	})
	toNATS.freeze(false)
	f.routes(away, "90%", 15*time.Second)
	eventually.Nil(t, 10*time.Second, "the key arrives", func() error { return f.usable(away, later) })
	eventually.Nil(t, 10*time.Second, "the node is live again", func() error {
		if n := f.nodes()["node-b"]; n.State != "live" {
			return fmt.Errorf("%+v", n)
		}
		return nil
	})
	t.Logf("%d requests", asked.end())
}

// TestARevokedKeyEndsEverywhere measures how long it works on.
func TestARevokedKeyEndsEverywhere(t *testing.T) {
	f := newFleet(t, demoModels)
	f.startDaemon()
	nodes := []*member{f.startNode("node-a"), f.startNode("node-b"), f.startNode("node-c")}
	var made struct{ ID, Key string }
	if err := json.Unmarshal([]byte(f.ctl("keys", "create", "--name", "leaked", "--wait", "-o", "json")), &made); err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		if err := f.usable(n, made.Key); err != nil {
			t.Fatal(err)
		}
	}
	f.ctl("keys", "revoke", made.ID)
	revoked := time.Now()
	for _, n := range nodes {
		eventually.Nil(t, timeToApply, n.id+" refuses the key", func() error {
			if f.usable(n, made.Key) == nil {
				return errors.New("it works on")
			}
			return nil
		})
	}
	if took := time.Since(revoked); took > time.Second {
		t.Errorf("the key worked on for %s", took)
	}
}

// TestTwoOperators change different endpoints side by side, and then insist on
// what they have seen.
func TestTwoOperators(t *testing.T) {
	f := newFleet(t, demoModels)
	f.startDaemon()
	first := f.admin
	f.startDaemon() // two daemons on one database, too
	second := f.admin
	var all sync.WaitGroup
	const turns = 15
	for admin, endpoint := range map[string]string{first: "a", second: "b"} {
		all.Go(func() {
			for i := range turns {
				if out, err := f.tryCtl("weights", "set", "demo", fmt.Sprintf("%s=%d", endpoint, i+1), "--url", admin); err != nil {
					t.Errorf("%s: %v: %s", endpoint, err, out)
				}
			}
		})
	}
	all.Wait()
	// The daemon that is asked learns of the other's last change within a second.
	eventually.Nil(t, timeToApply, "both daemons know of all changes", func() error {
		var weights []struct{ Weight float64 }
		if err := json.Unmarshal([]byte(f.ctl("weights", "show", "demo", "-o", "json")), &weights); err != nil {
			return err
		}
		if len(weights) != 2 || weights[0].Weight != turns || weights[1].Weight != turns {
			return fmt.Errorf("a change was lost: %+v", weights)
		}
		return nil
	})
	var releases []struct{ Release uint64 }
	if err := json.Unmarshal([]byte(f.ctl("releases", "list", "--limit", "100", "-o", "json")), &releases); err != nil {
		t.Fatal(err)
	}
	if len(releases) != 2*turns+1 {
		t.Errorf("%d releases", len(releases))
	}
	seen := strconv.FormatUint(releases[0].Release, 10)
	f.ctl("weights", "set", "demo", "a=50", "--if-release", seen, "--url", first, "--author", "alice", "--reason", "mine")
	out, err := f.tryCtl("weights", "set", "demo", "b=50", "--if-release", seen, "--url", second)
	if err == nil || !containsAll(out, "alice", "mine") {
		t.Errorf("the second is told %v: %s", err, out)
	}
}

// TestAPoisonedRelease puts into the bucket, past the daemon, what no node can
// serve. The nodes serve on, the daemon puts its own release back, and the next
// one goes out as ever.
func TestAPoisonedRelease(t *testing.T) {
	f := newFleet(t, demoModels)
	f.startDaemon()
	n := f.startNode("node-a")
	key := f.key(n)
	asked := startTraffic(t, key, n)
	nc, err := nats.Connect("nats://127.0.0.1:" + f.natsPort)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	doc, err := bus.Fetch(t.Context(), nc, wire.ReleaseKey)
	if err != nil {
		t.Fatal(err)
	}
	body, err := bus.Open(wire.ReleaseKey, doc)
	if err != nil {
		t.Fatal(err)
	}
	r, err := wire.DecodeRelease(body)
	if err != nil {
		t.Fatal(err)
	}
	poison := *r
	poison.Number++
	poison.Snapshot.Models = append([]wire.Model{}, r.Snapshot.Models...)
	poison.Snapshot.Models[0].Endpoints = []wire.Endpoint{{ID: "demo:a", Kind: "of-tomorrow", Weight: 1}}
	if poison.Hash, err = poison.Snapshot.Sum(); err != nil {
		t.Fatal(err)
	}
	if body, err = poison.Encode(); err != nil {
		t.Fatal(err)
	}
	if doc, err = bus.Seal(wire.ReleaseKey, poison.Epoch, poison.Number, body); err != nil {
		t.Fatal(err)
	}
	if err := bus.Publish(t.Context(), nc, wire.ReleaseKey, doc, 1); err != nil {
		t.Fatal(err)
	}
	eventually.Nil(t, 20*time.Second, "the daemon puts its own back, and the node serves that", func() error {
		doc, err := bus.Fetch(t.Context(), nc, wire.ReleaseKey)
		if err != nil {
			return err
		}
		body, err := bus.Open(wire.ReleaseKey, doc)
		if err != nil {
			return err
		}
		if is, err := wire.DecodeRelease(body); err != nil || is.Hash != r.Hash {
			return fmt.Errorf("the bucket has another: %w", errors.Join(err, errors.New(string(body))))
		}
		if n := f.nodes()["node-a"]; n.ReleaseState != "applied" || n.Release != r.Number {
			return fmt.Errorf("%+v", n)
		}
		return nil
	})
	// the next real one has the number of the poisoned one
	out, text, err := f.setWeight(4.5, "--wait", "15s")
	if err != nil || out.Release != poison.Number {
		t.Errorf("%v: %s", err, text)
	}
	f.routes(n, "90%", 5*time.Second)
	t.Logf("%d requests", asked.end())
}

// TestAFullDisk has no room for releases and usage events.
func TestAFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to mount a small file system")
	}
	f := newFleet(t, demoModels)
	f.startDaemon()
	f.startCollector()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
		t.Skipf("needs the right to mount: %v", err)
	}
	n := f.startNodeIn("node-a", dir)
	t.Cleanup(func() {
		n.kill()
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	key := f.key(n)
	filler := filepath.Join(dir, "filler")
	fill, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	for size := 1 << 20; size > 0; {
		if _, err := fill.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	if err := fill.Close(); err != nil {
		t.Log(err)
	}
	asked := startTraffic(t, key, n)
	if out, text, err := f.setWeight(4.5, "--wait", "15s"); err != nil || out.Nodes[0].State != "applied" {
		t.Errorf("%v: %s", err, text)
	}
	if body := notes(t, n); !strings.Contains(body, "the current release is not on disk") {
		t.Errorf("health: %s", body)
	}
	count := asked.end()
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	eventually.Nil(t, 20*time.Second, "the release gets to the disk", func() error {
		if body := notes(t, n); strings.Contains(body, "not on disk") {
			return errors.New(body)
		}
		return nil
	})
	var rows int64
	eventually.Nil(t, 30*time.Second, "every answer has a row", func() error {
		if err := f.query(t.Context(), "SELECT count(*) FROM api_logs", &rows); err != nil {
			return err
		}
		if rows != count {
			return fmt.Errorf("%d rows of %d", rows, count)
		}
		return nil
	})
	f.nats.kill() // and a start from that disk
	n.kill()
	n = f.restartNode("node-a", dir, strings.TrimPrefix(n.url, "http://127.0.0.1:"))
	f.routes(n, "90%", 5*time.Second)
}

// TestALargeConfigurationTravels has 1,000 models with five endpoints each: far
// more than fits into a message of NATS by default.
func TestALargeConfigurationTravels(t *testing.T) {
	var models strings.Builder
	models.WriteString("models:\n")
	for i := range 1000 {
		fmt.Fprintf(&models, "  - id: model-%d\n    provider: demo\n    route:\n", i)
		for j := range 5 {
			fmt.Fprintf(&models, "      - {id: e%d, kind: demo, weight: 0.2, base_url: \"http://10.0.%d.%d:8000\"}\n", j, i%256, j)
		}
	}
	f := newFleet(t, models.String())
	f.startDaemon()
	n := f.startNode("node-a")
	key := f.key(n)
	out, text, err := outcomeOf{}, "", error(nil)
	text, err = f.tryCtl("weights", "set", "model-999", "e4=0.9", "--wait", "20s", "-o", "json")
	if err == nil {
		err = json.Unmarshal([]byte(text), &out)
	}
	if err != nil || len(out.Nodes) != 1 || out.Nodes[0].State != "applied" {
		t.Fatalf("%v: %s", err, text)
	}
	if _, body, err := fetch(t.Context(), http.MethodGet, n.url+"/v1/models/count", "", "Authorization", "Bearer "+key); err != nil || !strings.Contains(body, "1000") {
		t.Errorf("%s %v", body, err)
	}
}
