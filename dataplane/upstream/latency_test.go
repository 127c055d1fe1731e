package upstream_test

import (
	"math"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/upstream"
)

func TestLatency(t *testing.T) {
	now := time.Unix(1_780_000_000, 0)
	at := func(after time.Duration) time.Time { return now.Add(after) }
	var l upstream.Latency
	is := func(after time.Duration, want float64) {
		t.Helper()
		if got := l.Estimate(at(after)); math.Abs(got-want) > 0.01*want+1e-6 && got != want {
			t.Errorf("after %s %.1f ms are expected, want %.1f", after, got, want)
		}
	}
	is(0, 0) // unknown: it is tried
	if _, ok := l.Measured(); ok {
		t.Error("something was measured")
	}
	l.Tried(at(0))
	is(time.Second, math.Inf(1)) // one request is enough
	is(11*time.Second, 0)        // it never told
	l.Tried(at(12 * time.Second))
	l.Note(200*time.Millisecond, at(13*time.Second))
	is(13*time.Second, 200)
	l.Note(time.Second, at(13*time.Second)) // up fast
	is(13*time.Second, 600)
	l.Note(200*time.Millisecond, at(13*time.Second+100*time.Millisecond)) // down slowly
	is(13*time.Second+100*time.Millisecond, 596)
	is(23*time.Second+100*time.Millisecond, 596/math.E) // it fades
	is(10*time.Minute, 0)
	l.Tried(at(24 * time.Second)) // one request finds out whether it is still slow
	is(25*time.Second, 596)
	l.Failed(100*time.Millisecond, at(25*time.Second)) // quick failures are no speed
	is(26*time.Second, 596)
	l.Failed(10*time.Second, at(26*time.Second))
	is(26*time.Second, (596+10_000)/2)
	if ms, ok := l.Measured(); !ok || math.Abs(ms-5298) > 10 {
		t.Errorf("%v ms measured", ms)
	}
}
