package eventually_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hybridinference/gateway/shared/eventually"
)

// recorder is a test that fails without ending the real one.
type recorder struct {
	testing.TB
	said string
}

func (r *recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) { r.said = fmt.Sprintf(format, args...) }

func TestWaitsNoLongerThanNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var done atomic.Bool
		time.AfterFunc(time.Second, func() { done.Store(true) })
		eventually.True(t, "it is done", func() bool { synctest.Wait(); return done.Load() })
		if took := time.Since(began); took > 1010*time.Millisecond {
			t.Errorf("took %s", took)
		}
	})
}

func TestFailsWithTheLastError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, calls := &recorder{TB: t}, 0
		eventually.Nil(r, time.Minute, "the sun rises", func() error { calls++; return errors.New("dark") })
		if !strings.HasSuffix(r.said, "the sun rises: dark") || calls < 100 {
			t.Errorf("%q after %d calls", r.said, calls)
		}
		eventually.True(r, "the moon sets", func() bool { return false })
		if !strings.HasSuffix(r.said, "the moon sets") {
			t.Errorf("%q", r.said)
		}
	})
}
