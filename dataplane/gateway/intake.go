package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/dataplane/problem"
)

// A handler runs when the head of its request is there, and at most the first
// 8 KiB of the body: what comes after costs memory only for those who have shown
// a key, and counts against the node's limit before it is allocated.

const (
	// firstBuffer is what a body is given before it shows that it needs more.
	firstBuffer = 16 << 10
	// dismissLargest and dismissTime bound what is read of an unwanted body, and
	// the wait for each part of it.
	dismissLargest = 256 << 10
	dismissTime    = 100 * time.Millisecond
)

// reservation is the share of the node's limit for bodies that a request has.
type reservation struct {
	gateway *Gateway
	bytes   int64
}

// grow makes room for n bytes; false if the node has no more.
func (r *reservation) grow(n int) bool {
	more := int64(n) - r.bytes
	if more <= 0 {
		return true
	}
	if r.gateway.held.Add(more) > r.gateway.opts.MaxHeld {
		r.gateway.held.Add(-more)
		return false
	}
	r.bytes += more
	return true
}

func (r *reservation) release() {
	r.gateway.held.Add(-r.bytes)
	r.bytes = 0
}

// errCapacity and errTooLarge end the reading of a body.
var (
	errCapacity = errors.New("no room for the body")
	errTooLarge = errors.New("the body is too large")
)

// receive reads the body into dst, whose memory it uses.
func (g *Gateway) receive(ctx *fasthttp.RequestCtx, dst []byte, room *reservation) ([]byte, *problem.Problem) {
	h := &ctx.Request.Header
	body, length := ctx.RequestBodyStream(), h.ContentLength()
	if body == nil || length == 0 {
		return dst[:0], nil
	}
	var err error
	switch encoding := h.Peek("Content-Encoding"); {
	case length > g.opts.MaxBody:
		err = errTooLarge
	case len(encoding) == 0 || string(encoding) == "identity":
		if length > 0 && !room.grow(length) {
			return dst[:0], g.atCapacity()
		}
		dst, err = g.read(body, dst[:0], length, room)
	default:
		return g.receiveEncoded(ctx, body, string(encoding), dst[:0], room)
	}
	return dst, g.unread(err)
}

// read appends all of a reader to dst. The length is what is expected, -1 if it
// is not known.
func (g *Gateway) read(from io.Reader, dst []byte, length int, room *reservation) ([]byte, error) {
	for {
		if len(dst) == cap(dst) {
			size := max(2*cap(dst), firstBuffer)
			if length > 0 {
				size = min(size, length)
			}
			if size = min(size, g.opts.MaxBody+1); !room.grow(size) {
				return dst, errCapacity
			}
			dst = append(make([]byte, 0, size), dst...)
		}
		n, err := from.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst) > g.opts.MaxBody:
			return dst, errTooLarge
		case errors.Is(err, io.EOF) && (length < 0 || len(dst) == length), len(dst) == length:
			return dst, nil
		case errors.Is(err, io.EOF):
			return dst, io.ErrUnexpectedEOF
		case err != nil:
			return dst, err
		}
	}
}

// unread says why a body could not be read, nil if it could.
func (g *Gateway) unread(err error) *problem.Problem {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errCapacity):
		return g.atCapacity()
	case errors.Is(err, errTooLarge):
		return problem.New(413, "payload_too_large", fmt.Sprintf("The request body is larger than %d bytes", g.opts.MaxBody))
	case isTimeout(err):
		return problem.New(408, "timeout", "The request did not arrive in time")
	}
	return problem.New(400, "invalid_request", "The request body is truncated or not valid HTTP")
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// dismiss ends a request whose body is not read. A small one is read all the
// same: its client is still sending, and has to get to the answer. Of a larger
// one the connection is closed.
func dismiss(ctx *fasthttp.RequestCtx) {
	body, conn := ctx.RequestBodyStream(), ctx.Conn()
	if body == nil || conn == nil {
		return
	}
	var err error
	part := make([]byte, 4<<10)
	for left := dismissLargest; left > 0 && err == nil; {
		if err = conn.SetReadDeadline(time.Now().Add(dismissTime)); err == nil {
			var n int
			n, err = body.Read(part)
			left -= n
		}
	}
	if !errors.Is(err, io.EOF) {
		ctx.SetConnectionClose()
	}
}

// misframed says what is wrong with a head that servers on its way could read
// in different ways, "" if nothing is.
func misframed(h *fasthttp.RequestHeader) string {
	length, coding := false, false
	for raw := h.RawHeaders(); len(raw) > 0; {
		line := raw
		if i := bytes.IndexByte(raw, '\n'); i >= 0 {
			line, raw = raw[:i], raw[i+1:]
		} else {
			raw = nil
		}
		if len(line) < 2 {
			continue
		}
		switch line[0] | 0x20 {
		case ' ', '\t' | 0x20:
			return "line folding in headers is not accepted"
		case 'c':
			length = length || named(line, "Content-Length")
		case 't':
			coding = coding || named(line, "Transfer-Encoding")
		}
	}
	if length && coding {
		return "Content-Length and Transfer-Encoding are mutually exclusive"
	}
	return ""
}

func named(line []byte, name string) bool {
	return len(line) > len(name) && line[len(name)] == ':' && bytes.EqualFold(line[:len(name)], []byte(name))
}

// expect decides for a client that waits with its body for a word, as curl does:
// whoever has no key is spared the sending.
func (g *Gateway) expect(ctx *fasthttp.RequestCtx) int {
	r := g.find(pathOf(ctx)).generator
	if r == nil {
		return fasthttp.StatusContinue
	}
	c := caller{ctx: ctx, headers: headersOf(ctx), snap: g.current.Load()}
	if p := c.authenticate(g.auth); p != nil {
		g.refuseIn(ctx, r.lang, p)
		g.logRefusal(ctx, p)
		return p.Status
	}
	return fasthttp.StatusContinue
}
