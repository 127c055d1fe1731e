package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/hybridinference/gateway/controlplane/collector"
	"github.com/hybridinference/gateway/controlplane/settings"
	"github.com/hybridinference/gateway/controlplane/sinks"
	"github.com/hybridinference/gateway/shared/env"
	group "github.com/hybridinference/gateway/shared/run"
)

// health asks the daemon on this host, or the collector.
func health(ctx context.Context, _ *env.Environment, s *settings.Health, _ io.Writer) error {
	url, certificate := s.URL()
	return group.Ask(ctx, url, certificate)
}

// collectorHealth is what GET /health of a collector tells.
type collectorHealth struct {
	// Status is healthy, or degraded while a sink waits for NATS or its store.
	// It is no reason to restart a collector.
	Status  string             `json:"status"`
	Version string             `json:"version"`
	Sinks   []collector.Status `json:"sinks"`
}

// serveHealth answers 200 as long as the process lives.
func serveHealth(ctx context.Context, addr string, all *sinks.Sinks) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("COLLECT_HEALTH: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		h := collectorHealth{Status: "healthy", Version: version, Sinks: all.Status()}
		for _, s := range h.Sinks {
			if s.Error != "" {
				h.Status = "degraded"
			}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(h) // a caller that left needs no answer
	})
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
