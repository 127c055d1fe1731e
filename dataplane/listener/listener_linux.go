// Package listener closes a listening socket without dropping the connections in
// its backlog. Closing the socket makes the kernel reset connections that are
// established but not yet accepted: a load balancer that has just connected
// would lose its request.
package listener

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Close closes a listener and returns the connections from its backlog. A
// connection that arrives in the microseconds between the last accept and the
// shutdown of the socket is still reset.
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
