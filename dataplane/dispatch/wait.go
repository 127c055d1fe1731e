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
func (r *Run) read(p []byte, wait time.Duration) (int, error) {
	if wait == 0 {
		return 0, upstream.ErrSilent
	}
	n, err := r.answer.Read(p, r.remaining(wait))
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, r.asTimeout(err)
	}
	return n, err
}

// limit is the end of what may be waited for: that of the attempt or, before
// any content, that of all attempts together.
func (r *Run) limit() (time.Time, bool) {
	end, ok := r.attemptLimit()
	if !r.content && !r.deadline.IsZero() && (!ok || r.deadline.Before(end)) {
		return r.deadline, true
	}
	return end, ok
}

// attemptLimit is the end of the current attempt: a whole answer has its total,
// a stream its first event and then each next one.
func (r *Run) attemptLimit() (time.Time, bool) {
	t := r.current.Endpoint.Timeouts
	switch {
	case !r.wantsStream:
		return r.started.Add(t.Total), t.Total > 0
	case !r.content:
		return r.started.Add(t.FirstByte), t.FirstByte > 0
	}
	return r.silent.Add(t.Idle), t.Idle > 0
}

// remaining shortens wait to what the timeouts leave.
func (r *Run) remaining(wait time.Duration) time.Duration {
	end, ok := r.limit()
	if !ok {
		return wait
	}
	return max(time.Millisecond, min(wait, time.Until(end)))
}

// asTimeout turns silence beyond the timeouts into a fault.
func (r *Run) asTimeout(err error) error {
	if !errors.Is(err, upstream.ErrSilent) {
		return err
	}
	if end, ok := r.limit(); ok && !time.Now().Before(end) {
		return fault.New(fault.Timeout, "The upstream did not answer in time")
	}
	return err
}

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
