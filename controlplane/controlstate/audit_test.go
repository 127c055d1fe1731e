package controlstate_test

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

func TestAuditLog(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		var want []controlstate.Entry // newest first
		for n := range 5 {
			e := controlstate.Entry{
				Time: time.Date(2026, 1, 1, 0, 0, n, 123456000, time.UTC), Author: "ana",
				Action: "login.failed", Target: fmt.Sprint(n), Reason: "why", Detail: `{"a":1}`,
			}
			if err := s.Audit(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			e.ID = uint64(n + 1)
			want = append([]controlstate.Entry{e}, want...)
		}
		f := func(q controlstate.AuditQuery, want []controlstate.Entry) {
			t.Helper()
			got, err := s.AuditLog(t.Context(), q)
			if err != nil || len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
				t.Errorf("log %+v, error %v; want %+v", got, err, want)
			}
		}
		f(controlstate.AuditQuery{Limit: 1000}, want)
		f(controlstate.AuditQuery{Limit: 2}, want[:2])
		f(controlstate.AuditQuery{Limit: 2, Before: 4}, want[2:4])
		f(controlstate.AuditQuery{Limit: 2, Before: 1}, nil)
		f(controlstate.AuditQuery{Limit: 9, Since: want[2].Time}, want[:3])
		f(controlstate.AuditQuery{Limit: 9, Until: want[2].Time}, want[3:])
		f(controlstate.AuditQuery{Limit: 9, Since: want[2].Time, Until: want[1].Time}, want[2:3])
		if _, err := s.AuditLog(t.Context(), controlstate.AuditQuery{}); !errors.Is(err, controlstate.ErrInvalid) {
			t.Errorf("error %v, want %v", err, controlstate.ErrInvalid)
		}
		if err := s.Audit(t.Context(), controlstate.Entry{Author: "ana"}); !errors.Is(err, controlstate.ErrInvalid) {
			t.Errorf("error %v, want %v", err, controlstate.ErrInvalid)
		}
	})
}

// Several daemons write one log without gaps or clashes.
func TestAuditTogether(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		const daemons, entries = 4, 25
		var wg sync.WaitGroup
		for range daemons {
			s := open(t, db)
			wg.Go(func() {
				for range entries {
					if err := s.Audit(t.Context(), entry("login.failed")); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if n := db.Int(t, "SELECT max(id) FROM control_audit"); n != daemons*entries {
			t.Errorf("%d entries, want %d", n, daemons*entries)
		}
	})
}
