// Package gateway is the HTTP side of a data-plane node. generate.go shows a
// path of a request on one page.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"

	"github.com/hybridinference/gateway/dataplane/auth"
	"github.com/hybridinference/gateway/dataplane/dispatch"
	"github.com/hybridinference/gateway/dataplane/listener"
	"github.com/hybridinference/gateway/dataplane/meter"
	"github.com/hybridinference/gateway/dataplane/queue"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/tokens"
)

// Gateway serves requests by whatever snapshot is current.
type Gateway struct {
	responder

	opts     Options
	auth     *auth.Authenticator
	current  *atomic.Pointer[snapshot.Snapshot]
	routes   map[string]endpoint
	admin    fasthttp.RequestHandler
	server   *fasthttp.Server
	listener net.Listener

	// what the exchanges share
	watcher disconnectWatcher

	connections connections
	policy      dispatch.Policy
	tokens      tokens.Counter
	books       books
	shadows     shadows

	inFlight atomic.Int64
	held     atomic.Int64  // bytes of the bodies of these
	shed     atomic.Uint64 // requests refused because of these two
	requests atomic.Uint64
	streams  atomic.Int64
	panics   atomic.Uint64
	early    snapshot.Refusals // that were logged
	debugged bool              // the log takes the debug level
}

// New binds the address and serves nothing yet. The snapshot that current
// points to may be swapped at any time; it is never nil.
func New(o Options, current *atomic.Pointer[snapshot.Snapshot], m *meter.Meter) (*Gateway, error) {
	o.defaults()
	g := &Gateway{opts: o, auth: auth.New(o.Auth, o.KeySecret), current: current}
	g.browsers, g.debugged = newBrowsers(&o), o.Log.Enabled(context.Background(), slog.LevelDebug) //nolint:forbidigo // New has no context
	g.policy = dispatch.Policy{Deadline: o.Deadline, Budget: &dispatch.Budget{}}
	g.books = books{node: o.Node, meter: m, recent: newRecent(), proxies: o.TrustProxies, content: o.Content}
	g.routes = g.table()
	if o.Admin != nil {
		g.admin = fasthttpadaptor.NewFastHTTPHandler(apart(o.Admin))
	}
	g.server = &fasthttp.Server{
		Handler:                      g.handle,
		ErrorHandler:                 g.badRequest,
		Name:                         "gateway",
		MaxRequestBodySize:           o.MaxBody,
		StreamRequestBody:            true, // receive reads it, for those who may send one
		ExpectHandler:                g.expect,
		HeaderReceived:               headReceived,
		ConnState:                    g.connections.changed,
		Concurrency:                  o.MaxConns,
		WriteTimeout:                 o.Stall,  // streams set their own, for each write
		ReadBufferSize:               16 << 10, // bounds the request's head
		ReadTimeout:                  readTime,
		IdleTimeout:                  2 * time.Minute,
		DisablePreParseMultipartForm: true,
		NoDefaultServerHeader:        true,
		NoDefaultContentType:         true,
		SecureErrorLogMessage:        true,
		Logger:                       quiet{},
	}
	var err error
	if g.listener, err = net.Listen("tcp", o.Addr); err != nil {
		return nil, fmt.Errorf("API: %w: HOST and PORT must be a free address of this machine", err)
	}
	return g, nil
}

// apart hides the end of fasthttp's request context from net/http's handlers:
// it is the server's, read without the lock under which a shutdown sets it.
func apart(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
	})
}

// Close gives the address up, for a gateway that never ran; Run has done it.
func (g *Gateway) Close() error {
	if err := g.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// quiet drops fasthttp's own log: it reports clients' errors.
type quiet struct{}

func (quiet) Printf(string, ...any) {}

// Addr is the address that the node listens on.
func (g *Gateway) Addr() string { return g.listener.Addr().String() }

// InFlight is the number of requests being answered.
func (g *Gateway) InFlight() int64 { return g.inFlight.Load() }

// Requests is the number of requests taken in since the start.
func (g *Gateway) Requests() uint64 { return g.requests.Load() }

// Streams is the number of streams being written to clients.
func (g *Gateway) Streams() int64 { return g.streams.Load() }

// Connections is the number of open connections of clients.
func (g *Gateway) Connections() int32 { return g.server.GetOpenConnectionsCount() }

// Held is how many bytes of request bodies are in memory.
func (g *Gateway) Held() int64 { return g.held.Load() }

// Shed is the number of requests refused because the node was at capacity.
func (g *Gateway) Shed() uint64 { return g.shed.Load() }

// Panics is the number of panics in requests.
func (g *Gateway) Panics() uint64 { return g.panics.Load() }

// Draining reports whether the node is shutting down.
func (g *Gateway) Draining() bool { return g.draining.Load() }

// Run serves until ctx is done. Then it is not ready any more, goes on taking
// requests for Options.Grace, and lets the running ones finish: up to
// Options.Drain, after which they are cut.
func (g *Gateway) Run(ctx context.Context) error {
	served := make(chan error, 1)
	g.connections.Listener = g.listener
	go func() { served <- g.server.Serve(&g.connections) }()
	watching, stopWatching := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWatching()
	go g.watcher.run(watching)
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	g.draining.Store(true)
	g.shadows.stop()
	defer g.shadows.settled()
	g.opts.Log.Info("draining", slog.Int64("in_flight", g.inFlight.Load()), slog.Duration("timeout", g.opts.Drain))
	select { // those who choose a node by /health/ready need a moment to notice
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-time.After(g.opts.Grace):
	}
	return g.drain(context.WithoutCancel(ctx), served)
}

// idleGrace is how long idle connections stay open after the listener is
// closed: a load balancer may be sending a request on one right now. Every
// answer of a draining node closes its connection.
const idleGrace = time.Second

// drain stops accepting connections and waits for the open ones.
func (g *Gateway) drain(ctx context.Context, served <-chan error) error {
	waiting, err := listener.Close(g.listener)
	for _, conn := range waiting {
		own := g.connections.take(conn)
		g.connections.changed(own, fasthttp.StateNew)
		go g.serve(own)
	}
	<-served //nolint:errcheck // it says only that the listener is closed
	g.connections.wait(idleGrace)
	g.connections.dismissSilent()
	defer time.AfterFunc(g.opts.Drain/2, g.closeQueues).Stop() // in time for a clean refusal
	ctx, cancel := context.WithTimeout(ctx, g.opts.Drain)
	defer cancel()
	if end := g.server.ShutdownWithContext(ctx); end != nil && !errors.Is(end, net.ErrClosed) {
		return fmt.Errorf("drain: %d requests were aborted after %s: %w", g.inFlight.Load(), g.opts.Drain, end)
	}
	return err
}

// closeQueues refuses the requests that still wait for a place at an endpoint:
// there may be one on another node.
func (g *Gateway) closeQueues() {
	for _, m := range g.current.Load().Models {
		if m.Queue != nil {
			m.Queue.Close(queue.Draining)
		}
	}
}

// serve serves a connection that was not accepted by Serve.
func (g *Gateway) serve(conn net.Conn) {
	defer g.connections.changed(conn, fasthttp.StateClosed)
	_ = g.server.ServeConn(conn) // its errors are the client's doing
}
