package snapshot_test

import (
	"strings"
	"testing"
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
