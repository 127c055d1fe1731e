package upstream_test

import (
	"errors"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/upstream"
)

// A head that trickles in does not extend the wait, and is not lost by it.
func TestATricklingHead(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		for _, ch := range []byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n") {
			time.Sleep(20 * time.Millisecond)
			if _, err := c.Write([]byte{ch}); err != nil {
				return
			}
		}
		_, _ = c.Read(make([]byte, 1<<10))
	}()
	u := &url.URL{Scheme: "http", Host: ln.Addr().String()}
	cancel := &upstream.Cancel{}
	a, err := upstream.NewPlain(u, time.Second).Send(&codec.Call{URL: u.String() + "/", Body: []byte("{}")}, codec.Header{}, cancel)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	silent := 0
	for {
		asked := time.Now()
		status, err := a.Head(100 * time.Millisecond)
		if took := time.Since(asked); took > time.Second {
			t.Fatalf("Head(100ms) took %s", took)
		}
		if errors.Is(err, upstream.ErrSilent) {
			silent++
			continue
		}
		if err != nil || status != 201 || silent < 5 {
			t.Fatalf("status %d, %v, after %d waits in vain", status, err, silent)
		}
		return
	}
}
