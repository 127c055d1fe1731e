package gateway_test

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/hybridinference/gateway/dataplane/metrics"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/exposition"
	"github.com/hybridinference/gateway/shared/wire"
)

// Teams are series only where they are asked for, and go away with the key table.
func TestTeamsAreCounted(t *testing.T) {
	keys := map[string]wire.Key{"hyi-a": {ID: "k_1", User: "ada", Team: "t_1"}, "hyi-b": {ID: "k_2", User: "bob"}}
	for _, on := range []bool{true, false} {
		r := exposition.NewRegistry()
		q := metrics.NewRequests(r, "")
		if on {
			q.ByTeam(r)
		}
		o := guarded(keys)
		o.keys.Teams = []wire.Team{{ID: "t_1", Name: "search"}}
		o.gateway.Metrics = q
		n := start(t, o, model("demo", endpoint("demo:demo-api", "demo", "")))
		for _, key := range []string{"hyi-a", "hyi-a", "hyi-b", "hyi-none"} {
			n.chat(ping, "Authorization", "Bearer "+key)
		}
		n.chat(`{"model":"made-up","messages":[]}`, "Authorization", "Bearer hyi-a")
		want := ""
		if on {
			want = `
# HELP gateway_team_requests_total Requests by team and class of the status that the client got.
# TYPE gateway_team_requests_total counter
gateway_team_requests_total{status="2xx",team="t_1"} 2
gateway_team_requests_total{status="4xx",team="t_1"} 1
`
		}
		eventually.Nil(t, eventually.Limit, "the requests are counted", func() error { // at their end
			return testutil.GatherAndCompare(r, strings.NewReader(want), "gateway_team_requests_total")
		})
		tokens, err := testutil.GatherAndCount(r, "gateway_team_tokens_total", "gateway_team_cost_usd_total")
		if err != nil || (tokens > 0) != on {
			t.Errorf("teams counted: %t; %d series, %v", on, tokens, err)
		}
		n.load(keyTable(nil), model("demo", endpoint("demo:demo-api", "demo", "")))
		if left, err := testutil.GatherAndCount(r, "gateway_team_requests_total", "gateway_team_tokens_total"); err != nil || left != 0 {
			t.Errorf("%d series of a team that is gone, %v", left, err)
		}
	}
}
