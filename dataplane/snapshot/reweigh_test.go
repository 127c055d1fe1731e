package snapshot_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/wire"
)

// The pages go by the release that they belong to, also where a model is taken
// over from the release before.
func TestRoutingPageFollowsWeights(t *testing.T) {
	b := builder()
	first := compile(t, b, nil, mixed())
	m := mixed()
	m.Endpoints[0].Weight = 3
	second := compile(t, b, nil, m)
	if got := string(first.Catalog.Routing()); !strings.Contains(got, `"provider":"vLLM","weight":"50%"`) {
		t.Error(got)
	}
	if got := string(second.Catalog.Routing()); !strings.Contains(got, `"provider":"vLLM","weight":"75%"`) || !strings.Contains(got, `"weight":"25%"`) {
		t.Error(got)
	}
	if first.Models[0].Endpoints[0].Adapter != second.Models[0].Endpoints[0].Adapter {
		t.Error("a new weight made a new adapter")
	}
}

// Another key table alone leaves the release as it is compiled, and the counters
// of its endpoints.
func TestAKeyTableAlone(t *testing.T) {
	b := builder()
	m := mixed()
	m.Endpoints[0].RPM = 10
	r := &wire.Release{Snapshot: wire.Snapshot{Models: []wire.Model{m}}}
	build := func(version uint64) *snapshot.Snapshot {
		t.Helper()
		s, err := b.Build(r, &wire.KeyTable{Version: version, Gateway: []wire.Limit{{Kind: wire.LimitRPM, Value: int64(version)}}})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first, second := build(1), build(2)
	if first.Keys.Version != 1 || second.Keys.Version != 2 || second.Catalog != first.Catalog || second.Models[0] != first.Models[0] {
		t.Errorf("%+v\n%+v", first, second)
	}
	if got := second.Keys.Anyone().Limits[0].Limit().Value; got != 2 {
		t.Errorf("the limit is %d", got)
	}
	was := first.Models[0].Endpoints[0]
	b.Forget() // as for new secrets
	third := build(3)
	if is := third.Models[0].Endpoints[0]; is == was || len(is.Limits) != 1 || is.Limits[0] != was.Limits[0] {
		t.Error("the endpoint's counter did not stay, or it was not compiled again")
	}
}
