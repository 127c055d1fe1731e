package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// conn is a client's connection; one goroutine reads it.
type conn struct {
	net.Conn
	req  *Request
	br   *bufio.Reader
	head fasthttp.ResponseHeader
	body []byte // of the last answer, or a part of a stream
	// begun is when the head of the last answer was there: a stream's comes with its
	// first event.
	begun time.Time
}

// dial connects. limit bounds how long the connection is used at all.
func dial(req *Request, limit time.Duration) (*conn, error) {
	c, err := net.DialTimeout("tcp", req.Addr, 5*time.Second)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if err := c.SetDeadline(time.Now().Add(limit)); err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return &conn{Conn: c, req: req, br: bufio.NewReaderSize(c, 16<<10), body: make([]byte, 16<<10)}, nil
}

// answer reads one answer to its end and adds its events as they come.
func (c *conn) answer(events *atomic.Int64) error {
	if err := c.readHead(); err != nil {
		return err
	}
	c.begun = time.Now()
	n := c.head.ContentLength()
	if n < 0 {
		return c.stream(events)
	}
	if err := c.fixed(n); err != nil {
		return fmt.Errorf("read the body: %w", err)
	}
	return c.req.check(c.body[:n])
}

func (c *conn) readHead() error {
	if err := c.head.Read(c.br); err != nil {
		return fmt.Errorf("read the head: %w", err)
	}
	n := c.head.ContentLength()
	if status := c.head.StatusCode(); status != fasthttp.StatusOK {
		_ = c.fixed(min(max(n, 0), 1000)) // whatever it says
		return fmt.Errorf("status %d: %q", status, c.body[:min(max(n, 0), 1000)])
	}
	if (n < 0) != (c.req.Events > 0) {
		return fmt.Errorf("content length %d of an answer with %d events", n, c.req.Events)
	}
	return nil
}

func (c *conn) fixed(n int) error {
	if len(c.body) < n {
		c.body = make([]byte, n)
	}
	_, err := io.ReadFull(c.br, c.body[:n])
	return err
}

// stream reads a chunked body. Events are counted by the blank lines that end them.
func (c *conn) stream(events *atomic.Int64) error {
	in := httputil.NewChunkedReader(c.br)
	var t tally
	for {
		n, err := in.Read(c.body)
		events.Add(int64(t.add(c.body[:n])))
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read a stream after %d events: %w", t.events, err)
		}
	}
	if end, err := c.br.Peek(2); err != nil || string(end) != "\r\n" {
		return fmt.Errorf("read the end of a stream: %q: %w", end, err)
	}
	_, _ = c.br.Discard(2) // they were peeked
	return c.req.checkStream(t.events, t.end)
}

// tally counts events in a stream that comes in arbitrary pieces.
type tally struct {
	events int
	end    []byte // the last bytes
}

// add returns how many events the piece completes.
func (t *tally) add(piece []byte) int {
	if len(piece) == 0 {
		return 0
	}
	n := bytes.Count(piece, []byte("\n\n"))
	if piece[0] == '\n' && len(t.end) > 0 && t.end[len(t.end)-1] == '\n' {
		n++
	}
	const keep = 16
	t.end = append(t.end, piece[max(0, len(piece)-keep):]...)
	if extra := len(t.end) - keep; extra > 0 {
		t.end = append(t.end[:0], t.end[extra:]...)
	}
	t.events += n
	return n
}
