package snapshot_test

import (
	"testing"

	"github.com/hybridinference/gateway/dataplane/limits"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/wire"
)

// Without authentication, the limits of the gateway and of the user "anonymous" hold, and
// what was spent outlives the table.
func TestLimitsHoldForAnyone(t *testing.T) {
	b := snapshot.Builder{Limits: limits.NewRegistry(1)}
	first, err := b.Build(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	rpm := func(n int64) []wire.Limit { return []wire.Limit{{Kind: wire.LimitRPM, Value: n}} }
	second, err := b.Build(nil, &wire.KeyTable{Epoch: 1, Version: 1, Gateway: rpm(5), Users: map[string][]wire.Limit{"anonymous": rpm(6), "ada": rpm(7)}})
	if err != nil {
		t.Fatal(err)
	}
	if got := first.Keys.Anyone().Limits; len(got) != 0 {
		t.Errorf("%d limits without a table", len(got))
	}
	anyone := second.Keys.Anyone()
	if got := anyone.Limits; len(got) != 2 || got[0].Limit().Value != 6 || got[1].Limit().Value != 5 {
		t.Errorf("%d limits", len(got))
	}
	if anyone.Spent != first.Keys.Anyone().Spent {
		t.Error("what was spent is forgotten with the table")
	}
}
