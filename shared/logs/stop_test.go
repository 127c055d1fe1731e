package logs_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/hybridinference/gateway/shared/logs"
)

// page is a log that can be read while it is written.
type page struct {
	mu   sync.Mutex
	text strings.Builder
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func TestStopping(t *testing.T) {
	f := func(end func(context.CancelCauseFunc), want ...string) {
		t.Helper()
		p := new(page)
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		stopped := logs.Stopping(ctx, logs.Settings{Format: "text"}.New(p))
		end(cancel)
		stopped()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, w := range want {
			if !strings.Contains(p.text.String(), w) {
				t.Errorf("%q does not hold %q", p.text.String(), w)
			}
		}
		if len(want) == 0 && p.text.Len() > 0 {
			t.Errorf("%q for a program that ended by itself", p.text.String())
		}
	}
	f(func(cancel context.CancelCauseFunc) { cancel(errors.New("terminated signal received")) }, "msg=stopped")
	f(func(context.CancelCauseFunc) {})
}
