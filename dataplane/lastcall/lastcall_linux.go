// Package lastcall closes a listening socket without losing those who have
// connected already. The kernel resets connections that nobody has accepted
// when a socket is closed: a balancer has connected, sends its request, and
// loses it.
package lastcall

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Close closes a listener and returns the connections that were waiting to be
// accepted. Between the last of them and the end there are microseconds.
func Close(l net.Listener) (waiting []net.Conn, err error) {
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return nil, l.Close()
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listening socket: %w", err), l.Close())
	}
	var fds []int
	err = raw.Control(func(fd uintptr) {
		for {
			conn, _, err := unix.Accept4(int(fd), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
			if err != nil {
				_ = unix.Shutdown(int(fd), unix.SHUT_RD)
				return
			}
			fds = append(fds, conn)
		}
	})
	for _, fd := range fds {
		f := os.NewFile(uintptr(fd), "connection")
		conn, failed := net.FileConn(f)
		_ = f.Close() // the connection has a descriptor of its own
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		waiting = append(waiting, conn)
	}
	return waiting, errors.Join(err, l.Close())
}
