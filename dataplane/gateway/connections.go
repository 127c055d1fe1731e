package gateway

import (
	"net"
	"sync"
	"sync/atomic"
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
	// answering is true while there is a request whose head is complete.
	answering atomic.Bool
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
	return &connection{TCPConn: tcp}
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
		own.answering.Store(false)
	case fasthttp.StateActive: // before its head was read
	}
}

// answering notes that the head of a request is complete.
func answering(ctx *fasthttp.RequestCtx) {
	if own, ok := ctx.Conn().(*connection); ok {
		own.answering.Store(true)
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

// dismissSilent ends the connections on which no request is being answered.
// What is being answered goes on: only reading ends.
func (c *connections) dismissSilent() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for own := range c.open {
		if !own.answering.Load() {
			_ = own.SetReadDeadline(time.Unix(1, 0)) // one that is closed has none
		}
	}
}
