package upstream

import (
	"bufio"
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
)

// reader buffers an answer. While it waits for bytes and has none, it has no memory
// either: thousands of streams are silent most of the time.
type reader struct {
	// from is a *pooledConn, except in tests.
	from io.Reader
	// head has read the answer's head, and maybe what comes behind it; nil before, and
	// once that is used up.
	head *bufio.Reader
	// own is the reader's memory, nil while it needs none.
	own *[bufSize]byte
	// rest are the bytes that were read and not used, in the memory of head or own.
	rest []byte

	// try is tryRead, whose destination is into, or own if that is nil; n and err
	// are its outcome.
	try  func(fd uintptr) bool
	into []byte
	n    int
	err  error
}

const bufSize = 16 << 10

// memory, not state
//
//nolint:gochecknoglobals // as the comment says
var (
	spareBuffers = sync.Pool{New: func() any { return new([bufSize]byte) }}
	spareReaders = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, bufSize) }}
)

// headReader returns a reader for the answer's head. adopt takes over what it leaves.
func (r *reader) headReader() *bufio.Reader {
	br := spareReaders.Get().(*bufio.Reader) //nolint:errcheck,forcetypeassert // the pool holds nothing else
	br.Reset(unbuffered{r})
	return br
}

// errLineTooLong says that a line does not fit into the buffer.
var errLineTooLong = errors.New("a line is longer than the buffer")

// adopt takes over what a reader of the head has left.
func (r *reader) adopt(head *bufio.Reader) {
	r.head = head
	r.rest, _ = head.Peek(head.Buffered()) // which cannot fail
}

// unbuffered is a reader for another one that buffers.
type unbuffered struct{ r *reader }

// Read implements io.Reader.
func (u unbuffered) Read(p []byte) (int, error) {
	r := u.r
	if len(r.rest) == 0 {
		r.drop()
		return r.receive(p)
	}
	n := copy(p, r.rest)
	if r.rest = r.rest[n:]; len(r.rest) == 0 {
		r.drop()
	}
	return n, nil
}

// stop gives all memory back.
func (r *reader) stop() {
	r.rest = nil
	r.drop()
	r.from = nil
}

// drop gives back the memory that rest is not in any more.
func (r *reader) drop() {
	if r.head != nil {
		spareReaders.Put(r.head)
		r.head = nil
	}
	if r.own != nil {
		spareBuffers.Put(r.own)
		r.own = nil
	}
}

// Read returns what is there, else what comes first.
func (r *reader) Read(p []byte) (int, error) {
	const large = 4 << 10 // worth a read of its own, without a copy
	if len(r.rest) == 0 && len(p) >= large {
		r.drop()
		return r.receive(p)
	}
	if len(r.rest) == 0 {
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// discard steps over bytes that are there.
func (r *reader) discard(n int) { r.rest = r.rest[n:] }

// peek waits until there are n bytes and returns all that there are.
func (r *reader) peek(n int) ([]byte, error) {
	for len(r.rest) < n {
		if err := r.fill(); err != nil {
			return r.rest, err
		}
	}
	return r.rest, nil
}

// fill waits for more bytes than there are.
func (r *reader) fill() error {
	switch {
	case len(r.rest) == bufSize:
		return errLineTooLong
	case len(r.rest) == 0:
		r.drop()
	default:
		r.move()
	}
	n, err := r.receive(nil)
	if n > 0 {
		r.rest = r.own[:len(r.rest)+n]
		return nil
	}
	return err
}

// move brings what is left to the beginning of the reader's own memory.
func (r *reader) move() {
	if r.own == nil {
		own := spareBuffers.Get().(*[bufSize]byte) //nolint:errcheck,forcetypeassert // the pool holds nothing else
		n := copy(own[:], r.rest)
		r.drop()
		r.own, r.rest = own, own[:n]
		return
	}
	r.rest = r.own[:copy(r.own[:], r.rest)]
}

// receive waits for bytes from the connection, into p, or behind rest if p is nil.
// There is at least one without an error.
func (r *reader) receive(p []byte) (int, error) {
	r.into, r.n, r.err = p, 0, nil
	conn, ok := r.from.(*pooledConn)
	if !ok {
		n, err := r.from.Read(r.space())
		return n, err
	}
	if r.try == nil {
		r.try = r.tryRead
	}
	err := conn.raw.Read(r.try)
	r.into = nil
	switch {
	case err != nil:
		return 0, err
	case r.err != nil:
		return 0, os.NewSyscallError("read", r.err)
	case r.n == 0:
		return 0, io.EOF
	}
	return r.n, nil
}

// space is where bytes are read to.
func (r *reader) space() []byte {
	if r.into != nil {
		return r.into
	}
	if r.own == nil {
		r.own = spareBuffers.Get().(*[bufSize]byte) //nolint:errcheck,forcetypeassert // the pool holds nothing else
	}
	return r.own[len(r.rest):]
}

// tryRead reads from a socket that does not block; false if there is nothing yet.
func (r *reader) tryRead(fd uintptr) bool {
	for {
		n, err := syscall.Read(int(fd), r.space())
		switch err {
		case nil:
			r.n = n
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			if len(r.rest) == 0 {
				r.drop()
			}
			return false
		default:
			r.err = err
		}
		return true
	}
}
