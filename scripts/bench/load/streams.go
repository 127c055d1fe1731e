package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"sync"
	"sync/atomic"
	"time"
)

// Streams are streams that are all open at the same time.
type Streams struct {
	req     Request
	conns   []*conn
	begun   atomic.Int64 // streams with an event
	events  atomic.Int64
	closing atomic.Bool
	wg      sync.WaitGroup
	mu      sync.Mutex
	errs    []error
}

// OpenStreams opens n streams, evenly spread over the given time, and returns
// when each has had an event. Who has them must close them.
func OpenStreams(ctx context.Context, req Request, n int, spread time.Duration) (*Streams, error) {
	s := &Streams{req: req}
	for i := range n {
		if err := pause(ctx, spread/time.Duration(n)); err != nil {
			return nil, errors.Join(err, s.Close())
		}
		if err := s.open(); err != nil {
			return nil, errors.Join(fmt.Errorf("stream %d: %w", i, err), s.Close())
		}
	}
	for deadline := time.Now().Add(slack); s.begun.Load() < int64(n); {
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return nil, errors.Join(err, s.Close())
		}
		if time.Now().After(deadline) {
			return nil, errors.Join(fmt.Errorf("%d of %d streams have begun after %s", s.begun.Load(), n, slack), s.Close())
		}
	}
	return s, nil
}

// pause returns after d, or with an error when ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Streams) open() error {
	c, err := dial(&s.req, 5*time.Minute)
	if err != nil {
		return err
	}
	s.conns = append(s.conns, c)
	if _, err := c.Write(s.req.wire()); err != nil {
		return fmt.Errorf("send a request: %w", err)
	}
	s.wg.Go(func() {
		if err := s.read(c); err != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.errs = append(s.errs, err)
		}
	})
	return nil
}

// read counts until the stream is closed by Close; any other end is an error.
func (s *Streams) read(c *conn) error {
	err := c.readHead()
	in := httputil.NewChunkedReader(c.br)
	c.body = make([]byte, 4<<10)
	var t tally
	for err == nil {
		var n int
		n, err = in.Read(c.body)
		had := t.events > 0
		s.events.Add(int64(t.add(c.body[:n])))
		if !had && t.events > 0 {
			s.begun.Add(1)
		}
	}
	if s.closing.Load() && (errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrUnexpectedEOF)) {
		return nil
	}
	return fmt.Errorf("a stream ended after %d events: %w", t.events, err)
}

// Events is how many events have come in over all streams.
func (s *Streams) Events() int64 { return s.events.Load() }

// Close leaves all streams. Its error reports streams that ended before.
func (s *Streams) Close() error {
	s.closing.Store(true)
	for _, c := range s.conns {
		_ = c.Close()
	}
	s.wg.Wait()
	if len(s.errs) == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d streams failed, the first: %w", len(s.errs), len(s.conns), s.errs[0])
}
