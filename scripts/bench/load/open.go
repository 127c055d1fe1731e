package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Latencies are the times of the requests of an open loop, in ascending order.
type Latencies []time.Duration

// At returns the latency that the share q of requests, 0 to 1, stayed within.
func (l Latencies) At(q float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	return l[min(int(q*float64(len(l))), len(l)-1)]
}

// openConns is how many requests may be in flight before the next has to wait
// for one of them; its waiting counts.
const openConns = 64

// Open sends requests at a fixed rate per second, whatever becomes of them, for
// the given time. A latency counts from the moment at which its request was
// due: a server that stalls is charged for all who had to wait, not only for
// those who were already being served (no coordinated omission). That of a stream
// ends with its first event.
func Open(ctx context.Context, req Request, rate float64, during time.Duration) (Latencies, error) {
	o := &open{req: req, idle: make(chan *openConn, openConns), failed: make(chan error, openConns)}
	defer o.close()
	for range openConns {
		if err := o.dial(during); err != nil {
			return nil, err
		}
	}
	n := int(rate * during.Seconds())
	o.latencies = make(Latencies, 0, n)
	if err := o.send(ctx, n, time.Duration(float64(time.Second)/rate)); err != nil {
		return nil, err
	}
	for range openConns { // all are idle when the last answer is here
		if _, err := o.take(ctx); err != nil {
			return nil, err
		}
	}
	slices.Sort(o.latencies)
	return o.latencies, nil
}

// open is a running open loop.
type open struct {
	req    Request
	idle   chan *openConn
	failed chan error
	conns  []*openConn
	wg     sync.WaitGroup

	mu        sync.Mutex
	latencies Latencies
}

type openConn struct {
	*conn
	due atomic.Int64 // of the request in flight, nanoseconds since start
}

func (o *open) dial(during time.Duration) error {
	c, err := dial(&o.req, during+slack)
	if err != nil {
		return err
	}
	oc := &openConn{conn: c}
	o.conns = append(o.conns, oc)
	o.idle <- oc
	return nil
}

func (o *open) close() {
	for _, c := range o.conns {
		_ = c.Close()
	}
	o.wg.Wait()
}

// send sends n requests, one each interval, from a thread that the kernel wakes
// up in time: the timers of Go's runtime are late by up to a millisecond.
func (o *open) send(ctx context.Context, n int, interval time.Duration) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("ask for exact timers: %w", err)
	}
	defer func() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) }()

	bytes := o.req.wire()
	start := time.Now()
	for _, c := range o.conns {
		o.wg.Go(func() { o.read(c, start) })
	}
	for i := range n {
		due := time.Duration(i) * interval
		sleep(due - time.Since(start))
		c, err := o.take(ctx)
		if err != nil {
			return err
		}
		c.due.Store(int64(due))
		if _, err := c.Write(bytes); err != nil {
			return fmt.Errorf("send a request: %w", err)
		}
	}
	return nil
}

func sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	ts := unix.NsecToTimespec(int64(d))
	for unix.Nanosleep(&ts, &ts) == unix.EINTR {
	}
}

// take waits for an idle connection.
func (o *open) take(ctx context.Context) (*openConn, error) {
	select {
	case err := <-o.failed:
		return nil, err
	default:
	}
	select {
	case c := <-o.idle:
		return c, nil
	case err := <-o.failed:
		return nil, err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// read takes in the answers of a connection until it is closed.
func (o *open) read(c *openConn, start time.Time) {
	var events atomic.Int64
	for {
		err := c.answer(&events)
		end := time.Now()
		if o.req.Events > 0 {
			end = c.begun
		}
		took := end.Sub(start) - time.Duration(c.due.Load())
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				o.failed <- err
			}
			return
		}
		o.mu.Lock()
		o.latencies = append(o.latencies, took)
		o.mu.Unlock()
		o.idle <- c
	}
}
