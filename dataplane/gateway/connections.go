package gateway

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// connections are those that are open, so that a node which stops does not wait
// for clients that have connected and send nothing, or half of a head.
type connections struct {
	net.Listener
	mu   sync.Mutex
	open map[*connection]struct{}
	// none is closed when the last one has ended, nil unless someone waits.
	none chan struct{}
}

// connection is one of them.
type connection struct {
	*net.TCPConn
	peer netip.Addr
	from string // the peer, as text

	mu sync.Mutex // of what follows
	// phase is how much of a request there is.
	phase phase
	// dismissed is set when requests whose head is not complete are not waited for.
	dismissed bool
	// read is the deadline that is set.
	read time.Time

	// what follows belongs to the connection's goroutine
	write time.Time // the deadline that is set
	size  []byte    // of a chunk, as its first line
	parts [3][]byte // of a chunk, for one writev
	bufs  net.Buffers
}

// writeChunk writes a chunk of a body.
func (c *connection) writeChunk(p []byte) error {
	c.size = append(strconv.AppendInt(c.size[:0], int64(len(p)), 16), "\r\n"...)
	c.parts = [3][]byte{c.size, p, c.size[len(c.size)-2:]}
	c.bufs = c.parts[:]
	_, err := c.bufs.WriteTo(c.TCPConn)
	c.parts = [3][]byte{}
	return err
}

// phase is how much of a request a connection has. The server sets a deadline when
// the first byte is there, and one when the head is complete (see headReceived):
// its handlers are called only with a part of the body.
type phase uint8

const (
	silent      phase = iota
	begun             // the first byte is there
	readingHead       // and the head's deadline is set
	complete          // the body's is set, or the request is being answered
)

// deadlineSlack is how much earlier than asked for a deadline may be. The server
// sets three for each request, minutes away; each is a timer to move.
const deadlineSlack = time.Second

// suffices reports whether a deadline that is set does for one that is asked for.
func suffices(set, want time.Time) bool {
	return set.After(want.Add(-deadlineSlack)) && !set.After(want) && time.Until(want) > 8*deadlineSlack
}

// SetReadDeadline implements net.Conn.
func (c *connection) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == begun {
		c.renew(t)
	}
	if c.phase == begun || c.phase == readingHead {
		c.phase++
	}
	if c.dismissed && c.phase != complete {
		t = past()
	}
	if suffices(c.read, t) {
		return nil
	}
	c.read = t
	return c.TCPConn.SetReadDeadline(t)
}

// renew lifts the deadline of the last answer if it is over by now, readTime before
// t: the server sets none for what it writes before it has read the body.
func (c *connection) renew(t time.Time) {
	if !c.write.IsZero() && c.write.Before(t.Add(-readTime)) {
		c.write = time.Time{}
		_ = c.TCPConn.SetWriteDeadline(c.write) // a connection that is gone has none
	}
}

// SetWriteDeadline implements net.Conn.
func (c *connection) SetWriteDeadline(t time.Time) error {
	if suffices(c.write, t) {
		return nil
	}
	c.write = t
	return c.TCPConn.SetWriteDeadline(t)
}

// SetDeadline implements net.Conn.
func (c *connection) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *connection) enter(p phase) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phase = p
}

// past is a deadline that ends reading at once.
func past() time.Time { return time.Unix(1, 0) }

// readTime is how long a request's head may take, and then its body.
const readTime = 2 * time.Minute

// headReceived is fasthttp's hook: it has the server set a deadline.
func headReceived(*fasthttp.RequestHeader) fasthttp.RequestConfig {
	return fasthttp.RequestConfig{ReadTimeout: readTime}
}

// Accept implements net.Listener.
func (c *connections) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return c.take(conn), nil
}

// take makes a connection one of them.
func (c *connections) take(conn net.Conn) net.Conn {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	own := &connection{TCPConn: tcp}
	if addr, ok := tcp.RemoteAddr().(*net.TCPAddr); ok {
		own.peer = addr.AddrPort().Addr().Unmap().WithZone("")
		own.from = own.peer.String()
	}
	return own
}

// changed is fasthttp's hook.
func (c *connections) changed(conn net.Conn, state fasthttp.ConnState) {
	own, ok := conn.(*connection)
	if !ok {
		return
	}
	switch state {
	case fasthttp.StateNew:
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.open == nil {
			c.open = map[*connection]struct{}{}
		}
		c.open[own] = struct{}{}
	case fasthttp.StateClosed, fasthttp.StateHijacked:
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.open, own)
		if len(c.open) == 0 && c.none != nil {
			close(c.none)
			c.none = nil
		}
	case fasthttp.StateIdle:
		own.enter(silent)
	case fasthttp.StateActive:
		own.enter(begun)
	}
}

// wait returns when no connection is open, or when limit has passed.
func (c *connections) wait(limit time.Duration) {
	c.mu.Lock()
	if len(c.open) == 0 {
		c.mu.Unlock()
		return
	}
	none := make(chan struct{})
	c.none = none
	c.mu.Unlock()
	select {
	case <-none:
	case <-time.After(limit):
	}
}

// dismissSilent ends the connections that have no request whose head is complete.
// What has one goes on, also if its body is still to come.
func (c *connections) dismissSilent() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for own := range c.open {
		own.dismiss()
	}
}

func (c *connection) dismiss() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dismissed = true; c.phase != complete {
		c.read = past()
		_ = c.TCPConn.SetReadDeadline(past()) // one that is closed has none
	}
}
