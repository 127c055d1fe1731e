// Package settings declares what each process of the control plane is told by
// its environment and flags: a struct per process, made of groups that the
// standalone process shares.
package settings

import (
	"net"
	"strconv"
	"time"

	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/logs"
	"github.com/hybridinference/gateway/shared/metrics"
	"github.com/hybridinference/gateway/shared/tracing"
)

// Serve are the settings of `controlplane serve`, the daemon.
type Serve struct {
	Log       logs.Settings    `section:"log"`
	Metrics   metrics.Settings `section:"log"`
	NATS      bus.Settings     `section:"NATS"`
	Streams   Streams          `section:"NATS"`
	Signing   Signing          `section:"NATS"`
	Admin     AdminServer      `section:"control plane"`
	Console   Console          `section:"control plane"`
	Proxies   env.Proxies
	KeySecret KeySecret
	Files     Files     `section:"control plane"`
	Sent      Sent      `section:"control plane"`
	Alerts    Alerts    `section:"control plane"`
	Database  Database  `section:"database"`
	Dual      DualWrite `section:"database"`
}

// Check implements env.Checker.
func (s *Serve) Check(problem func(format string, args ...any)) {
	if s.Admin.Token.Empty() {
		problem("ADMIN_TOKEN must be set: the admin API changes what the gateway does")
	}
	s.Dual.Validate(s.Database, problem)
}

// Addr is where the admin API listens.
func (s *Serve) Addr() string {
	return net.JoinHostPort(s.Admin.Host, strconv.Itoa(s.Admin.Listen.Port))
}

// Collect are the settings of `controlplane collect`.
type Collect struct {
	Log       logs.Settings    `section:"log"`
	Metrics   metrics.Settings `section:"log"`
	Tracing   tracing.Settings `section:"tracing"`
	NATS      bus.Settings     `section:"NATS"`
	Database  Database         `section:"database"`
	Dual      DualWrite        `section:"database"`
	Retention Retention        `section:"database"`
	Health    CollectHealth    `section:"collector"`
}

// Check implements env.Checker.
func (s *Collect) Check(problem func(format string, args ...any)) {
	s.Dual.Validate(s.Database, problem)
}

// Migrate are the settings of the commands that work on the database alone.
type Migrate struct {
	Database Database `section:"database"`
}

// Compare are the settings of `controlplane compare`.
type Compare struct {
	Database Database    `section:"database"`
	Dual     DualWrite   `section:"database"`
	Span     CompareSpan `section:"controlplane compare"`
}

// CompareSpan is what is compared, and what is done about it.
type CompareSpan struct {
	Hours  int           `env:"COMPARE_HOURS" default:"24" min:"1" max:"8784" help:"hours back that are compared"`
	Delay  time.Duration `env:"COMPARE_DELAY_SECONDS" default:"300" min:"0" max:"24h" help:"ignore rows younger than this: one log may be ahead"`
	Repair bool          `env:"COMPARE_REPAIR" default:"false" help:"copy rows that one log lacks from the other"`
}

// Check implements env.Checker.
func (s *Compare) Check(problem func(format string, args ...any)) {
	if !s.Dual.On {
		problem("D1_DUAL_WRITE must be true: there is nothing to compare %s with", s.Database.Backend)
	}
	s.Dual.Validate(s.Database, problem)
}

// Validate are the settings of `controlplane validate`.
type Validate struct {
	Files Files `section:"control plane"`
}

// Health are the settings of `controlplane health`.
type Health struct {
	Port      int           `env:"CONTROL_PORT" default:"8081" min:"0" max:"65535" help:"port of the admin API"`
	Cert      env.File      `env:"CONTROL_TLS_CERT" help:"PEM file with the TLS certificate of the admin API"`
	Collector CollectHealth `section:"collector"`
}

// URL is where to ask. The certificate is the one to trust there, "" for plain HTTP.
func (s *Health) URL() (url, certificate string) {
	if s.Collector.Addr != "" {
		return "http://" + s.Collector.Addr + "/health", ""
	}
	scheme := "http"
	if s.Cert != "" {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)) + "/health", string(s.Cert)
}
