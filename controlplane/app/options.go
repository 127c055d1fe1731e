package app

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hybridinference/gateway/controlplane/alerts"
	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/controlplane/server"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/secret"
)

// Options configure a daemon. Addr, NATS, State, Files, Log,
// and Token or Open are required.
type Options struct {
	// Addr is where the admin API listens, such as 127.0.0.1:8081; port 0 takes
	// a free one.
	Addr string
	// NATS says where it is; the daemon adds who it is.
	NATS bus.Options
	// Replicas of what is kept in NATS: 1 (default), or 3 in a cluster.
	Replicas int
	// State is the database of the control state.
	State database.Config
	// LogStore is the request log, for statistics; nil for none. Whoever made
	// it closes it, after Run has returned.
	LogStore server.LogStore
	// Erasers are all stores of the request log, from which requests are erased.
	Erasers []server.Eraser
	Files   publish.Files
	// Token guards the admin API. Open does without one, and only on loopback.
	Token secret.String
	Open  bool
	// Proxies are the networks whose X-Forwarded-For is trusted.
	Proxies []netip.Prefix
	// TLSCert and TLSKey are PEM files with which the admin API speaks TLS; a
	// new certificate is taken up without a restart. Plain HTTP without them.
	TLSCert, TLSKey string
	// Console is how people sign in to the console.
	Console server.Console
	// Signer signs releases and key tables; nil leaves them unsigned.
	Signer *bus.Signer
	// KeySecret is what API keys are hashed under; without it none can be made.
	KeySecret secret.String
	// Alone says that no other daemon can be connected to NATS.
	Alone bool
	// LimitsGrace is how long a node may be silent before its shares of limits
	// come back; default 15 s.
	LimitsGrace time.Duration
	// Thresholds are percentages of a limit at which an alert is raised, ascending;
	// none raises none. Webhook gets the alerts; nil for none.
	Thresholds []int
	Webhook    *alerts.Webhook
	Version    string
	// Metrics gets the daemon's; nil for none.
	Metrics prometheus.Registerer
	Log     *slog.Logger
}

func (o *Options) check() error {
	if o.LimitsGrace == 0 {
		o.LimitsGrace = 15 * time.Second
	}
	if o.Metrics == nil {
		o.Metrics = prometheus.NewRegistry()
	}
	if !o.Token.Empty() || !o.Open {
		return nil // the API itself asks for the token
	}
	host, _, err := net.SplitHostPort(o.Addr)
	if err == nil {
		if addr, bad := netip.ParseAddr(host); host == "localhost" || bad == nil && addr.IsLoopback() {
			return nil
		}
	}
	return errors.New("ADMIN_TOKEN must be set when the admin API listens on " + o.Addr + ", which is not this machine alone")
}
