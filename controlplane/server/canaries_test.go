package server_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/wire"
)

// heartbeat reports a node.
func (p *plane) heartbeat(s wire.NodeStatus) {
	p.t.Helper()
	b, err := s.Encode()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.nats.Connect("node").Publish(wire.NodeStatusPrefix+s.Node, b); err != nil {
		p.t.Fatal(err)
	}
}

func TestCanaries(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		p := start(t, db, nil)
		for body, want := range map[string]string{
			`{"nodes":[]}`: "nodes: there must be 1 to 100 names, got 0", `{"nodes":["a","a"]}`: `nodes: empty or duplicate name "a"`,
			`{"nodes":["a"],"for":"1ms"}`: `for: "1ms" is not a duration from 1s to 168h`, `{"nodes":["a"],"guard":"errors"}`: `guard: "errors" is not METRIC<LIMIT`,
			`{"nodes":["a"]}`: `nodes: node "a" is not known`,
		} {
			p.refused("POST", "/admin/canaries", body, 400, want)
		}
		p.refused("POST", "/admin/canaries/abort", `{}`, 404, "no canary is running")
		var found []adminapi.Node
		for _, name := range []string{"n1", "n2"} {
			p.heartbeat(wire.NodeStatus{Node: name, Release: 1, State: wire.StateApplied, Canary: &wire.CanaryStatus{}})
		}
		eventually.True(t, "the nodes are known", func() bool { p.call("GET", "/admin/nodes", "", 200, &found); return len(found) == 2 })

		const start = `{"nodes":["n1"],"reason":"try"}`
		var made adminapi.CanaryResult
		p.call("POST", "/admin/canaries", start, 200, &made)
		if made.Changed || made.Canary != nil {
			t.Errorf("a canary without a change: %+v", made)
		}
		p.write("models.yaml", strings.Replace(models, "weight: 0.7", "weight: 0.5", 1))
		p.call("POST", "/admin/canaries", `{"nodes":["n1"],"dry_run":true}`, 200, &made)
		if !made.Changed || made.Canary != nil || len(made.Changes) != 1 || made.Release != 1 {
			t.Errorf("a dry run: %+v", made)
		}
		p.call("POST", "/admin/canaries", start, 200, &made)
		if made.Release != 2 || made.Canary == nil || made.Canary.State != adminapi.CanaryRunning || made.Canary.For != "10m" {
			t.Fatalf("started %+v", made)
		}
		p.refused("POST", "/admin/canaries", start, 409, "promote or abort it first")

		var status adminapi.Status
		eventually.True(t, "the status shows it", func() bool { p.call("GET", "/admin/status", "", 200, &status); return status.Canary != nil })
		if status.Release != 1 || status.Canary.Release != 2 {
			t.Errorf("status %+v", status)
		}
		var releases []adminapi.ReleaseInfo
		p.call("GET", "/admin/releases", "", 200, &releases)
		if len(releases) != 2 || releases[0].Release != 2 || len(releases[0].Canary) != 1 || releases[0].Current || !releases[1].Current {
			t.Errorf("releases %+v", releases)
		}
		var diff adminapi.Comparison
		p.call("GET", "/admin/releases/2/diff", "", 200, &diff)
		if len(diff.Changes) != 1 {
			t.Errorf("diff %+v", diff)
		}
		var ended adminapi.Canary
		p.call("POST", "/admin/canaries/promote", `{"reason":"fine"}`, 200, &ended)
		if ended.State != adminapi.CanaryPromoted || ended.Final != 2 || ended.Ended == nil {
			t.Errorf("promoted %+v", ended)
		}
		var list []adminapi.Canary
		p.call("GET", "/admin/canaries", "", 200, &list)
		if len(list) != 1 || list[0].State != adminapi.CanaryPromoted {
			t.Errorf("canaries %+v", list)
		}
		var audit []adminapi.AuditEntry
		p.call("GET", "/admin/audit", "", 200, &audit)
		if audit[0].Action != "canary.promote" || audit[1].Action != "canary.start" || audit[1].Target != "n1" {
			t.Errorf("audit %+v", audit[:2])
		}
	})
}
