package upstream

import (
	"net"
	"syscall"
)

// closed reports whether the peer of an idle connection has closed it, or sent
// something unsolicited. It looks without consuming or waiting.
func closed(c net.Conn) bool {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return true
	}
	gone := false
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		// EAGAIN is the only good sign: open, and nothing to read
		gone = err != syscall.EAGAIN && err != syscall.EINTR
	})
	return err != nil || gone
}
