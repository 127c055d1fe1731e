package controlstate_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/wire"
)

func checkOverrides(t *testing.T, s *controlstate.State, want map[string]float64) {
	t.Helper()
	got, err := s.Overrides(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(got.Weights, want) {
		t.Errorf("overrides %v, want %v", got, want)
	}
}

func checkHead(t *testing.T, s *controlstate.State, want uint64) {
	t.Helper()
	h, err := s.Heads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if h.Release != want {
		t.Errorf("current release is %d, want %d", h.Release, want)
	}
}

func TestCommit(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		f := func(number uint64, set map[string]float64, drop []string, want map[string]float64) {
			t.Helper()
			r := release(t, s, number)
			e := entry("weights.set")
			e.Target, e.Reason, e.Detail = "m", "a \"reason\"; '); DROP TABLE x", "wörter"
			if err := s.Commit(t.Context(), controlstate.Commit{Release: r, Set: set, Delete: drop, Audit: e}); err != nil {
				t.Fatal(err)
			}
			got, err := s.Current(t.Context())
			if err != nil || !reflect.DeepEqual(*got, r) {
				t.Errorf("current %+v, error %v; want %+v", got, err, r)
			}
			checkOverrides(t, s, want)
			log, err := s.AuditLog(t.Context(), controlstate.AuditQuery{Limit: 1})
			if err != nil || len(log) != 1 || log[0].Detail != e.Detail || log[0].Reason != e.Reason || log[0].ID != number {
				t.Errorf("audit log %+v, error %v; want %+v", log, err, e)
			}
		}
		f(1, nil, nil, map[string]float64{})
		f(2, map[string]float64{"m:a": 0.25, "m:b": 0}, nil, map[string]float64{"m:a": 0.25, "m:b": 0})
		f(3, map[string]float64{"m:a": 1.0 / 3}, []string{"m:b", "m:none"}, map[string]float64{"m:a": 1.0 / 3})
		// what is both dropped and set is set
		f(4, map[string]float64{"m:c": 7}, []string{"m:a", "m:c"}, map[string]float64{"m:c": 7})
		if n := db.Int(t, "SELECT time FROM control_overrides WHERE endpoint = 'm:c' AND author = 'ana'"); n != 1767225604 {
			t.Errorf("override set at %d, want the release's time", n)
		}
	})
}

func TestCommittedPolicies(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		number := uint64(0)
		f := func(set, want map[string]wire.Selection) {
			t.Helper()
			number++
			if err := s.Commit(t.Context(), controlstate.Commit{Release: release(t, s, number), Select: set, Audit: entry("policy.set")}); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Overrides(t.Context()); err != nil || !maps.Equal(got.Selections, want) || len(got.Weights)+len(got.Disabled) != 0 {
				t.Errorf("overrides %+v, %v; want %v", got, err, want)
			}
		}
		one, two := wire.Selection{Policy: wire.PolicyCost}, wire.Selection{Policy: wire.PolicyLatency, Affinity: wire.AffinityNone}
		f(map[string]wire.Selection{"m": one, "n": two, "gone": {}}, map[string]wire.Selection{"m": one, "n": two})
		f(map[string]wire.Selection{"m": two, "n": {}}, map[string]wire.Selection{"m": two})
		err := s.Commit(t.Context(), controlstate.Commit{Release: release(t, s, number+1), Select: map[string]wire.Selection{"m": {Policy: "none"}}, Audit: entry("policy.set")})
		if !errors.Is(err, controlstate.ErrInvalid) {
			t.Errorf("error %v", err)
		}
	})
}

