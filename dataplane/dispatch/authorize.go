package dispatch

import (
	"context"
	"time"

	"github.com/hybridinference/gateway/dataplane/upstream"
)

// authorize gets the header that carries the endpoint's secret. Only an access
// token may have to be waited for; ErrSilent if it does not come until then.
func (r *Run) authorize(until time.Time) (err error) {
	a := &r.attempt
	a.auth, err = a.credential.Header(noWait{})
	if err == nil || !isCanceled(err) {
		return err
	}
	wait, err := r.remaining(until)
	if err != nil {
		return err
	}
	ctx, stop := r.request.Cancel.Context(wait)
	defer stop()
	if a.auth, err = a.credential.Header(ctx); err == nil || !isCanceled(err) {
		return err
	}
	if r.request.Cancel.Fired() {
		return canceled()
	}
	return r.asTimeout(upstream.ErrSilent)
}

// noWait is a context that is done: it asks for what can be had without waiting.
type noWait struct{}

// Deadline implements context.Context.
func (noWait) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done implements context.Context.
func (noWait) Done() <-chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}

// Err implements context.Context.
func (noWait) Err() error { return context.Canceled }

// Value implements context.Context.
func (noWait) Value(any) any { return nil }
