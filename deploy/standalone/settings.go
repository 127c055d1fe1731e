package main

import (
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/settings"
	"github.com/hybridinference/gateway/dataplane/node"
	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/secret"
)

// options are everything that the process is told.
type options struct {
	node             node.Options
	files            publish.Files
	store            requestlog.Config
	retention        time.Duration
	stateDir         string
	adminAddr        string
	token, keySecret secret.String
	// open lets everybody who can reach the loopback address use /admin.
	open    bool
	version string
	log     *slog.Logger
	out     io.Writer
}

// read takes the options from their settings: those of the data plane and of
// the control plane, with defaults for one machine.
func read(r *env.Reader) options {
	var o options
	o.stateDir = settings.StateDir(r, "data")
	o.files = settings.Files(r)
	o.store = settings.Store(r, requestlog.BackendSQLite, o.stateDir)
	o.retention = settings.Retention(r)
	o.token, o.keySecret = settings.Admin(r)
	host := r.String("HOST", "127.0.0.1", "address to listen on")
	port := r.Int("PORT", 8080, env.Port(), "port of the API, /admin included")
	control := r.Int("CONTROL_PORT", 8081, env.Port(), "port of the admin API, on loopback")
	auth := r.Bool("USER_AUTH_ENABLED", false, "true demands an API key of every request")
	insecure := r.Bool("INSECURE", false, "listen beyond loopback although nobody needs a key")
	o.node = node.Options{
		Node: "standalone", Secret: r.Lookup, Gateway: node.ReadGateway(r), Timeouts: node.ReadTimeouts(r), Breaker: node.ReadBreaker(r),
	}
	o.node.Gateway.Addr = net.JoinHostPort(host, strconv.Itoa(port))
	o.node.Gateway.Auth = auth
	o.adminAddr = net.JoinHostPort("127.0.0.1", strconv.Itoa(control))
	o.open = o.token.Empty() && isLoopback(host)
	if !isLoopback(host) {
		if !auth && !insecure {
			r.Problemf("HOST %s can be reached from other machines while USER_AUTH_ENABLED is false: set it to true, or give --insecure", host)
		}
		if o.token.Empty() {
			r.Problemf("ADMIN_TOKEN must be set when HOST is not a loopback address: /admin is served there, too")
		}
	}
	return o
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
