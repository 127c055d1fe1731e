// Package metrics serves what a process measures of itself to Prometheus.
package metrics

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/hybridinference/gateway/shared/exposition"
)

// headerTime bounds the arrival of a request's head.
const headerTime = 5 * time.Second

// Off is the address that serves nothing.
const Off = "off"

// Where processes serve their metrics by default.
const (
	NodeAddr      = "127.0.0.1:9464"
	DaemonAddr    = "127.0.0.1:9465"
	CollectorAddr = "127.0.0.1:9466"
)

// Settings say where a process serves its metrics.
type Settings struct {
	Addr string `env:"METRICS_ADDR" help:"address of Prometheus metrics (/metrics) and profiles (/debug/pprof/), which must not be public; off disables both; if not set, and if the port is free, 127.0.0.1:9464 for a node and standalone, :9465 for the daemon, :9466 for a collector"`
}

// Check implements env.Checker.
func (s *Settings) Check(problem func(format string, args ...any)) {
	if s.Addr == "" || s.Addr == Off {
		return
	}
	if _, _, err := net.SplitHostPort(s.Addr); err != nil {
		problem("METRICS_ADDR must be host:port or off, got %q", s.Addr)
	}
}

// NewRegistry returns a registry with what every process has: Go's runtime,
// the process, and its version.
func NewRegistry(version string) *exposition.Registry {
	r := exposition.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "gateway_build_info", Help: "The version of this process; always 1.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), build)
	return r
}

// Server serves a registry at an address of its own until it is closed.
type Server struct {
	addr string
	http *http.Server // nil: the process is to serve none
}

// Serve binds the address of the settings and serves; usual is where if they
// name none. A process does without metrics if it cannot have that.
func Serve(ctx context.Context, s Settings, usual string, from *exposition.Registry, log *slog.Logger) (*Server, error) {
	if s.Addr == Off {
		return &Server{}, nil
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", cmp.Or(s.Addr, usual))
	switch {
	case err != nil && s.Addr == "":
		log.WarnContext(ctx, "metrics are not served; set METRICS_ADDR to a free address, or to off", slog.String("error", err.Error()))
		return &Server{}, nil
	case err != nil:
		return nil, fmt.Errorf("METRICS_ADDR: %w", err)
	}
	out := &Server{ln.Addr().String(), &http.Server{
		Handler: handler(from), ReadHeaderTimeout: headerTime, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}}
	go func() { _ = out.http.Serve(ln) }() // it ends with Close
	log.InfoContext(ctx, "serving metrics", slog.String("addr", out.addr))
	return out, nil
}

// Addr is where it listens, "" if it does not.
func (s *Server) Addr() string { return s.addr }

// Close stops serving. A scrape that is under way is cut off.
func (s *Server) Close() error {
	if s.http == nil {
		return nil
	}
	return s.http.Close()
}

func handler(from *exposition.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", from)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}
