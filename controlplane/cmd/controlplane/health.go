package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/hybridinference/gateway/controlplane/collector"
	"github.com/hybridinference/gateway/controlplane/settings"
	"github.com/hybridinference/gateway/shared/env"
	group "github.com/hybridinference/gateway/shared/run"
)

func readHealth(r *env.Reader) runner {
	port := r.Int("CONTROL_PORT", 8081, env.Port(), "port of the admin API")
	cert := r.String("CONTROL_TLS_CERT", "", "PEM file with which it speaks TLS")
	addr := settings.CollectHealth(r)
	return func(ctx context.Context, _ io.Writer) error {
		if addr != "" {
			return group.Ask(ctx, "http://"+addr+"/health", "")
		}
		scheme := "http"
		if cert != "" {
			scheme = "https"
		}
		return group.Ask(ctx, scheme+"://"+net.JoinHostPort("127.0.0.1", strconv.Itoa(port))+"/health", cert)
	}
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
func serveHealth(ctx context.Context, addr string, all []*collector.Collector) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("COLLECT_HEALTH: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		h := collectorHealth{Status: "healthy", Version: version}
		for _, c := range all {
			s := c.Status()
			if s.Error != "" {
				h.Status = "degraded"
			}
			h.Sinks = append(h.Sinks, s)
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
