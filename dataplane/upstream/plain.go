package upstream

import (
	"bufio"
	"cmp"
	"errors"
	"io"
	"net"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
)

// Plain sends over http:// to one host: local pools, the hot path. fasthttp
// keeps the connections and parses the answer's head; the exchange itself is
// ours, because fasthttp's read timeout is absolute, cannot be broken off and
// takes a body that was cut at a chunk for a complete one.
type Plain struct {
	host *fasthttp.HostClient
	// head is the unchanging beginning of a request: the Host header.
	hostHeader string
	// connect bounds the dialling of one connection.
	connect time.Duration
	dialled dialled
	answers sync.Pool
}

const (
	// writeTime bounds the sending of a request: beyond it the upstream does not read.
	writeTime = 30 * time.Second
	// idleConn is how long a connection is kept without use.
	idleConn = 30 * time.Second
	// maxConns is a bound that the node's limit of requests in flight stays below.
	maxConns = 1 << 16
)

// NewPlain returns the sender for the host of an http URL. connect bounds the
// dialling of one connection.
func NewPlain(u *url.URL, connect time.Duration) *Plain {
	addr := u.Host
	if u.Port() == "" {
		addr = net.JoinHostPort(u.Hostname(), "80")
	}
	p := &Plain{hostHeader: u.Host, connect: connect}
	p.host = &fasthttp.HostClient{Addr: addr, MaxConns: maxConns, MaxIdleConnDuration: idleConn, DialTimeout: p.dialled.take}
	return p
}

// Send implements Sender. Without an idle connection it begins to dial, and the
// request goes out within Head.
func (p *Plain) Send(call *codec.Call, auth codec.Header, cancel *Cancel) (Answer, error) {
	a := p.acquire()
	a.head = appendHead(a.head[:0], p.hostHeader, call, auth)
	a.body, a.cancel = call.Body, cancel
	for {
		err := a.reuse()
		switch {
		case errors.Is(err, errClosedEarly):
			continue // the upstream closed it while it was idle
		case errors.Is(err, errNoIdle):
			err = a.dial()
		}
		if err != nil {
			p.release(a)
			return nil, err
		}
		return a, nil
	}
}

// reuse sends the request over an idle connection; errNoIdle without one.
func (a *plainAnswer) reuse() error {
	for {
		if err := a.connect(); errors.Is(err, errNoIdle) {
			return err
		} else if err != nil {
			return a.notConnected(err)
		}
		if !a.conn.closed() {
			return a.begin()
		}
		a.drop()
	}
}

func (p *Plain) acquire() *plainAnswer {
	if a, ok := p.answers.Get().(*plainAnswer); ok {
		return a
	}
	return &plainAnswer{pool: p}
}

func (p *Plain) release(a *plainAnswer) {
	a.cancel, a.conn, a.br, a.body, a.dialing = nil, nil, nil, nil, nil
	a.frame, a.sent, a.begun, a.done = framing{}, false, false, false
	a.header.Reset()
	p.answers.Put(a)
}

// appendHead appends the request's head.
func appendHead(dst []byte, host string, call *codec.Call, auth codec.Header) []byte {
	dst = append(dst, "POST "...)
	dst = append(dst, pathOf(call.URL)...)
	dst = append(append(append(dst, " HTTP/1.1\r\nHost: "...), host...), "\r\nContent-Type: "...)
	dst = append(append(dst, contentType(call)...), "\r\nContent-Length: "...)
	dst = strconv.AppendInt(dst, int64(len(call.Body)), 10)
	if auth.Name != "" {
		dst = appendLine(dst, auth)
	}
	for _, h := range call.Headers {
		dst = appendLine(dst, h)
	}
	return append(dst, "\r\n\r\n"...)
}

// contentType is that of a call's body.
func contentType(call *codec.Call) string { return cmp.Or(call.ContentType, "application/json") }

func appendLine(dst []byte, h codec.Header) []byte {
	dst = append(append(append(dst, '\r', '\n'), h.Name...), ':', ' ')
	return append(dst, h.Value...)
}

// pathOf returns the path and query of an absolute URL.
func pathOf(u string) string {
	for i, slashes := 0, 0; i < len(u); i++ {
		if u[i] == '/' {
			if slashes++; slashes == 3 {
				return u[i:]
			}
		}
	}
	return "/"
}

// plainAnswer is one exchange over a plain connection.
type plainAnswer struct {
	pool   *Plain
	cancel *Cancel
	conn   *pooledConn
	in     reader        // of the answer
	br     *bufio.Reader // of its head; nil before there is something of it, and afterwards
	// dialing is the connection on its way, nil if there is none. body is what is
	// sent when it is there.
	dialing *dialing
	body    []byte
	head    []byte
	parts   [2][]byte // of the request, for one writev
	bufs    net.Buffers
	header  fasthttp.ResponseHeader
	frame   framing
	sent    bool // the request
	begun   bool // the first byte of the answer has arrived
	done    bool // the body was read to its proper end
}

