package snapshot_test

import (
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/wire"
)

// A key may use what both it and its team allow, and nothing if that is nothing.
func TestTeamsNarrowTheModelsOfTheirKeys(t *testing.T) {
	f := func(key, team []string, name string, want ...string) {
		t.Helper()
		sum := [32]byte{1}
		b := snapshot.Builder{}
		s, err := b.Build(nil, &wire.KeyTable{
			Keys:  []wire.Key{{ID: "k", Hash: hex.EncodeToString(sum[:]), Models: key, Team: name}},
			Teams: []wire.Team{{ID: "t_1", Models: team}},
		})
		if err != nil {
			t.Fatal(err)
		}
		k := s.Keys.Find(&sum, time.Now())
		var got []string
		for _, id := range []string{"a", "b", "c"} {
			if k.May(&snapshot.Model{Model: &wire.Model{ID: id}}) {
				got = append(got, id)
			}
		}
		if !slices.Equal(got, want) || k.Restricted() != (len(want) < 3) || k.Team != name {
			t.Errorf("key %v in team %q with %v: may use %v, want %v", key, name, team, got, want)
		}
	}
	f(nil, nil, "", "a", "b", "c")
	f([]string{"a"}, []string{"b"}, "", "a")
	f(nil, nil, "t_1", "a", "b", "c")
	f(nil, []string{"a", "b"}, "t_1", "a", "b")
	f([]string{"b", "c"}, nil, "t_1", "b", "c")
	f([]string{"b", "c"}, []string{"a", "b"}, "t_1", "b")
	f([]string{"c"}, []string{"a"}, "t_1")
	f(nil, nil, "t_unknown")
}
