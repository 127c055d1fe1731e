package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// KeepIdle hides a transport's CloseIdleConnections. go-retryablehttp calls it
// after every failed request, which would cost all other hosts theirs.
func KeepIdle(t http.RoundTripper) http.RoundTripper { return keepIdle{t} }

type keepIdle struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (k keepIdle) RoundTrip(r *http.Request) (*http.Response, error) { return k.next.RoundTrip(r) }

// numberedConn is a connection that many requests may share. Its number says
// whether their failures have one cause.
type numberedConn struct {
	net.Conn
	number uint64
	once   sync.Once
	closed chan struct{}
	open   *atomic.Int64 // counts the connections that are
}

// Close implements net.Conn.
func (c *numberedConn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.open.Add(-1)
	})
	return c.Conn.Close()
}

// died reports whether err is the end of the connection and not of one request.
// net/http ends the requests first and closes the connection right after.
func (c *numberedConn) died(err error) bool {
	if _, one := errors.AsType[resetStream](err); one {
		return false
	}
	timer := time.NewTimer(closing)
	defer timer.Stop()
	select {
	case <-c.closed:
		return true
	case <-timer.C:
		return false
	}
}

// closing is how long net/http may take to close a connection that has failed.
const closing = 50 * time.Millisecond

// resetStream has the form of net/http's error for a stream that was reset,
// which converts itself for errors.As: its own type has no name outside.
type resetStream struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

// Error implements error.
func (e resetStream) Error() string { return "the upstream reset the stream" }

type dial func(ctx context.Context, network, addr string) (net.Conn, error)

// numbered gives each connection a number of its own, from 1.
func numbered(d dial, open *atomic.Int64) dial {
	var last atomic.Uint64
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := d(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		open.Add(1)
		return &numberedConn{Conn: c, number: last.Add(1), closed: make(chan struct{}), open: open}, nil
	}
}

// numberedOf returns the connection that a request uses, nil if it is not ours.
func numberedOf(c net.Conn) *numberedConn {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	n, _ := c.(*numberedConn)
	return n
}
