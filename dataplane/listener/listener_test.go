package listener_test

import (
	"io"
	"net"
	"runtime"
	"testing"

	"github.com/hybridinference/gateway/dataplane/listener"
)

// Connections in the backlog are returned, and new ones are refused.
func TestClose(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const n = 5
	clients := []net.Conn{}
	for range n {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		clients = append(clients, c)
	}
	waiting, err := listener.Close(l)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "linux" && len(waiting) != n {
		t.Fatalf("%d of %d connections returned", len(waiting), n)
	}
	for _, conn := range waiting {
		if _, err := io.WriteString(conn, "hello"); err != nil {
			t.Error(err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, c := range clients[:len(waiting)] {
		if b, err := io.ReadAll(c); err != nil || string(b) != "hello" {
			t.Errorf("%q %v", b, err)
		}
	}
	if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("a connection was accepted after Close")
	}
	if _, err := l.Accept(); err == nil {
		t.Error("the listener is still open")
	}
}
