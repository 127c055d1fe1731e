package upstream

import (
	"errors"
	"fmt"
	"net"
)

// Mode is what becomes of new connections.
type Mode string

// The modes. Connections that are open already are not touched: see Drop.
const (
	Accept Mode = "accept" // the default
	Refuse Mode = "refuse" // no one listens: the client's dial fails
	Reject Mode = "reject" // accepted, then reset at once
)

// SetMode decides on new connections from now on.
func (s *Server) SetMode(m Mode) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch m {
	case Refuse:
		s.mode = m
		return s.unlistenLocked()
	case Accept, Reject:
		s.mode = m
		return s.listenLocked(s.addr)
	default:
		return fmt.Errorf("mode %q is not one of accept, refuse, reject", m)
	}
}

// Drop resets every open connection, as a process that dies does.
func (s *Server) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		reset(c)
	}
}

// reset makes the peer see "connection reset" instead of an orderly end.
func reset(c *net.TCPConn) {
	_ = c.SetLinger(0) // fails only on a connection that is closed already
	_ = c.Close()
}

func (s *Server) listen(addr string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mode = Accept
	return s.listenLocked(addr)
}

func (s *Server) listenLocked(addr string) error {
	if s.listener != nil || s.closed {
		return nil
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", addr, err)
	}
	s.listener = l
	s.wg.Go(func() { s.accept(l) })
	return nil
}

func (s *Server) unlistenLocked() error {
	if s.listener == nil {
		return nil
	}
	err := s.listener.Close()
	s.listener = nil
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// accept ends when its listener is closed.
func (s *Server) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if tcp, ok := c.(*net.TCPConn); ok {
			s.take(tcp)
		}
	}
}

func (s *Server) take(c *net.TCPConn) {
	s.ledger.connections.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mode == Reject || s.closed {
		reset(c)
		return
	}
	s.conns[c] = struct{}{}
	s.wg.Go(func() {
		s.serve(c)
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	})
}
