package controlstate_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/wire"
)

func rpm(n int64) []wire.Limit { return []wire.Limit{{Kind: wire.LimitRPM, Value: n}} }

func TestTeams(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		search := controlstate.Team{
			ID: "t_1", Name: "search", Owner: "ada", Models: []string{"demo"}, Limits: rpm(600), Metadata: map[string]string{"cost_centre": "4711"},
			Users: []string{"alice", "bob"}, Created: created, Version: 1,
		}
		if err := s.CreateTeam(t.Context(), search, entry("team.create")); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"t_1", "search"} {
			if got, err := s.Team(t.Context(), id); err != nil || !reflect.DeepEqual(got, search) {
				t.Errorf("team %+v, %v; want %+v", got, err, search)
			}
		}
		ads := controlstate.Team{ID: "t_2", Name: "ads", Created: created, Users: []string{"bob"}}
		if err := s.CreateTeam(t.Context(), ads, entry("team.create")); !errors.Is(err, controlstate.ErrExists) {
			t.Errorf("a user in two teams: %v", err)
		}
		if _, err := s.Team(t.Context(), "ads"); !errors.Is(err, controlstate.ErrNotFound) {
			t.Errorf("half of a team was stored: %v", err)
		}
		ads.Users = nil
		if err := s.CreateTeam(t.Context(), ads, entry("team.create")); err != nil {
			t.Fatal(err)
		}
		search.Users, search.Limits = []string{"alice"}, rpm(700)
		if err := s.UpdateTeam(t.Context(), search, entry("team.update")); err != nil {
			t.Fatal(err)
		}
		if err := s.UpdateTeam(t.Context(), search, entry("team.update")); !errors.Is(err, controlstate.ErrChanged) {
			t.Errorf("an update of an old version: %v", err)
		}
		ads.Users, ads.Version = []string{"alice"}, 1
		if err := s.UpdateTeam(t.Context(), ads, entry("team.update")); !errors.Is(err, controlstate.ErrExists) {
			t.Errorf("a user moved into a second team: %v", err)
		}
		if n := db.Int(t, "SELECT count(*) FROM control_audit"); n != 3 {
			t.Errorf("%d audit entries, want 3", n)
		}
	})
}

func TestTheKeyTableHasTeamsAndLimits(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(s.CreateTeam(t.Context(), controlstate.Team{ID: "t_1", Name: "search", Models: []string{"demo"}, Limits: rpm(600), Users: []string{"user-a"}, Created: created}, entry("team.create")))
		must(s.CreateTeam(t.Context(), controlstate.Team{ID: "t_2", Name: "ads", Created: created}, entry("team.create")))
		a, b, c := newKey("a"), newKey("b"), newKey("c")
		b.Team, b.Limits = "t_2", []wire.Limit{{Kind: wire.LimitBudget, Value: 50e12, Reset: wire.ResetMonth}}
		c.User, c.Team = "user-a", "t_2" // the key's own team counts
		for _, k := range []controlstate.Key{a, b, c} {
			create(t, s, k)
		}
		none := newKey("d")
		none.Team = "t_3"
		if err := s.CreateKey(t.Context(), none, entry("key.create")); !errors.Is(err, controlstate.ErrNoTeam) {
			t.Errorf("a key of no team: %v", err)
		}
		must(s.SetLimits(t.Context(), controlstate.HolderUser("user-b"), nil, rpm(7), entry("limits.set")))
		must(s.SetLimits(t.Context(), controlstate.HolderGateway, nil, rpm(9), entry("limits.set")))
		if err := s.SetLimits(t.Context(), controlstate.HolderGateway, nil, rpm(8), entry("limits.set")); !errors.Is(err, controlstate.ErrChanged) {
			t.Errorf("limits that changed meanwhile: %v", err)
		}
		wa, wb, wc := wireKey(a), wireKey(b), wireKey(c)
		wa.Team, wb.Team, wc.Team, wb.Limits = "t_1", "t_2", "t_2", b.Limits
		want := &wire.KeyTable{
			V: wire.Version, Epoch: s.Epoch(), Version: 7, Keys: []wire.Key{wa, wb, wc}, Users: map[string][]wire.Limit{"user-b": rpm(7)}, Gateway: rpm(9),
			Teams: []wire.Team{{ID: "t_1", Name: "search", Models: []string{"demo"}, Limits: rpm(600)}, {ID: "t_2", Name: "ads", Models: []string{}}},
		}
		got, err := s.KeyTable(t.Context())
		must(err)
		for i := range got.Keys {
			if len(got.Keys[i].Models) == 0 {
				got.Keys[i].Models = nil
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("key table %+v\nwant %+v", got, want)
		}
		// limits of a key are changed from what the caller has read
		changed := b
		changed.Limits = rpm(1)
		must(s.UpdateKey(t.Context(), b, changed, entry("key.update")))
		if err := s.UpdateKey(t.Context(), b, changed, entry("key.update")); !errors.Is(err, controlstate.ErrChanged) {
			t.Errorf("a key that changed meanwhile: %v", err)
		}
		fresh := newKey("e")
		fresh.Team, fresh.Limits = "t_2", rpm(1)
		must(s.RotateKey(t.Context(), "b", fresh, created, entry("key.rotate")))
		if k, err := s.Key(t.Context(), "e"); err != nil || !reflect.DeepEqual(k.Limits, rpm(1)) || k.Team != "t_2" {
			t.Errorf("the new key %+v, %v", k, err)
		}
		ads, err := s.Team(t.Context(), "ads")
		must(err)
		if err := s.DeleteTeam(t.Context(), ads, false, entry("team.delete")); !errors.Is(err, controlstate.ErrInUse) {
			t.Errorf("a team with keys: %v", err)
		}
		must(s.DeleteTeam(t.Context(), ads, true, entry("team.delete")))
		if k, err := s.Key(t.Context(), "c"); err != nil || k.Team != "" {
			t.Errorf("key %+v, %v: want it without a team", k, err)
		}
	})
}
