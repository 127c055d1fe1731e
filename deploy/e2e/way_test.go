package e2e_test

import (
	"net"
	"sync"
	"testing"
)

// way is a TCP way to a server that can be frozen: connections stay, and
// nothing gets through, as when a network is cut.
type way struct {
	target string
	l      net.Listener
	done   sync.WaitGroup

	mu     sync.Mutex
	open   *sync.Cond // signals that frozen or closed has changed
	frozen bool
	closed bool
	conns  map[net.Conn]bool
}

func newWay(t *testing.T, target string) *way {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &way{target: target, l: l, conns: map[net.Conn]bool{}}
	w.open = sync.NewCond(&w.mu)
	w.done.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			w.done.Go(func() { w.carry(in) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		w.set(func() { w.closed = true })
		w.drop()
		w.done.Wait()
	})
	return w
}

func (w *way) addr() string { return w.l.Addr().String() }

func (w *way) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
	w.open.Broadcast()
}

// freeze stops everything that is on its way, or lets it go on.
func (w *way) freeze(on bool) { w.set(func() { w.frozen = on }) }

// drop ends all connections.
func (w *way) drop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		_ = c.Close()
	}
}

// passable waits while the way is frozen.
func (w *way) passable() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.frozen && !w.closed {
		w.open.Wait()
	}
}

func (w *way) hold(c net.Conn) (release func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns[c] = true
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.conns, c)
		_ = c.Close()
	}
}

func (w *way) carry(in net.Conn) {
	defer w.hold(in)()
	w.passable()
	out, err := net.Dial("tcp", w.target)
	if err != nil {
		return
	}
	defer w.hold(out)()
	back := make(chan struct{})
	go func() {
		defer close(back)
		w.copy(in, out)
	}()
	w.copy(out, in)
	<-back
}

// copy ends both connections with the first end.
func (w *way) copy(to, from net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		w.passable()
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	_, _ = to.Close(), from.Close()
}
