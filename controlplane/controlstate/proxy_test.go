package controlstate_test

import (
	"bytes"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy stands before a real server and can be cut off from it.
type proxy struct {
	dsn    string
	server string

	mu   sync.Mutex
	down bool
	open []net.Conn
	// lose is what a message must contain for its answer to be lost, once.
	lose []byte
}

func newProxy(t *testing.T, dsn string) *proxy {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{server: u.Host}
	u.Host = listener.Addr().String()
	p.dsn = u.String()
	var wg sync.WaitGroup
	wg.Go(func() { p.accept(listener, &wg) })
	t.Cleanup(func() {
		listener.Close() //nolint:errcheck // nothing was written
		p.cut()
		wg.Wait()
	})
	return p
}

func (p *proxy) accept(listener net.Listener, wg *sync.WaitGroup) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		server, err := new(net.Dialer).Dial("tcp", p.server)
		if err != nil || !p.keep(client, server) {
			client.Close() //nolint:errcheck // the client sees it
			continue
		}
		var deaf atomic.Bool
		wg.Go(func() { pipe(server, client, func(b []byte) bool { p.listen(b, &deaf); return true }) })
		wg.Go(func() { pipe(client, server, func([]byte) bool { return !deaf.Load() }) })
	}
}

// keep reports false when the proxy is cut off.
func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		for _, c := range conns {
			c.Close() //nolint:errcheck // the client sees it
		}
		return false
	}
	p.open = append(p.open, conns...)
	return true
}

// listen makes the connection deaf to the answer of the message to lose.
func (p *proxy) listen(message []byte, deaf *atomic.Bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lose != nil && bytes.Contains(message, p.lose) {
		p.lose = nil
		deaf.Store(true)
	}
}

// pipe ends, and closes both, when either side does or pass refuses something.
func pipe(to, from net.Conn, pass func([]byte) bool) {
	defer to.Close()   //nolint:errcheck // its peer sees it
	defer from.Close() //nolint:errcheck // its peer sees it
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil || !pass(buf[:n]) {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (p *proxy) loseReplyTo(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lose = []byte(text)
}

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	for _, c := range p.open {
		c.Close() //nolint:errcheck // both sides see it
	}
	p.open = nil
}

func (p *proxy) mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}
