//go:build !linux

package gateway

import (
	"errors"
	"syscall"
)

// peerClosed reports whether the other side has closed a connection or is gone.
// Bytes that it has sent before hide it here until they are read; Linux has a
// better way.
func peerClosed(fd uintptr) bool {
	var b [1]byte
	n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return n == 0 && err == nil || errors.Is(err, syscall.ECONNRESET)
}
