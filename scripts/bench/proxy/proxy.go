// Package proxy is the yardstick: the least that a fasthttp reverse proxy has
// to do. It keeps connections, relays each chunk when it arrives, and does
// nothing else: no keys, no routing, no reading of what passes.
package proxy

import (
	"net"

	"github.com/valyala/fasthttp"
)

// New returns a server that passes every request to upstream (host:port).
func New(upstream string) *fasthttp.Server {
	host := &fasthttp.HostClient{
		Addr:                     upstream,
		MaxConns:                 1 << 16,
		ReadBufferSize:           16 << 10,
		StreamResponseBody:       true, // the server sends each chunk that it reads from the body
		NoDefaultUserAgentHeader: true,
		DisablePathNormalizing:   true,
	}
	return &fasthttp.Server{
		Handler: func(ctx *fasthttp.RequestCtx) {
			if err := host.Do(&ctx.Request, &ctx.Response); err != nil {
				ctx.Error(err.Error(), fasthttp.StatusBadGateway)
			}
		},
		ReadBufferSize:        16 << 10,
		NoDefaultServerHeader: true,
		NoDefaultContentType:  true,
	}
}

// Serve passes requests on until l is closed.
func Serve(l net.Listener, upstream string) error { return New(upstream).Serve(l) }
