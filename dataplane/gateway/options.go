package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/hybridinference/gateway/dataplane/limits"
	"github.com/hybridinference/gateway/dataplane/metrics"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/exposition"
	"github.com/hybridinference/gateway/shared/secret"
	"github.com/hybridinference/gateway/shared/tracing"
	"github.com/hybridinference/gateway/shared/wire"
)

// Options configure a node. The zero value of a field is its default where the
// comment names one.
type Options struct {
	// Addr is the address to listen on, host:port; port 0 picks a free one.
	Addr string
	// Node is the node's id: [a-z0-9-], unique in the fleet.
	Node    string
	Version string
	// Auth false gives every request the admin role without a key.
	Auth bool
	// KeySecret is API_KEY_SECRET.
	KeySecret secret.String
	// Origins are the allowed CORS origins. Empty allows all, without credentials,
	// and without Auth those of localhost.
	Origins []string
	// TrustProxies are the networks whose X-Forwarded-For is believed.
	TrustProxies []netip.Prefix
	// MaxBody bounds a request's body; default 50 MiB.
	MaxBody int
	// KeepAlive is the silence after which a stream gets a comment; default 10 s.
	KeepAlive time.Duration
	// Stall is how long a client may take to accept one write. A reader that stalls
	// for longer is gone: its upstream must not be held up. Default 30 s.
	Stall time.Duration
	// Deadline bounds all attempts of a request together: a stream until its
	// first content, any other until its answer. 0 is none.
	Deadline time.Duration
	// MaxInFlight and MaxHeld bound the requests that are being answered and the
	// bytes of their bodies; what comes beyond is refused at once. Default 10,000
	// and 2 GiB.
	MaxInFlight, MaxHeld int64
	// MaxShadows bounds the copies of requests that are under way for comparison; 0
	// sends none.
	MaxShadows int64
	// MaxConns bounds the connections; default 100,000.
	MaxConns int
	// Grace is how long a stopping gateway still accepts requests after /health/ready has
	// begun to refuse, for those who send them to notice.
	Grace time.Duration
	// Drain bounds how long Stop waits for streams; default 5 min.
	Drain time.Duration
	// Content keeps prompts and answers in the usage events.
	Content bool
	// Limits counts what keys use, by LimitsClock; nil is no limits.
	Limits      *limits.Registry
	LimitsClock limits.Clock
	// Metrics counts requests, the same as the snapshots'; series of its own if
	// nil, which no one sees.
	Metrics *metrics.Requests
	// Tracing sends the spans of requests; nil is none.
	Tracing *tracing.Tracing
	// Report adds to /health what the node knows of the control plane.
	Report func() Report
	// Generation asks others for a generation that this node does not know (any
	// more), nil if they do not either. It may be nil.
	Generation func(ctx context.Context, id string) *wire.Usage
	// Spent returns what a key, or all keys for "", have cost in the fleet;
	// false if that is not known, and then this node's own count is told. It may
	// be nil.
	Spent func(keyID string) (snapshot.Spent, bool)
	// Admin serves /admin/* in a process that is the control plane, too.
	Admin http.Handler
	Log   *slog.Logger
}

func (o *Options) defaults() {
	if o.Limits == nil {
		o.Limits, o.LimitsClock = limits.NewRegistry(0), limits.NewClock()
	}
	if o.Metrics == nil {
		o.Metrics = metrics.NewRequests(exposition.NewRegistry(), "")
	}
	if o.MaxBody == 0 {
		o.MaxBody = 50 << 20
	}
	if o.KeepAlive == 0 {
		o.KeepAlive = 10 * time.Second
	}
	if o.Stall == 0 {
		o.Stall = 30 * time.Second
	}
	if o.MaxInFlight == 0 {
		o.MaxInFlight = 10_000
	}
	if o.MaxHeld == 0 {
		o.MaxHeld = 2 << 30
	}
	if o.MaxConns == 0 {
		o.MaxConns = 100_000
	}
	if o.Drain == 0 {
		o.Drain = 5 * time.Minute
	}
}
