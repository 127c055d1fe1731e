package upstream

import (
	"bufio"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// How an exchange can end, besides well.
var (
	errLeft   = errors.New("the client left")
	errBroken = errors.New("the script broke the connection")
)

// exchange plays a script to one connection, request after request.
type exchange struct {
	conn *net.TCPConn
	br   *bufio.Reader
	req  request
	buf  []byte // what is to be sent next

	// of the current answer
	script  *Script
	tally   *tally
	settled bool // the tally knows how it ended
	id      uint64
	chunked bool
	last    bool      // the connection ends with this answer
	lead    []byte    // of a chunk, up to its text
	due     time.Time // of the next chunk, at the script's pace
}

// serve answers the requests of a connection until either side ends it.
func (s *Server) serve(c *net.TCPConn) {
	defer c.Close() //nolint:errcheck // nothing is left to lose
	x := exchange{conn: c, br: bufio.NewReaderSize(c, 16<<10)}
	for !x.last {
		if x.req.read(x.br) != nil {
			return
		}
		x.tally, x.settled = s.ledger.begin(&x.req), false
		x.id = s.ledger.requests.Add(1)
		if x.answer(s.book.find(&x.req)) != nil {
			x.settle(&x.tally.cancelled)
			return
		}
	}
}

// settle counts how the exchange ended, once: whatever ends it on purpose does
// so before the client can see it, so that who has the answer finds it counted.
func (x *exchange) settle(end *atomic.Uint64) {
	if !x.settled {
		x.settled = true
		end.Add(1)
	}
}

func (x *exchange) answer(s *Script) error {
	x.script, x.buf = s, x.buf[:0]
	x.chunked = !s.Unframed && s.Fault.Kind != LongLength && (x.streams() || s.Fault.Kind == BadChunk)
	x.last = s.Unframed || s.Fault.Kind == CloseAfter || x.req.http.ConnectionClose()
	if s.Delay > 0 {
		if err := x.wait(time.Now().Add(time.Duration(s.Delay))); err != nil {
			return err
		}
	}
	if at, ok := s.Fault.within(0); ok && at == BeforeHead {
		if err := x.strike(); err != nil {
			return err
		}
	}
	if s.Respond != nil {
		return x.respond()
	}
	if x.streams() {
		return x.stream()
	}
	return x.unary()
}

// streams reports whether the answer is an event stream.
func (x *exchange) streams() bool {
	s := x.script
	if len(s.Events) > 0 {
		return true
	}
	return x.req.stream && (s.Status == 0 || s.Status == 200) && s.Body == "" && !s.NoBody
}

// begin writes the head. length is that of the body if it is known, else -1.
func (x *exchange) begin(contentType string, length int) {
	s := x.script
	status := max(s.Status, 200)
	x.buf = append(x.buf, "HTTP/1.1 "...)
	x.buf = strconv.AppendInt(x.buf, int64(status), 10)
	x.buf = append(append(append(x.buf, ' '), fasthttp.StatusMessage(status)...), "\r\n"...)
	for name, value := range s.Headers {
		x.line(name, value)
		if strings.EqualFold(name, "Content-Type") {
			contentType = ""
		}
	}
	if contentType != "" {
		x.line("Content-Type", contentType)
	}
	switch {
	case s.Unframed || status == 204 || status == 304:
	case s.Fault.Kind == LongLength:
		x.line("Content-Length", strconv.Itoa(max(length, 1<<20)+64))
	case x.chunked:
		x.line("Transfer-Encoding", "chunked")
	default:
		x.line("Content-Length", strconv.Itoa(length))
	}
	if x.last && s.Fault.Kind != CloseAfter {
		x.line("Connection", "close")
	}
	x.buf = append(x.buf, "\r\n"...)
}

func (x *exchange) line(name, value string) {
	x.buf = append(append(append(append(x.buf, name...), ": "...), value...), "\r\n"...)
}

// piece adds a part of the body, framed as the head said.
func (x *exchange) piece(parts ...string) {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	if n == 0 {
		return // an empty chunk would be the last one
	}
	if x.chunked {
		x.buf = append(strconv.AppendInt(x.buf, int64(n), 16), "\r\n"...)
	}
	for _, p := range parts {
		x.buf = append(x.buf, p...)
	}
	if x.chunked {
		x.buf = append(x.buf, "\r\n"...)
	}
}

// end sends what is left and the end of the body.
func (x *exchange) end() error {
	if x.chunked {
		x.buf = append(x.buf, "0\r\n\r\n"...)
	}
	if x.script.Fault.Kind == LongLength {
		return x.breakOff()
	}
	x.settle(&x.tally.answered)
	return x.flush()
}

// flush sends what was gathered, as trickling as the script wants it.
func (x *exchange) flush() error {
	if len(x.buf) == 0 {
		return nil
	}
	rest := x.buf
	x.buf = x.buf[:0]
	for n := x.script.TrickleBytes; n > 0 && len(rest) > n; rest = rest[n:] {
		if err := x.write(rest[:n]); err != nil {
			return err
		}
		if err := x.wait(time.Now().Add(time.Duration(x.script.TrickleEvery))); err != nil {
			return err
		}
	}
	return x.write(rest)
}

func (x *exchange) write(b []byte) error {
	if _, err := x.conn.Write(b); err != nil {
		return errLeft
	}
	return nil
}

// wait returns at the given time, for the zero time never, or as soon as the
// client has left. A client that closes only its sending side counts as gone.
func (x *exchange) wait(until time.Time) error {
	if err := x.conn.SetReadDeadline(until); err != nil {
		return errLeft
	}
	var err error
	for err == nil { // what a client sends early is left where it is
		_, err = x.br.Peek(x.br.Buffered() + 1)
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return errLeft
	}
	if x.conn.SetReadDeadline(time.Time{}) != nil {
		return errLeft
	}
	return nil
}
