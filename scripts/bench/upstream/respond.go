package upstream

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/valyala/fasthttp"
)

// respond has the script's own code write the answer.
func (x *exchange) respond() error {
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // a connection has no context
	defer cancel()
	r, err := x.request(ctx)
	if err != nil {
		return err
	}
	w := &responder{x: x, header: http.Header{}, left: cancel}
	x.script.Respond(w, r)
	w.WriteHeader(http.StatusOK)
	if w.err != nil {
		return w.err
	}
	return x.end()
}

// request is the request as net/http has it.
func (x *exchange) request(ctx context.Context) (*http.Request, error) {
	h := &x.req.http
	r, err := http.NewRequestWithContext(ctx, x.req.method, "http://"+string(h.Host())+string(h.RequestURI()), bytes.NewReader(h.Body()))
	if err != nil {
		return nil, fmt.Errorf("read a request: %w", err)
	}
	r.RequestURI = string(h.RequestURI()) // as a server has it
	for name, value := range h.Header.All() {
		r.Header.Add(string(name), string(value))
	}
	return r, nil
}

// responder writes an answer in chunks, which go out when they are flushed. A
// client that left is noticed by the next flush, which ends the request's context.
type responder struct {
	x      *exchange
	header http.Header
	begun  bool
	err    error
	left   context.CancelFunc
}

// Header implements http.ResponseWriter.
func (w *responder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *responder) WriteHeader(status int) {
	if w.begun {
		return
	}
	w.begun = true
	x := w.x
	x.chunked = status != http.StatusNoContent && status != http.StatusNotModified
	x.buf = append(x.buf, "HTTP/1.1 "...)
	x.buf = strconv.AppendInt(x.buf, int64(status), 10)
	x.buf = append(append(append(x.buf, ' '), fasthttp.StatusMessage(status)...), "\r\n"...)
	for name, values := range w.header {
		for _, value := range values {
			x.line(name, value)
		}
	}
	if x.chunked {
		x.line("Transfer-Encoding", "chunked")
	}
	if x.last {
		x.line("Connection", "close")
	}
	x.buf = append(x.buf, "\r\n"...)
}

// Write implements io.Writer.
func (w *responder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.err == nil {
		w.x.piece(string(p))
	}
	return len(p), w.err
}

// Flush implements http.Flusher.
func (w *responder) Flush() {
	w.WriteHeader(http.StatusOK)
	if w.err == nil {
		w.err = w.x.flush()
	}
	if w.err != nil {
		w.left()
	}
}
