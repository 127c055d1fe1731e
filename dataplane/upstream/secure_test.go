package upstream_test

import (
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
)

// hosted is an HTTP/2 server that counts its connections.
type hosted struct {
	*httptest.Server
	dialled atomic.Int64
}

func newHosted(t *testing.T, handler http.HandlerFunc) *hosted {
	t.Helper()
	h := &hosted{Server: httptest.NewUnstartedServer(handler)}
	h.EnableHTTP2 = true
	h.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			h.dialled.Add(1)
		}
	}
	h.StartTLS()
	t.Cleanup(h.Close)
	// All of httptest's servers have one certificate, and the first connection
	// of the process reads this file.
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", path)
	return h
}

// ask sends a request and reads its answer to the end.
func ask(s upstream.Sender, url string, cancel *upstream.Cancel) error {
	a, err := s.Send(&codec.Call{URL: url, Body: []byte("{}")}, codec.Header{}, cancel)
	if err != nil {
		return err
	}
	defer a.Close()
	if _, err := a.Head(time.Minute); err != nil {
		return err
	}
	for {
		if _, err := a.Read(make([]byte, 512), time.Minute); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// A request that fails or is cancelled leaves the connections of others alone.
func TestFailuresKeepOtherConnections(t *testing.T) {
	h := newHosted(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, "hello")
	})
	gone := httptest.NewServer(nil)
	refused := "https" + gone.URL[len("http"):]
	gone.Close()
	s := upstream.NewSecure(5 * time.Second)
	for range 5 {
		if err := ask(s, h.URL, &upstream.Cancel{}); err != nil {
			t.Fatal(err)
		}
		if f := fault.From(ask(s, refused, &upstream.Cancel{})); f.Kind != fault.Unavailable || !f.Unsent {
			t.Fatalf("a refused connection: %v", f)
		}
		cancel := &upstream.Cancel{}
		time.AfterFunc(20*time.Millisecond, cancel.Fire)
		if f := fault.From(ask(s, h.URL+"/slow", cancel)); f.Kind != fault.Canceled || f.Connection != 0 {
			t.Fatalf("a cancelled request: %v, connection %d", f, f.Connection)
		}
	}
	if n := h.dialled.Load(); n != 1 {
		t.Errorf("%d connections to a healthy host, want 1", n)
	}
}

// All requests that go down with one connection name it.
func TestADeadConnectionIsNamed(t *testing.T) {
	const streams = 20
	var arrived sync.WaitGroup
	arrived.Add(streams)
	h := newHosted(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler) // resets one stream
		}
		_ = http.NewResponseController(w).Flush()
		arrived.Done()
		<-r.Context().Done()
	})
	s := upstream.NewSecure(5 * time.Second)
	if f := fault.From(ask(s, h.URL+"/abort", &upstream.Cancel{})); f.Kind != fault.Unavailable || f.Connection != 0 {
		t.Errorf("a stream that was reset: %v, connection %d", f, f.Connection)
	}
	faults := make(chan *fault.Error, streams)
	for range streams {
		go func() { faults <- fault.From(ask(s, h.URL, &upstream.Cancel{})) }()
	}
	arrived.Wait()
	h.CloseClientConnections()
	first := (<-faults).Connection
	for range streams - 1 {
		if f := <-faults; f.Connection != first || first == 0 || f.Kind != fault.Unavailable {
			t.Errorf("%v, connection %d, that of the first is %d", f, f.Connection, first)
		}
	}
}

// A connection that is silently dead is found by a ping, for all its requests
// at once, and the next request has another one.
func TestAPingFindsADeadConnection(t *testing.T) {
	h := newHosted(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-r.Context().Done()
		}
		_, _ = io.WriteString(w, "hello")
	})
	proxy := newDeaf(t, h.Listener.Addr().String())
	s := upstream.NewSecure(5 * time.Second)
	if err := ask(s, proxy.url, &upstream.Cancel{}); err != nil {
		t.Fatal(err)
	}
	proxy.deaf.Store(true)
	begun := time.Now()
	faults := make(chan *fault.Error, 2)
	for range 2 {
		go func() { faults <- fault.From(ask(s, proxy.url+"/slow", &upstream.Cancel{})) }()
	}
	one, two := <-faults, <-faults
	if took := time.Since(begun); took > 30*time.Second || one.Connection == 0 || one.Connection != two.Connection {
		t.Errorf("after %s: %v (connection %d), %v (connection %d)", took, one, one.Connection, two, two.Connection)
	}
	proxy.deaf.Store(false)
	if err := ask(s, proxy.url, &upstream.Cancel{}); err != nil {
		t.Error(err)
	}
}

// deaf is a TCP proxy that can stop to forward without closing anything.
type deaf struct {
	url  string
	deaf atomic.Bool
}

func newDeaf(t *testing.T, to string) *deaf {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	d := &deaf{url: "https://" + ln.Addr().String()}
	go func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				return
			}
			t.Cleanup(func() { _, _ = in.Close(), out.Close() })
			go d.copy(in, out)
			go d.copy(out, in)
		}
	}()
	return d
}

// copy forwards until a read fails, and takes in silence while it is deaf.
func (d *deaf) copy(to, from net.Conn) {
	buf := make([]byte, 4<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if d.deaf.Load() {
			continue
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}
