package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/upstream"
	"github.com/hybridinference/gateway/shared/eventually"
)

// shownCanary is what the test reads of `canary status -o json`.
type shownCanary struct {
	State   string `json:"state"`
	Why     string `json:"why"`
	Release uint64 `json:"release"`
	Final   uint64 `json:"final_release"`
	Started time.Time
	Ended   time.Time
}

func (f *fleet) canaryBecomes(state string) (c shownCanary) {
	f.t.Helper()
	eventually.Nil(f.t, 40*time.Second, "the canary is "+state, func() error {
		var list []shownCanary
		if err := json.Unmarshal([]byte(f.ctl("canary", "status", "-o", "json")), &list); err != nil || len(list) == 0 {
			return fmt.Errorf("canaries %+v, %w", list, err)
		}
		if c = list[0]; c.State != state {
			return fmt.Errorf("%s: %s", c.State, c.Why)
		}
		return nil
	})
	return c
}

// serving waits until a node serves a release.
func (f *fleet) serving(n *member, release uint64, canary bool) {
	f.t.Helper()
	eventually.Nil(f.t, 15*time.Second, fmt.Sprintf("release %d", release), func() error {
		var h struct {
			Release uint64
			Canary  bool
		}
		if err := getJSON(f.t.Context(), n.url+"/health", &h); err != nil {
			return err
		}
		if h.Release != release || h.Canary != canary {
			return fmt.Errorf("release %d (canary %v)", h.Release, h.Canary)
		}
		return nil
	})
}

func getJSON(ctx context.Context, url string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	return json.NewDecoder(res.Body).Decode(into)
}

// A configuration with an endpoint that fails goes to one of two nodes first and is
// taken back, although the daemon that started it is killed; the other node never
// serves it, and no client sees any of it. A good one then goes to both.
func TestACanaryOfAConfiguration(t *testing.T) {
	t.Parallel() // it waits most of the time
	good, bad, better := startUpstream(t), startUpstream(t), startUpstream(t)
	if err := bad.Set(upstream.Rule{Script: upstream.Script{Status: http.StatusInternalServerError}}); err != nil {
		t.Fatal(err)
	}
	with := func(url string) string {
		return fmt.Sprintf("models:\n  - id: m\n    pricing: {prompt: 0, completion: 0}\n    route:\n      - {kind: vllm, id: old, weight: 1, base_url: %q}\n      - {kind: vllm, id: new, weight: 1, base_url: %q}\n", good.URL(), url)
	}
	f := newFleet(t, with(good.URL()))
	first := f.startDaemon()
	nodes := []*member{f.startNode("node-1"), f.startNode("node-2")}
	stop := f.steadyTraffic(f.key(nodes...), nodes)

	f.writeModels(with(bad.URL()))
	if out, err := f.tryCtl("apply", "--canary", "node-1,node-2", "--yes"); err == nil || !strings.Contains(out, "at least one live node must keep the current release") {
		t.Errorf("a canary on all nodes: %v %s", err, out)
	}
	f.ctl("apply", "--canary", "node-1", "--for", "10m", "--guard", "errors<2%,ttft_p95<5s", "--reason", "a new server", "--wait", "10s")
	first.kill()
	f.startDaemon() // the files say what the canary tries: that is not for all nodes
	c := f.canaryBecomes("taken_back")
	if took := c.Ended.Sub(c.Started); took > 30*time.Second || c.Release != 2 || c.Final != 3 {
		t.Errorf("taken back after %s: %+v", took, c)
	}
	for _, n := range nodes {
		f.serving(n, 3, false)
	}
	if log := nodes[1].out.String(); strings.Contains(log, "serving a release as a canary") || strings.Contains(log, `"release":2`) || strings.Contains(log, "release=2") {
		t.Error("the other node has served the canary")
	}

	f.writeModels(with(better.URL()))
	f.ctl("apply", "--canary", "node-2", "--for", "2s", "--guard", "errors<2%", "--reason", "a better server")
	f.serving(nodes[1], 4, true)
	if out := f.ctl("nodes"); !strings.Contains(out, "4 (canary)") {
		t.Errorf("nodes:\n%s", out)
	}
	if c := f.canaryBecomes("promoted"); c.Release != 4 || c.Final != 4 {
		t.Errorf("promoted as %+v", c)
	}
	for _, n := range nodes {
		f.serving(n, 4, false)
	}
	stop()
	releases := f.ctl("releases", "list", "-o", "json")
	for _, want := range []string{"on node-1: a new server", "taken back: ", "on node-2 promoted: "} {
		if !strings.Contains(releases, want) {
			t.Errorf("no release with %q in %s", want, releases)
		}
	}
}