// connect takes a connection from the pool, errNoIdle if it has none.
func (a *plainAnswer) connect() error {
	cc, err := a.pool.host.AcquireConn(0, false)
	if err != nil {
		return err
	}
	a.conn = cc.Conn().(*pooledConn) //nolint:errcheck,forcetypeassert // the pool has what dialled has
	if a.conn.put == nil {
		host := a.pool.host
		a.conn.put = func(reuse bool) {
			if reuse {
				host.ReleaseConn(cc)
			} else {
				host.CloseConn(cc)
			}
		}
	}
	return nil
}

func (a *plainAnswer) drop() {
	a.conn.put(false)
}

// errClosedEarly marks a write that failed before the upstream took a byte.
var errClosedEarly = errors.New("connection was closed before the request was sent")

func (a *plainAnswer) write(body []byte) error {
	if err := a.conn.setWrite(time.Now(), writeTime); err != nil {
		return err
	}
	a.parts[0], a.parts[1] = a.head, body
	a.bufs = a.parts[:]
	n, err := a.bufs.WriteTo(a.conn.TCPConn)
	a.parts = [2][]byte{}
	if err != nil && n == 0 {
		return errors.Join(errClosedEarly, err)
	}
	if err != nil {
		return err
	}
	a.sent, a.in.from = true, a.conn
	return nil
}

// Header implements Answer.
func (a *plainAnswer) Header(name string) string { return string(a.header.Peek(name)) }

// Head implements Answer.
func (a *plainAnswer) Head(wait time.Duration) (int, error) {
	end := time.Now().Add(wait)
	if a.dialing != nil {
		if err := a.arrive(wait); err != nil {
			return 0, err
		}
		wait = time.Until(end)
	}
	for {
		if err := a.await(wait); err != nil {
			return 0, a.failed("wait for the answer", err)
		}
		// A head that trickles in does not extend the wait: what came of it stays
		// in the buffer.
		if wait = time.Until(end); wait <= 0 {
			return 0, ErrSilent
		}
		if err := a.setDeadline(wait); err != nil {
			return 0, a.failed("wait for the answer", err)
		}
		a.begun = true
		if err := a.header.Read(a.br); err != nil {
			return 0, a.failed("read the answer's head", err)
		}
		if status := a.header.StatusCode(); status >= 200 {
			a.frame.start(&a.header)
			a.in.adopt(a.br)
			a.br = nil
			return status, nil
		}
	}
}

// await blocks until there is a byte of the head.
func (a *plainAnswer) await(wait time.Duration) error {
	if a.br != nil && a.br.Buffered() > 0 {
		return nil
	}
	if err := a.setDeadline(wait); err != nil {
		return err
	}
	if a.br != nil {
		_, err := a.br.Peek(1)
		return err
	}
	if _, err := a.in.peek(1); err != nil {
		return err
	}
	a.br = a.in.headReader()
	return nil
}

// setDeadline allows reads to block for about wait.
func (a *plainAnswer) setDeadline(wait time.Duration) error {
	set, err := a.conn.setRead(time.Now(), wait)
	if err != nil || !set {
		return err
	}
	if a.cancel.Fired() { // after setting: an abort that came before was undone by it
		return fault.New(fault.Canceled, "The client disconnected")
	}
	return nil
}

// Read implements Answer.
func (a *plainAnswer) Read(p []byte, wait time.Duration) (int, error) {
	if a.done {
		return 0, io.EOF
	}
	// Bytes in the buffer may be less than what the framing needs: a read can
	// block even then.
	if err := a.setDeadline(wait); err != nil {
		return 0, a.failed("read the answer", err)
	}
	n, err := a.frame.read(&a.in, p)
	switch {
	case n > 0:
		return n, nil
	case errors.Is(err, io.EOF):
		a.done = true
		return 0, io.EOF
	}
	return 0, a.failed("read the answer", err)
}

// failed turns a read error into ErrSilent or a fault.
func (a *plainAnswer) failed(doing string, err error) error {
	if a.cancel.Fired() {
		return &fault.Error{Kind: fault.Canceled, Message: "The client disconnected", Err: err}
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		a.conn.read = time.Time{}
		return ErrSilent
	}
	return broken(doing, err)
}

// Close implements Answer.
func (a *plainAnswer) Close() {
	if !a.sent {
		a.cancel.disarm()
		if a.dialing != nil {
			a.dialing.abandon()
		}
		a.pool.release(a)
		return
	}
	if !a.done && a.begun {
		a.drain()
	}
	a.cancel.disarm()
	fired := a.cancel.Fired()
	reuse := a.done && !fired && !a.header.ConnectionClose() && len(a.in.rest) == 0
	if a.br != nil {
		a.in.adopt(a.br)
	}
	a.in.stop()
	a.conn.put(reuse)
	a.pool.release(a)
}

// drain reads what usually follows a stream's terminal event, the last chunk,
// so that the connection can be used again. It gives up at once on anything else.
func (a *plainAnswer) drain() {
	const grace = 5 * time.Millisecond
	var scratch [256]byte
	for range 4 {
		n, err := a.Read(scratch[:], grace)
		if err != nil || n == len(scratch) {
			return
		}
	}
}
