package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
)

// Secure sends over https:// to hosted providers: net/http with HTTP/2 and the
// proxy settings of the environment, in go-retryablehttp, which repeats only
// what never reached the provider.
type Secure struct {
	client *retryablehttp.Client
	open   *atomic.Int64 // connections
}

const (
	// pingAfter is how long an HTTP/2 connection may be silent before it is
	// asked whether it is still there, pingTime how long it may take to answer.
	pingAfter = 10 * time.Second
	pingTime  = 5 * time.Second
)

// NewSecure returns the sender for all https hosts. connect bounds dialling
// and the TLS handshake.
func NewSecure(connect time.Duration) *Secure {
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:errcheck // its documented type
	open := new(atomic.Int64)
	transport.DialContext = numbered((&net.Dialer{Timeout: connect, KeepAlive: 15 * time.Second}).DialContext, open)
	transport.HTTP2 = &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTime}
	transport.TLSHandshakeTimeout = connect
	transport.MaxIdleConns = 0
	transport.MaxIdleConnsPerHost = 256
	transport.DisableCompression = true // a compressed stream would be held back by its codec
	client := retryablehttp.NewClient()
	client.HTTPClient = &http.Client{
		Transport:     KeepIdle(transport),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	client.Logger = nil
	client.RetryMax = 1
	client.RetryWaitMin, client.RetryWaitMax = 20*time.Millisecond, 20*time.Millisecond
	client.CheckRetry = func(ctx context.Context, _ *http.Response, err error) (bool, error) {
		return ctx.Err() == nil && neverSent(err), nil
	}
	client.ErrorHandler = retryablehttp.PassthroughErrorHandler
	return &Secure{client: client, open: open}
}

// neverSent reports whether a request failed before its first byte went out.
func neverSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// Send implements Sender.
func (s *Secure) Send(call *codec.Call, auth codec.Header, cancel *Cancel) (Answer, error) {
	ctx, stop := context.WithCancel(context.Background()) //nolint:forbidigo // the request's life is bound to Cancel
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, call.URL, call.Body)
	if err != nil {
		stop()
		return nil, unsent("build the request", err)
	}
	req.Header.Set("Content-Type", contentType(call))
	for _, h := range call.Headers {
		req.Header.Set(h.Name, h.Value)
	}
	if auth.Name != "" {
		req.Header.Set(auth.Name, auth.Value)
	}
	a := &secureAnswer{
		cancel: cancel, stop: stop, timer: time.NewTimer(time.Hour),
		headed: make(chan outcome, 1), pieces: make(chan piece), free: make(chan []byte, 1),
	}
	a.free <- make([]byte, bufSize)
	if !cancel.arm(a) {
		stop()
		return nil, fault.New(fault.Canceled, "The client disconnected")
	}
	go a.pump(ctx, s.client, req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: a.gotConn})))
	return a, nil
}

// secureAnswer is one exchange over net/http, whose reads cannot be given up
// and taken up again: a goroutine reads, and is waited for with a timer.
type secureAnswer struct {
	cancel *Cancel
	stop   context.CancelFunc
	timer  *time.Timer
	headed chan outcome
	pieces chan piece
	free   chan []byte

	conn *numberedConn // the last one that was used; nil before
	resp *http.Response
	rest []byte // of the last piece, not yet returned
	held []byte // the buffer that rest is part of
	err  error  // the end of the body
}

type outcome struct {
	resp *http.Response
	err  error
}

type piece struct {
	buf []byte
	err error
}

// pump sends the request and reads the answer until its end or until ctx is done.
func (a *secureAnswer) pump(ctx context.Context, client *retryablehttp.Client, req *retryablehttp.Request) {
	resp, err := client.Do(req)
	a.headed <- outcome{resp, err}
	if err != nil {
		return
	}
	defer func() { _ = resp.Body.Close() }()
	for {
		var buf []byte
		select {
		case buf = <-a.free:
		case <-ctx.Done():
			return
		}
		n, err := resp.Body.Read(buf[:cap(buf)])
		select {
		case a.pieces <- piece{buf[:n], err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// abort implements aborter.
func (a *secureAnswer) abort() { a.stop() }

// Head implements Answer.
func (a *secureAnswer) Head(wait time.Duration) (int, error) {
	a.timer.Reset(wait)
	select {
	case o := <-a.headed:
		if o.err != nil {
			f := broken("send the request", o.err)
			f.Unsent = neverSent(o.err)
			return 0, a.failed(f)
		}
		a.resp = o.resp
		return o.resp.StatusCode, nil
	case <-a.timer.C:
		return 0, ErrSilent
	}
}

// failed makes a Canceled fault of whatever a fired Cancel caused, and names
// the connection if it died: others went down with it.
func (a *secureAnswer) failed(f *fault.Error) error {
	if a.cancel.Fired() {
		f.Kind, f.Message = fault.Canceled, "The client disconnected"
	} else if a.conn != nil && a.conn.died(f.Err) {
		f.Connection = a.conn.number
	}
	return f
}

// gotConn notes the connection. It runs within client.Do.
func (a *secureAnswer) gotConn(info httptrace.GotConnInfo) { a.conn = numberedOf(info.Conn) }

// Header implements Answer.
func (a *secureAnswer) Header(name string) string { return a.resp.Header.Get(name) }

// Read implements Answer.
func (a *secureAnswer) Read(p []byte, wait time.Duration) (int, error) {
	for len(a.rest) == 0 {
		if a.err != nil {
			return 0, a.err
		}
		if err := a.fetch(wait); err != nil {
			return 0, err
		}
	}
	n := copy(p, a.rest)
	if a.rest = a.rest[n:]; len(a.rest) == 0 && a.err == nil {
		a.free <- a.held
	}
	return n, nil
}

// fetch waits for the next piece.
func (a *secureAnswer) fetch(wait time.Duration) error {
	a.timer.Reset(wait)
	select {
	case pc := <-a.pieces:
		a.rest, a.held = pc.buf, pc.buf
		switch {
		case errors.Is(pc.err, io.EOF):
			a.err = io.EOF
		case pc.err != nil:
			a.err = a.failed(broken("read the answer", pc.err))
		case len(pc.buf) == 0:
			a.free <- a.held
		}
		return nil
	case <-a.timer.C:
		return ErrSilent
	}
}

// Close implements Answer.
func (a *secureAnswer) Close() {
	if a.resp != nil && a.err == nil {
		a.drain()
	}
	a.cancel.disarm()
	a.stop()
	a.timer.Stop()
}

// drain lets the end of the body arrive, without which net/http would close
// the connection.
func (a *secureAnswer) drain() {
	const grace = 5 * time.Millisecond
	var scratch [256]byte
	for range 4 {
		if n, err := a.Read(scratch[:], grace); err != nil || n == len(scratch) {
			return
		}
	}
}
