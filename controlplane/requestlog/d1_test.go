package requestlog_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/d1"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

func TestD1(t *testing.T) {
	t.Parallel()
	requestlogtest.Conformance(t, requestlogtest.D1)
}

// TestD1Faults spoils requests in every way: each row is there once in the end.
func TestD1Faults(t *testing.T) {
	db := requestlogtest.D1(t)
	s := db.Open(t)
	want := 0
	for _, kind := range []string{"500-before", "500-after", "429", "cut", "half"} {
		rows := requestlogtest.Rows(t, want, want+100)
		want += 100
		requestlogtest.SpoilD1(t, kind, 1)
		start := time.Now()
		if _, err := s.Insert(t.Context(), rows); err != nil && kind != "cut" { // what comes after the head is the caller's to repeat
			t.Errorf("%s: %v", kind, err)
		}
		if took := time.Since(start); kind == "429" && took < time.Second {
			t.Errorf("Retry-After of 1 s was heeded for %s", took)
		}
		if n, err := s.Insert(t.Context(), rows); err != nil || n != 0 && kind != "cut" {
			t.Errorf("%s: %d rows were missing, %v", kind, n, err)
		}
		if got := db.Int(t, "SELECT count(*) FROM api_logs"); got != want {
			t.Errorf("%s: %d rows, want %d", kind, got, want)
		}
		if got := db.Int(t, "SELECT sum(request_count) FROM api_stats_hourly"); got != want {
			t.Errorf("%s: the roll-ups have %d, want %d", kind, got, want)
		}
	}
	requestlogtest.SpoilD1(t, "500-before", 4) // more than are tried
	if _, err := s.Insert(t.Context(), requestlogtest.Rows(t, 0, 1)); err == nil || errors.Is(err, requestlog.ErrRejected) {
		t.Errorf("a service that is down: %v", err)
	}
}

// TestD1Limits are those that the real service has.
func TestD1Limits(t *testing.T) {
	db := requestlogtest.D1(t)
	s := db.Open(t)
	if _, err := s.Insert(t.Context(), requestlogtest.Rows(t, 0, 2500)); err != nil { // some 1.2 MB
		t.Errorf("2,500 rows: %v", err)
	}
	if n, err := s.Insert(t.Context(), requestlogtest.Rows(t, 0, 6000)); err != nil || n != 3500 {
		t.Errorf("more than a value holds: %d rows were missing, %v", n, err)
	}
	large := requestlogtest.Event(6000)
	large.Prompt = strings.Repeat("x", d1.MaxValue)
	if _, err := s.Insert(t.Context(), []*requestlog.Row{requestlogtest.Row(t, large)}); !errors.Is(err, requestlog.ErrRejected) {
		t.Errorf("a row that is more than a value holds: %v", err)
	}
}
