package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/upstream"
	"github.com/hybridinference/gateway/shared/eventually"
)

// shownRollout is what the test reads of `rollout status -o json`.
type shownRollout struct {
	State   string `json:"state"`
	Why     string `json:"why"`
	Started time.Time
	Ended   time.Time
	Log     []struct {
		Release int    `json:"release"`
		What    string `json:"what"`
	} `json:"log"`
}

func (f *fleet) rollout() (r shownRollout) {
	f.t.Helper()
	var list []shownRollout
	if err := json.Unmarshal([]byte(f.ctl("rollout", "status", "m", "-o", "json")), &list); err != nil || len(list) == 0 {
		f.t.Fatalf("rollouts %+v, %v", list, err)
	}
	return list[0]
}

// An endpoint that fails all its requests gets 1 % of the traffic and loses it
// within 30 seconds, although the daemon that started the rollout is killed; no client
// sees any of it, and every step is a release.
func TestABadEndpointIsTakenBack(t *testing.T) {
	t.Parallel() // it waits most of the time
	good, bad := startUpstream(t), startUpstream(t)
	if err := bad.Set(upstream.Rule{Script: upstream.Script{Status: http.StatusInternalServerError}}); err != nil {
		t.Fatal(err)
	}
	f := newFleet(t, fmt.Sprintf("models:\n  - id: m\n    pricing: {prompt: 0, completion: 0}\n    route:\n      - {kind: vllm, id: old, weight: 1, base_url: %q}\n      - {kind: vllm, id: new, weight: 0, base_url: %q}\n", good.URL(), bad.URL()))
	first := f.startDaemon()
	nodes := []*member{f.startNode("node-1"), f.startNode("node-2")}
	stop := f.steadyTraffic(f.key(nodes...), nodes)
	f.ctl("rollout", "start", "m", "--to", "new", "--guard", "errors<2%,ttft_p95<5s", "--reason", "a new server")
	if out, err := f.tryCtl("rollout", "start", "m", "--to", "new"); err == nil || !strings.Contains(out, "is running; finish or abort it first") {
		t.Errorf("a second rollout: %v %s", err, out)
	}
	f.startDaemon()
	first.kill()
	eventually.Nil(t, 40*time.Second, "the rollout is taken back", func() error {
		if r := f.rollout(); r.State != "taken_back" {
			return fmt.Errorf("%s: %s", r.State, r.Why)
		}
		return nil
	})
	stop()
	r := f.rollout()
	if took := r.Ended.Sub(r.Started); took > 30*time.Second {
		t.Errorf("taken back after %s", took)
	}
	if n := bad.Counts().Total.Requests; n < 3 || n > 20 {
		t.Errorf("the bad endpoint got %d of %d requests", n, n+good.Counts().Total.Requests)
	}
	if out := f.ctl("weights", "show", "m", "-o", "json"); strings.Contains(out, `"override": true`) || !strings.Contains(out, `"weight": 0,`) {
		t.Errorf("weights afterwards: %s", out)
	}
	var releases []struct {
		Release int    `json:"release"`
		Author  string `json:"author"`
		Reason  string `json:"reason"`
	}
	if err := json.Unmarshal([]byte(f.ctl("releases", "list", "-o", "json")), &releases); err != nil || len(releases) != 3 {
		t.Fatalf("releases %+v, %v", releases, err)
	}
	slices.Reverse(releases)
	for i, want := range []string{"", "step 1 of 5, 1%: a new server", "taken back: " + r.Why} {
		if got := releases[i]; !strings.Contains(got.Reason, want) || i > 0 && r.Log[i-1].Release != got.Release {
			t.Errorf("release %+v, want %q; the rollout's log is %+v", got, want, r.Log)
		}
	}
}

// steadyTraffic asks the nodes some 80 times a second, whatever they answer. No request may fail.
func (f *fleet) steadyTraffic(key string, nodes []*member) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(f.t.Context()))
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: 30 * time.Second}
	var all sync.WaitGroup
	all.Go(func() {
		tick := time.NewTicker(12500 * time.Microsecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			all.Go(func() {
				if err := ask(client, nodes[i%2].url, key, chatBody("m", "Ping", true)); err != nil {
					f.t.Errorf("a request failed: %v", err)
				}
			})
		}
	})
	stop = sync.OnceFunc(func() { cancel(); all.Wait() })
	f.t.Cleanup(stop)
	return stop
}
