package main

import (
	"net"
	"net/netip"
	"strconv"

	"github.com/hybridinference/gateway/controlplane/app"
	"github.com/hybridinference/gateway/controlplane/settings"
	"github.com/hybridinference/gateway/dataplane/node"
	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/logs"
	"github.com/hybridinference/gateway/shared/metrics"
	"github.com/hybridinference/gateway/shared/secret"
	"github.com/hybridinference/gateway/shared/tracing"
)

// Settings are those of the data plane and of the control plane, with defaults
// for one machine.
type Settings struct {
	Log       logs.Settings      `section:"log"`
	Metrics   metrics.Settings   `section:"log"`
	Tracing   tracing.Settings   `section:"tracing"`
	Token     secret.String      `env:"ADMIN_TOKEN" strong:"true" help:"token of the admin API; required unless HOST is a loopback address"`
	Insecure  bool               `env:"INSECURE" default:"false" help:"listen beyond loopback although USER_AUTH_ENABLED is false"`
	Serving   node.Serving       `section:"data plane" defaults:"HOST=127.0.0.1 USER_AUTH_ENABLED=false"`
	Admin     settings.Admin     `section:"control plane"`
	Console   settings.Console   `section:"control plane"`
	Files     settings.Files     `section:"control plane"`
	Sent      settings.Sent      `section:"control plane"`
	Alerts    settings.Alerts    `section:"control plane"`
	Database  settings.Database  `section:"database" defaults:"DB_BACKEND=sqlite"`
	Dual      settings.DualWrite `section:"database"`
	Retention settings.Retention `section:"database"`
}

// Check implements env.Checker.
func (s *Settings) Check(problem func(format string, args ...any)) {
	s.Dual.Validate(s.Database, problem)
	if s.Console.OIDC.Issuer != "" && s.Token.Empty() {
		problem("ADMIN_TOKEN must be set together with OIDC_ISSUER: without it everybody on this machine is an admin")
	}
	if isLoopback(s.Serving.Host) {
		return
	}
	if !s.Serving.Auth && !s.Insecure {
		problem("HOST %s can be reached from other machines while USER_AUTH_ENABLED is false: set it to true, or give --insecure", s.Serving.Host)
	}
	if s.Token.Empty() {
		problem("ADMIN_TOKEN must be set when HOST is not a loopback address: /admin is served there, too")
	}
}

// stateDir is where everything is.
func (s *Settings) stateDir() string { return s.Database.SQLite.StateDir }

// node returns the options of the data plane; the caller adds what is only
// known while the process starts.
func (s *Settings) node(lookup env.Lookup) node.Options {
	o := s.Serving.Options(lookup)
	o.Node, o.StandIns = "standalone", isLoopback(s.Serving.Host)
	return o
}

// control returns the options of the daemon, likewise. Without a token everybody
// who can reach the loopback address may use /admin.
func (s *Settings) control(lookup env.Lookup) app.Options {
	return app.Options{
		Alone: true,
		Addr:  net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Admin.Port)), TLSCert: string(s.Admin.Cert), TLSKey: string(s.Admin.Key),
		Files: s.Files.Publish(lookup, s.Sent), State: s.Database.Config(), Token: s.Token, Open: s.Token.Empty() && isLoopback(s.Serving.Host), Proxies: s.Serving.Proxies.List(),
		Thresholds: s.Alerts.Percentages(), Webhook: s.Alerts.Webhook(), Console: s.Console.Options(),
	}
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
