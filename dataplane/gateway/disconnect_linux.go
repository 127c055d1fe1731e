package gateway

import "golang.org/x/sys/unix"

// peerClosed reports whether the other side has closed a connection or is gone.
// Bytes that it has sent before, the next request of a client that does not wait
// or a stray line end, do not hide it.
func peerClosed(fd uintptr) bool {
	fds := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	n, err := unix.Poll(fds[:], 0)
	return err == nil && n > 0 && fds[0].Revents&(unix.POLLRDHUP|unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0
}
