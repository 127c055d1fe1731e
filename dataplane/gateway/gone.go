package gateway

import (
	"context"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/hybridinference/gateway/dataplane/upstream"
)

// goneWatch notices clients that leave while their upstream is silent.
// fasthttp does not tell; a failed write does, but there may be nothing to
// write for a long time. One goroutine looks at the sockets of all requests
// that have waited for a while, so that quick requests cost nothing.
type goneWatch struct {
	mu   sync.Mutex
	open map[*upstream.Cancel]syscall.RawConn
}

const (
	// goneEvery is how often sockets are looked at.
	goneEvery = 200 * time.Millisecond
	// goneAfter is how long a request waits before it is watched.
	goneAfter = 200 * time.Millisecond
)

func newGoneWatch() *goneWatch {
	return &goneWatch{open: map[*upstream.Cancel]syscall.RawConn{}}
}

// add watches a request's connection until remove.
func (w *goneWatch) add(c *upstream.Cancel, conn net.Conn) {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open[c] = raw
}

func (w *goneWatch) remove(c *upstream.Cancel) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, c)
}

func (w *goneWatch) run(ctx context.Context) {
	ticker := time.NewTicker(goneEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			w.look()
		}
	}
}

func (w *goneWatch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c, raw := range w.open {
		if hasLeft(raw) {
			delete(w.open, c)
			c.Fire()
		}
	}
}

// hasLeft reports whether the peer closed its side. Bytes that are waiting are
// the next request of a pipelining client: it is still there.
func hasLeft(raw syscall.RawConn) bool {
	left := false
	err := raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		left = n == 0 && err == nil || err == syscall.ECONNRESET
	})
	return err != nil || left
}
