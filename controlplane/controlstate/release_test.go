package controlstate_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/wire"
)

func TestReleases(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		for n := range uint64(5) {
			commit(t, s, n+1)
		}
		f := func(limit int, before uint64, want ...uint64) {
			t.Helper()
			list, err := s.Releases(t.Context(), limit, before)
			if err != nil {
				t.Fatal(err)
			}
			var got []uint64
			for _, i := range list {
				got = append(got, i.Number)
				r, err := s.Release(t.Context(), i.Number)
				if err != nil {
					t.Fatal(err)
				}
				if w := (controlstate.ReleaseInfo{
					Number: r.Number, Time: time.Unix(r.Time, 0).UTC(), Author: r.Author,
					Reason: r.Reason, Hash: r.Hash, Models: len(r.Snapshot.Models),
				}); w != i {
					t.Errorf("listed as %+v, want %+v", i, w)
				}
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("releases %v, want %v", got, want)
			}
		}
		f(1000, 0, 5, 4, 3, 2, 1)
		f(2, 0, 5, 4)
		f(2, 4, 3, 2)
		f(2, 1)
		f(1, math.MaxUint64, 5)
		for _, n := range []uint64{0, 6, math.MaxUint64} {
			if _, err := s.Release(t.Context(), n); !errors.Is(err, controlstate.ErrNotFound) {
				t.Errorf("release %d: error %v, want %v", n, err, controlstate.ErrNotFound)
			}
		}
		for _, limit := range []int{-1, 0, 1001} {
			if _, err := s.Releases(t.Context(), limit, 0); !errors.Is(err, controlstate.ErrInvalid) {
				t.Errorf("limit %d: error %v, want %v", limit, err, controlstate.ErrInvalid)
			}
		}
	})
}

func TestLargeRelease(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		snapshot := wire.Snapshot{DefaultModel: "vendor/model-0"}
		set := map[string]float64{}
		for m := range 1000 {
			model := wire.Model{
				ID: fmt.Sprintf("vendor/model-%d", m), Name: fmt.Sprintf("Model %d", m), Type: "chat", ContextLength: 128000,
				SupportedParameters: []string{"temperature", "top_p", "max_tokens", "stop", "tools"}, RequiredRole: "free",
				Pricing: wire.Pricing{Prompt: "0.27", Completion: "1.1"},
			}
			for e := range 5 {
				id := fmt.Sprintf("%s:provider-%d", model.ID, e)
				model.Endpoints = append(model.Endpoints, wire.Endpoint{
					ID: id, Kind: "openai_compat", Provider: fmt.Sprintf("Provider %d", e), Weight: 1.0 / float64(e+3),
					BaseURL: fmt.Sprintf("https://host-%d-%d.example.com/v1", m, e), UpstreamModel: fmt.Sprintf("upstream-%d", m),
					Secrets: []string{"PROVIDER_API_KEY"},
				})
				if m < 40 { // each is a statement, and D1 does a hundred in a second
					set[id] = float64(m) / 7
				}
			}
			snapshot.Models = append(snapshot.Models, model)
		}
		r := releaseOf(t, s, 1, snapshot)
		if err := s.Commit(t.Context(), controlstate.Commit{Release: r, Set: set, Audit: entry("apply")}); err != nil {
			t.Fatal(err)
		}
		got, err := s.Current(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(*got, r) {
			t.Error("the release is not what was committed")
		}
		checkOverrides(t, s, set)
		// D1 takes no value above 2 MB
		if n := db.Int(t, "SELECT length(content) FROM control_releases"); n > 1<<20 {
			t.Errorf("%d bytes of content, want less than 1 MiB", n)
		}
	})
}

// At least the newest 1,000 stay, and the table does not grow for ever.
func TestHistoryIsBounded(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		commit(t, s, 1)
		db.Query(t, `INSERT INTO control_releases (number, epoch, time, author, reason, hash, models, content)
			WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
			SELECT i, epoch, time, author, reason, hash, models, content FROM control_releases, n`)
		commit(t, s, 2501)
		if n := db.Int(t, "SELECT min(number) FROM control_releases"); n != 502 {
			t.Errorf("the oldest release is %d, want 502", n)
		}
		if n := db.Int(t, "SELECT count(*) FROM control_releases"); n != 2000 {
			t.Errorf("%d releases, want 2000", n)
		}
	})
}

func TestDamagedRelease(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		commit(t, s, 1)
		commit(t, s, 2)
		f := func(content string) {
			t.Helper()
			db.Query(t, "UPDATE control_releases SET content = "+content+" WHERE number = 2")
			if r, err := s.Current(t.Context()); err == nil {
				t.Errorf("content %s: release %+v, want an error", content, r)
			}
			if _, err := s.Release(t.Context(), 1); err != nil {
				t.Error(err)
			}
		}
		f("substr(content, 1, length(content) - 8)")
		f("'AAAA'")
		f("'*'")
		f("''")
	})
}
