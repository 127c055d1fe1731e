package gateway

import (
	"context"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/hybridinference/gateway/dataplane/upstream"
)

// disconnectWatcher notices clients that leave while there is nothing to write
// to them, whatever their upstream does meanwhile: fasthttp does not report that. One
// goroutine looks at the sockets of all requests that are not quite new, so that
// quick ones cost no more than a place in a list.
type disconnectWatcher struct {
	mu     sync.Mutex
	oldest *watch
	newest *watch
}

// watch is a request's place in the list, from the oldest to the newest. The
// zero value is in none.
type watch struct {
	older, newer *watch
	conn         net.Conn
	raw          syscall.RawConn // of conn, once it was looked at
	cancel       *upstream.Cancel
	since        time.Time
}

const (
	// watchEvery is how often sockets are looked at.
	watchEvery = 200 * time.Millisecond
	// watchAfter is how old a request is before its socket is.
	watchAfter = 200 * time.Millisecond
)

// add watches a request until remove, and fires its cancel once the client has left.
func (d *disconnectWatcher) add(w *watch, conn net.Conn, cancel *upstream.Cancel, since time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	*w = watch{older: d.newest, conn: conn, cancel: cancel, since: since}
	if d.newest != nil {
		d.newest.newer = w
	} else {
		d.oldest = w
	}
	d.newest = w
}

// remove ends the watch. The cancel is not fired afterwards.
func (d *disconnectWatcher) remove(w *watch) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if w.cancel != nil {
		d.unlink(w)
	}
}

func (d *disconnectWatcher) unlink(w *watch) {
	if w.older != nil {
		w.older.newer = w.newer
	} else {
		d.oldest = w.newer
	}
	if w.newer != nil {
		w.newer.older = w.older
	} else {
		d.newest = w.older
	}
	*w = watch{}
}

func (d *disconnectWatcher) run(ctx context.Context) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			d.look(now)
		}
	}
}

func (d *disconnectWatcher) look(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for w := d.oldest; w != nil && now.Sub(w.since) >= watchAfter; {
		next := w.newer
		if w.left() {
			w.cancel.Fire()
			d.unlink(w)
		}
		w = next
	}
}

// left reports whether the client has closed its side of the connection.
func (w *watch) left() bool {
	if w.raw == nil {
		sc, ok := w.conn.(syscall.Conn)
		if !ok {
			return false
		}
		var err error
		if w.raw, err = sc.SyscallConn(); err != nil {
			return true
		}
	}
	gone := false
	err := w.raw.Control(func(fd uintptr) { gone = peerClosed(fd) })
	return gone || err != nil
}