func TestConflict(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		f := func(number, current uint64) {
			t.Helper()
			err := s.Commit(t.Context(), controlstate.Commit{
				Release: release(t, s, number), Set: map[string]float64{"m:a": 9}, Audit: entry("apply"),
			})
			var conflict *controlstate.ConflictError
			if !errors.As(err, &conflict) {
				t.Fatalf("release %d after %d: error %v, want a conflict", number, current, err)
			}
			want := controlstate.ConflictError{}
			if current > 0 {
				want = controlstate.ConflictError{
					Number: current, Author: "ana", Reason: fmt.Sprintf("reason %d", current),
					Time: time.Unix(1767225600+int64(current), 0).UTC(),
				}
			}
			if *conflict != want {
				t.Errorf("conflict %+v, want %+v", *conflict, want)
			}
			checkHead(t, s, current)
			checkOverrides(t, s, map[string]float64{})
			if n := db.Int(t, "SELECT count(*) FROM control_audit"); n != int(current) {
				t.Errorf("%d audit entries, want %d", n, current)
			}
		}
		f(2, 0)
		commit(t, s, 1)
		f(1, 1)
		f(3, 1)
		commit(t, s, 2)
		f(1, 2)
		f(2, 2)
		f(math.MaxInt64, 2)
	})
}

// Of operators who publish at once one wins, and the others learn who did.
func TestConcurrentCommits(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		const rounds, operators = 10, 4
		var all [operators]*controlstate.State
		for i := range all {
			all[i] = open(t, db)
		}
		for number := uint64(1); number <= rounds; number++ {
			var wg sync.WaitGroup
			var errs [operators]error
			for i, s := range all {
				r := release(t, s, number)
				r.Author = fmt.Sprintf("operator %d", i)
				wg.Go(func() {
					errs[i] = s.Commit(t.Context(), controlstate.Commit{
						Release: r, Set: map[string]float64{"m:a": float64(i)}, Audit: controlstate.Entry{Author: r.Author, Action: "apply"},
					})
				})
			}
			wg.Wait()
			current, err := all[0].Current(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			winners := 0
			for i, err := range errs {
				var conflict *controlstate.ConflictError
				switch {
				case err == nil:
					winners++
					checkOverrides(t, all[0], map[string]float64{"m:a": float64(i)})
					if want := fmt.Sprintf("operator %d", i); current.Author != want {
						t.Errorf("current is by %q, want %q", current.Author, want)
					}
				case !errors.As(err, &conflict) || conflict.Author != current.Author || conflict.Number != number:
					t.Errorf("operator %d: error %v, want a conflict with release %d of %q", i, err, number, current.Author)
				}
			}
			if winners != 1 {
				t.Errorf("%d winners, want 1", winners)
			}
		}
		if n := db.Int(t, "SELECT count(*) FROM control_audit"); n != rounds {
			t.Errorf("%d audit entries, want %d", n, rounds)
		}
	})
}

func TestCommitRefusesBadInput(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		f := func(name string, spoil func(*controlstate.Commit)) {
			t.Helper()
			c := controlstate.Commit{Release: release(t, s, 1), Audit: entry("apply")}
			spoil(&c)
			if err := s.Commit(t.Context(), c); !errors.Is(err, controlstate.ErrInvalid) {
				t.Errorf("%s: error %v, want %v", name, err, controlstate.ErrInvalid)
			}
		}
		f("number 0", func(c *controlstate.Commit) { c.Release.Number = 0 })
		f("number of another world", func(c *controlstate.Commit) { c.Release.Number = math.MaxUint64 })
		f("epoch", func(c *controlstate.Commit) { c.Release.Epoch++ })
		f("hash", func(c *controlstate.Commit) { c.Release.Snapshot.DefaultModel = "other" })
		f("no action", func(c *controlstate.Commit) { c.Audit.Action = "" })
		f("NUL", func(c *controlstate.Commit) { c.Release.Reason = "a\x00b" })
		f("not UTF-8", func(c *controlstate.Commit) { c.Audit.Detail = "\xff" })
		f("negative weight", func(c *controlstate.Commit) { c.Set = map[string]float64{"m:a": -1} })
		f("no number", func(c *controlstate.Commit) { c.Set = map[string]float64{"m:a": math.NaN()} })
		f("infinite", func(c *controlstate.Commit) { c.Set = map[string]float64{"m:a": math.Inf(1)} })
		f("no endpoint", func(c *controlstate.Commit) { c.Set = map[string]float64{"": 1} })
		f("endpoint to drop", func(c *controlstate.Commit) { c.Delete = []string{"a\x00"} })
		checkHead(t, s, 0)
	})
}
