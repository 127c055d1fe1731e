package upstream

import (
	"net"
	"syscall"
	"time"
)

// pooledConn is a connection to an upstream. What it keeps between exchanges spares
// each of them system calls, timers and memory.
type pooledConn struct {
	*net.TCPConn
	raw syscall.RawConn
	// put gives it back to fasthttp's pool, or closes it; nil until it was taken from
	// there for the first time. It hides fasthttp's unnamed type.
	put func(reuse bool)
	// looks is closed's look at the socket, whose finding is gone.
	looks func(fd uintptr)
	gone  bool
	// read and write are the deadlines that are set.
	read, write time.Time
}

func newPooledConn(c *net.TCPConn) (*pooledConn, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	p := &pooledConn{TCPConn: c, raw: raw}
	p.looks = p.look
	return p, nil
}

// closed reports whether the peer of an idle connection has closed it, or sent
// something unsolicited. It looks without consuming or waiting.
func (c *pooledConn) closed() bool {
	c.gone = false
	return c.raw.Control(c.looks) != nil || c.gone
}

func (c *pooledConn) look(fd uintptr) {
	var b [1]byte
	_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	// EAGAIN is the only good sign: open, and nothing to read
	c.gone = err != syscall.EAGAIN && err != syscall.EINTR
}

// slack is how much earlier than wanted a deadline may be: one that is near enough
// is kept, since setting one costs more than that is worth.
const slack = time.Second

// kept reports whether a deadline that is set, some wait from now, does for one
// that is wanted.
func kept(set, want time.Time, wait time.Duration) bool {
	return wait > 4*slack && set.After(want.Add(-slack)) && !set.After(want)
}

// setRead allows reads to block for about wait from now; false if it did already.
func (c *pooledConn) setRead(now time.Time, wait time.Duration) (set bool, err error) {
	want := now.Add(wait)
	if kept(c.read, want, wait) {
		return false, nil
	}
	c.read = want
	return true, c.SetReadDeadline(want)
}

// setWrite allows writes to block for about wait from now.
func (c *pooledConn) setWrite(now time.Time, wait time.Duration) error {
	want := now.Add(wait)
	if kept(c.write, want, wait) {
		return nil
	}
	c.write = want
	return c.SetWriteDeadline(want)
}

// abort makes a blocked read or write return, and all later ones. The connection is
// not used for another exchange.
func (c *pooledConn) abort() { _ = c.SetDeadline(time.Unix(1, 0)) }
