//go:build !linux

// Package listener closes a listening socket. Connections in its backlog are
// reset on this platform.
package listener

import "net"

// Close closes a listener.
func Close(l net.Listener) (waiting []net.Conn, err error) { return nil, l.Close() }
