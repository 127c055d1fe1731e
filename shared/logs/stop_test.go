package logs_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/shared/logs"
	"github.com/hybridinference/gateway/shared/logs/logtest"
)

func TestStopping(t *testing.T) {
	f := func(end func(context.CancelCauseFunc), want ...string) {
		t.Helper()
		p := new(logtest.Buffer)
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		stopped := logs.Stopping(ctx, logs.Settings{Format: "text"}.New(p))
		end(cancel)
		stopped()
		for _, w := range want {
			if !strings.Contains(p.String(), w) {
				t.Errorf("%q does not hold %q", p.String(), w)
			}
		}
		if len(want) == 0 && p.String() != "" {
			t.Errorf("%q for a program that ended by itself", p.String())
		}
	}
	f(func(cancel context.CancelCauseFunc) { cancel(errors.New("terminated signal received")) }, "msg=stopped")
	f(func(context.CancelCauseFunc) {})
}
