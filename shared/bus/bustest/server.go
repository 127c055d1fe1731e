// Package bustest runs a real NATS server in the process of a test.
package bustest

import (
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/shared/bus"
)

// Server is a running NATS server with JetStream.
type Server struct {
	t   testing.TB
	dir string
	*server.Server
}

// Start runs a server on a free port until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	return StartOn(t, t.TempDir(), server.RANDOM_PORT)
}

// StartOn runs a server on a port, with its storage in dir: a restart, or a
// start with wiped storage.
func StartOn(t testing.TB, dir string, port int) *Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, SyncAlways: true, MaxPayload: 8 << 20, NoSigs: true, NoLog: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the NATS server is not ready after 10 s")
	}
	out := &Server{t: t, dir: dir, Server: s}
	t.Cleanup(out.Stop)
	return out
}

// Stop ends the server and waits for it.
func (s *Server) Stop() {
	s.Shutdown()
	s.WaitForShutdown()
}

// Port is the port that the server listens on.
func (s *Server) Port() int { return s.Addr().(*net.TCPAddr).Port } //nolint:errcheck // always TCP

// Dir is where the server's storage is.
func (s *Server) Dir() string { return s.dir }

// Connect returns a connection like those of the gateway's processes.
func (s *Server) Connect(name string) *nats.Conn {
	s.t.Helper()
	c, err := bus.Connect(bus.Options{URL: s.ClientURL(), Role: "test", Name: name, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(c.Close)
	return c
}
