package publish

import (
	"log/slog"
	"sync"
)

// trouble logs a failure that may repeat each second once, and its end.
type trouble struct {
	log  *slog.Logger
	what string

	mu   sync.Mutex
	last string
}

func newTrouble(log *slog.Logger, what string) *trouble { return &trouble{log: log, what: what} }

// now is what is wrong at present, "" for nothing.
func (t *trouble) now() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}

// report takes the outcome of an attempt.
func (t *trouble) report(err error) {
	now := ""
	if err != nil {
		now = err.Error()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch now {
	case t.last:
	case "":
		t.log.Info("over: " + t.what) //nolint:sloglint // what is one of a few constants
	default:
		t.log.Warn(t.what, slog.String("error", now)) //nolint:sloglint // see above
	}
	t.last = now
}
