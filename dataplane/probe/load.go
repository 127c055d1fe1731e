package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
)

const (
	// metricsSize bounds what is read of a server's metrics.
	metricsSize = 8 << 20
	// loadRounds is for how many rounds of probes a load counts.
	loadRounds = 3
)

// errNoLoad means that a server has metrics, but none of a load.
var errNoLoad = errors.New("its metrics are neither vLLM's nor SGLang's")

// readLoad reads a server's load out of its metrics in Prometheus' text format.
// A server with several engines, or models, has the sum of their requests, and
// the fullest of their caches.
func readLoad(text io.Reader) (upstream.Load, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(text)
	if err != nil {
		return upstream.Load{}, fmt.Errorf("its metrics are malformed: %w", err)
	}
	values := func(names ...string) (out []float64) {
		for _, name := range names {
			for _, m := range families[name].GetMetric() {
				out = append(out, m.GetGauge().GetValue())
			}
		}
		return out
	}
	running := values("vllm:num_requests_running", "sglang:num_running_reqs")
	waiting := values("vllm:num_requests_waiting", "sglang:num_queue_reqs")
	if len(running) == 0 && len(waiting) == 0 {
		return upstream.Load{}, errNoLoad
	}
	var l upstream.Load
	for _, v := range running {
		l.Running += v
	}
	for _, v := range waiting {
		l.Waiting += v
	}
	for _, v := range values("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc", "sglang:token_usage") {
		l.Cache = max(l.Cache, v)
	}
	return l, nil
}

// askLoad reads the load of one server.
func (p *Prober) askLoad(ctx context.Context, at string, t *target) (upstream.Load, error) {
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return upstream.Load{}, err
	}
	for _, h := range t.headers {
		req.Header.Set(h.Name, h.Value)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return upstream.Load{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // so that the connection can be used again
		return upstream.Load{}, fmt.Errorf("GET %s: status %d", at, resp.StatusCode)
	}
	load, err := readLoad(io.LimitReader(resp.Body, metricsSize))
	if err != nil {
		err = fmt.Errorf("GET %s: %w", at, err)
	}
	return load, err
}

// noteLoad updates the endpoints' states. A server whose load cannot be read
// stays in service; it is logged when that begins and when it ends.
func (p *Prober) noteLoad(ctx context.Context, s *snapshot.Snapshot, t *target, interval, timeout time.Duration) {
	at := serverURL(t.endpoints[0], s.HealthCheck.Metrics)
	load, err := p.askLoad(ctx, at, t)
	if ctx.Err() != nil && err != nil {
		err = fmt.Errorf("GET %s: no answer within %s", at, timeout)
	}
	for _, e := range t.endpoints {
		if err == nil {
			e.State.SetLoad(load, time.Now().Add(loadRounds*interval+timeout))
		}
		_, unread := p.unread.LoadOrStore(e.State, true)
		switch {
		case err == nil:
			p.unread.Delete(e.State)
			if unread {
				p.log.InfoContext(ctx, "load of the endpoint's server is known", slog.String("endpoint", e.ID))
			}
		case !unread:
			p.log.WarnContext(ctx, "load of the endpoint's server cannot be read", slog.String("endpoint", e.ID), slog.String("error", redacted(err, e.Hidden).Error()))
		}
	}
}
