package dispatch

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
)

// read reads from the answer, for as long as the timeouts allow.
func (r *Run) read(p []byte, until time.Time) (int, error) {
	wait, err := r.remaining(until)
	if err != nil {
		return 0, err
	}
	n, err := r.attempt.answer.Read(p, wait)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, r.asTimeout(err)
	}
	return n, err
}

// limit is the end of what may be waited for: that of the attempt or, before
// any content, that of all attempts together.
func (r *Run) limit() (time.Time, bool) {
	end, ok := r.attemptLimit()
	if deadline := r.request.deadline; !r.request.content && !deadline.IsZero() && (!ok || deadline.Before(end)) {
		return deadline, true
	}
	return end, ok
}

// attemptLimit is the end of the current attempt: a unary answer has its total,
// a stream its first event and then each next one.
func (r *Run) attemptLimit() (time.Time, bool) {
	a := &r.attempt
	t := a.Endpoint.Timeouts
	switch {
	case !r.request.streamed:
		return a.started.Add(t.Total), t.Total > 0
	case !r.request.content:
		return a.started.Add(t.FirstByte), t.FirstByte > 0
	}
	return a.silent.Add(t.Idle), t.Idle > 0
}

// remaining is how long a read may wait: until then, or until a timeout of the
// attempt. Once that is over it is ErrSilent or a Timeout fault, whatever may
// still be trickling in.
func (r *Run) remaining(until time.Time) (time.Duration, error) {
	if until.IsZero() {
		return 0, upstream.ErrSilent
	}
	now := time.Now()
	if end, ok := r.limit(); ok && end.Before(until) {
		if !now.Before(end) {
			return 0, timeout()
		}
		until = end
	}
	if !now.Before(until) {
		return 0, upstream.ErrSilent
	}
	return until.Sub(now), nil
}

// asTimeout turns silence beyond the timeouts into a fault.
func (r *Run) asTimeout(err error) error {
	if !errors.Is(err, upstream.ErrSilent) {
		return err
	}
	if end, ok := r.limit(); ok && !time.Now().Before(end) {
		return timeout()
	}
	return err
}

func timeout() *fault.Error { return fault.New(fault.Timeout, "The upstream did not answer in time") }

// maxRetryAfter bounds what an upstream may ask for.
const maxRetryAfter = time.Hour

// retryAfter reads how long an upstream asks to wait: retry-after-ms, or
// Retry-After in seconds or as a date.
func retryAfter(a upstream.Answer) time.Duration {
	if ms, err := strconv.ParseFloat(a.Header("Retry-After-Ms"), 64); err == nil && ms > 0 {
		return min(time.Duration(ms*float64(time.Millisecond)), maxRetryAfter)
	}
	text := a.Header("Retry-After")
	if s, err := strconv.ParseFloat(text, 64); err == nil {
		return min(max(0, time.Duration(s*float64(time.Second))), maxRetryAfter)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(0, time.Until(at)), maxRetryAfter)
	}
	return 0
}
