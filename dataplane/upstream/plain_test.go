package upstream_test

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
)

// full is the address of a listener that takes no more connections: a dial of it
// gets no answer.
func full(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	at, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(at.(*syscall.SockaddrInet4).Port)) //nolint:errcheck,forcetypeassert // what was bound
	for {
		c, err := net.DialTimeout("tcp", addr, 100*time.Millisecond)
		if err != nil {
			return addr
		}
		t.Cleanup(func() { _ = c.Close() })
	}
}

// A dial that hangs holds neither a client that leaves nor an attempt whose time is over.
func TestADialEndsWithItsRequest(t *testing.T) {
	u := &url.URL{Scheme: "http", Host: full(t)}
	cancel := &upstream.Cancel{}
	begun := time.Now()
	a, err := upstream.NewPlain(u, 20*time.Second).Send(&codec.Call{URL: u.String() + "/", Body: []byte("{}")}, codec.Header{}, cancel)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Head(50 * time.Millisecond); !errors.Is(err, upstream.ErrSilent) {
		t.Errorf("while it hangs: %v", err)
	}
	time.AfterFunc(50*time.Millisecond, cancel.Fire)
	_, err = a.Head(10 * time.Second)
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Canceled {
		t.Errorf("after the client has left: %v", err)
	}
	a.Close()
	if a, err = upstream.NewPlain(u, 50*time.Millisecond).Send(&codec.Call{URL: u.String() + "/", Body: []byte("{}")}, codec.Header{}, &upstream.Cancel{}); err != nil {
		t.Fatal(err)
	}
	_, err = a.Head(10 * time.Second)
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Timeout || !f.Unsent {
		t.Errorf("after the time to connect: %v", err)
	}
	a.Close()
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

// The demo pauses no longer than it is waited for.
func TestTheDemoHeedsTheWait(t *testing.T) {
	a, err := new(upstream.Demo).Send(&codec.Call{Body: []byte(`{"messages":[{"role":"user","content":"Count to 3"}],"stream":true,"demo_delay_ms":200}`)}, codec.Header{}, &upstream.Cancel{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	silent, text, buf := 0, "", make([]byte, 1<<10)
	for {
		n, err := a.Read(buf, 30*time.Millisecond)
		text += string(buf[:n])
		if errors.Is(err, upstream.ErrSilent) {
			silent++
		} else if err != nil {
			break
		}
	}
	if silent < 3 || !strings.HasSuffix(text, "data: [DONE]\n\n") {
		t.Errorf("%d waits in vain, %s", silent, text)
	}
}

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
