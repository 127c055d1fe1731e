// Package eventually waits in tests for what another goroutine or process
// brings about: a test goes on as soon as it may, and fails with the last thing
// it saw.
package eventually

import (
	"testing"
	"time"
)

const (
	// Limit is how long True waits: machines that build beside their tests are slow.
	Limit = time.Minute
	every = 5 * time.Millisecond
)

// True waits until ok returns true. It fails the test after Limit; what is the
// condition, in words.
func True(t testing.TB, what string, ok func() bool) {
	t.Helper()
	if !poll(t, Limit, ok) {
		t.Fatalf("not within %s: %s", Limit, what)
	}
}

// Nil waits until check returns nil. It fails the test with check's last error
// after the given time.
func Nil(t testing.TB, within time.Duration, what string, check func() error) {
	t.Helper()
	var err error
	if !poll(t, within, func() bool { err = check(); return err == nil }) {
		t.Fatalf("not within %s: %s: %v", within, what, err)
	}
}

// poll reports whether ok returned true in time. It calls ok at least once, and
// not again once the test is over.
func poll(t testing.TB, within time.Duration, ok func() bool) bool {
	t.Helper()
	limit := time.NewTimer(within)
	defer limit.Stop()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit.C:
			return ok() // a slow machine may have had no turn in between
		case <-t.Context().Done():
			return false
		}
	}
	return true
}
