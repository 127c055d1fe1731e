package collector_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/hybridinference/gateway/shared/secret"
)

// proxy stands between a store and its server and can cut the way.
type proxy struct {
	t      *testing.T
	target *url.URL
	l      net.Listener

	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

func newProxy(t *testing.T, dsn string) *proxy {
	t.Helper()
	target, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, target: target, l: l}
	var done sync.WaitGroup
	done.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			done.Go(func() { p.serve(in) })
		}
	})
	t.Cleanup(func() {
		l.Close() //nolint:errcheck // only listened
		p.cut()
		done.Wait()
	})
	return p
}

func (p *proxy) dsn() secret.String {
	u := *p.target
	u.Host = p.l.Addr().String()
	return secret.New(u.String())
}

func (p *proxy) serve(in net.Conn) {
	defer in.Close() //nolint:errcheck // cut, as intended
	out, err := net.Dial("tcp", p.target.Host)
	if err != nil {
		return
	}
	defer out.Close() //nolint:errcheck // cut, as intended
	if !p.admit(in, out) {
		return
	}
	go func() {
		_, _ = io.Copy(out, in)
		_ = out.Close()
	}()
	_, _ = io.Copy(in, out)
}

func (p *proxy) admit(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, conns...)
	return !p.down
}

// cut ends all connections and refuses new ones.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

func (p *proxy) restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}
