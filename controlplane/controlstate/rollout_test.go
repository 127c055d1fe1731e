package controlstate_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

func rollout(id, model string) controlstate.Rollout {
	return controlstate.Rollout{ID: id, Model: model, State: controlstate.RolloutRunning, Created: created, RolloutContent: controlstate.RolloutContent{
		Endpoint: model + ":b", Steps: []float64{1, 100}, Every: 2 * time.Minute, Guard: "errors<2%", MinRequests: 20, Author: "ana", Since: created,
		Before: map[string]controlstate.RolloutWeight{model + ":a": {Weight: 1}}, Set: map[string]float64{model + ":a": 99, model + ":b": 1},
		Others: []byte("null"), Log: []controlstate.RolloutEvent{{Time: created, Release: 1, Share: 1, What: "started"}},
	}}
}

// A rollout changes with a release or not at all, and only from the version
// that was read.
func TestRolloutsAreComparedAndSet(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		r := rollout("r1", "m")
		step := func(number uint64, r *controlstate.Rollout) error {
			return s.Commit(t.Context(), controlstate.Commit{Release: release(t, s, number), Rollout: r, Audit: entry("rollout.step")})
		}
		if err := step(1, &r); err != nil {
			t.Fatal(err)
		}
		read := func() controlstate.Rollout {
			t.Helper()
			list, err := s.ActiveRollouts(t.Context())
			if err != nil || len(list) != 1 {
				t.Fatalf("active: %+v, %v", list, err)
			}
			return list[0]
		}
		want := r
		want.Version = 1
		first := read()
		if !reflect.DeepEqual(first, want) {
			t.Errorf("read %+v, want %+v", first, want)
		}
		second := rollout("r2", "m")
		if err := step(2, &second); !errors.Is(err, controlstate.ErrChanged) {
			t.Errorf("a second rollout of the model: %v", err)
		}
		next := first
		next.Step = 1
		if err := step(2, &next); err != nil {
			t.Fatal(err)
		}
		if err := step(3, &next); !errors.Is(err, controlstate.ErrChanged) {
			t.Errorf("the same step again: %v", err)
		}
		var conflict *controlstate.ConflictError
		next = read()
		if err := step(2, &next); !errors.As(err, &conflict) || conflict.Number != 2 {
			t.Errorf("a step to a release that exists: %v", err)
		}
		if err := s.ChangeRollout(t.Context(), &first, entry("rollout.pause")); !errors.Is(err, controlstate.ErrChanged) {
			t.Errorf("a change of what was changed: %v", err)
		}
		before, err := s.Heads(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		next.State = controlstate.RolloutAborted
		if err := s.ChangeRollout(t.Context(), &next, entry("rollout.abort")); err != nil {
			t.Fatal(err)
		}
		if h, err := s.Heads(t.Context()); err != nil || h.Rollouts <= before.Rollouts || h.Release != 2 {
			t.Errorf("heads %+v, %v after %+v", h, err, before)
		}
		if list, err := s.ActiveRollouts(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("active: %+v, %v", list, err)
		}
		second.Created = created.Add(time.Second)
		if err := step(3, &second); err != nil {
			t.Fatal(err)
		}
		other := rollout("r3", "n")
		if err := step(4, &other); err != nil {
			t.Fatal(err)
		}
		list, err := s.Rollouts(t.Context(), "m", 10)
		if err != nil || len(list) != 2 || list[0].ID != "r2" || list[1].State != controlstate.RolloutAborted || list[1].Version != 3 {
			t.Errorf("rollouts of m: %+v, %v", list, err)
		}
		if list, err = s.Rollouts(t.Context(), "", 2); err != nil || len(list) != 2 || list[0].ID != "r2" {
			t.Errorf("all rollouts: %+v, %v", list, err)
		}
		log, err := s.AuditLog(t.Context(), controlstate.AuditQuery{Limit: 10})
		if err != nil || len(log) != 5 {
			t.Errorf("%d audit entries, %v: refused changes leave none", len(log), err)
		}
	})
}
