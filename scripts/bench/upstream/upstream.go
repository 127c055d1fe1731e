// Package upstream is a scripted OpenAI-compatible server: what it answers, how
// fast, and how it fails is set while it runs. It counts what reached it and
// keeps the last request, so that a test sees the gateway from behind.
//
// It speaks HTTP/1.1 on its own, one goroutine per connection: most of the
// faults are what a correct HTTP server never does, and a load test wants a
// server that costs little. Its control API listens on a second address, which
// stays reachable while the first refuses connections.
//
// An answer carries the model it was asked for and, if the request contains
// "echo:" and a word, that word in its id and in its text (each streamed chunk
// with its number), so that a client can tell whether answers were mixed up.
package upstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
)

// Options say where to listen.
type Options struct {
	// Addr is host:port; the default is a free port on loopback.
	Addr string
	// ControlAddr is the same for the control API (Handler).
	ControlAddr string
}

// Server is a running upstream. Its methods are safe for concurrent use.
type Server struct {
	addr    string
	book    book
	ledger  ledger
	control *http.Server
	ctlAddr string

	mu       sync.Mutex
	mode     Mode
	listener net.Listener // nil while connections are refused
	conns    map[*net.TCPConn]struct{}
	closed   bool
	wg       sync.WaitGroup
}

// Start listens and serves until Close. Without rules it answers every request
// by the zero Script.
func Start(o Options) (*Server, error) {
	s := &Server{conns: make(map[*net.TCPConn]struct{})}
	s.ledger.tallies = make(map[tallyKey]*tally)
	s.ledger.last = make(map[string]*record)
	if err := s.listen(orLoopback(o.Addr)); err != nil {
		return nil, err
	}
	s.addr = s.listener.Addr().String()
	if err := s.startControl(orLoopback(o.ControlAddr)); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func orLoopback(addr string) string {
	if addr == "" {
		return "127.0.0.1:0"
	}
	return addr
}

func (s *Server) startControl(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen for control on %s: %w", addr, err)
	}
	s.ctlAddr = l.Addr().String()
	s.control = &http.Server{Handler: s.Handler()}
	s.wg.Go(func() { _ = s.control.Serve(l) }) // ends with Close
	return nil
}

// Addr is the host:port that is scripted. It never changes.
func (s *Server) Addr() string { return s.addr }

// URL is the base of what is scripted, without a slash at its end.
func (s *Server) URL() string { return "http://" + s.addr }

// ControlURL is the base of the control API, for a Remote.
func (s *Server) ControlURL() string { return "http://" + s.ctlAddr }

// Set adds a rule: one with Times is used up before all others, any other
// replaces the one for the same model and path.
func (s *Server) Set(r Rule) error { return s.book.set(r) }

// Reset forgets all rules, counts and records and accepts connections again.
func (s *Server) Reset() error {
	s.book.reset()
	s.ledger.reset()
	return s.SetMode(Accept)
}

// Counts tells what has reached the server since the last Reset.
func (s *Server) Counts() Counts {
	c := s.ledger.counts()
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Connected = len(s.conns)
	return c
}

// Last returns the last request for a model, or false. The model "" stands for
// requests that name none.
func (s *Server) Last(model string) (Request, bool) { return s.ledger.lastOf(model) }

// Close ends all connections and waits for their goroutines.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	err := s.unlistenLocked()
	s.mu.Unlock()
	s.Drop()
	if s.control != nil {
		err = errors.Join(err, s.control.Close())
	}
	s.wg.Wait()
	return err
}

// Run serves until ctx is done, then closes.
func (s *Server) Run(ctx context.Context) error {
	<-ctx.Done()
	return s.Close()
}
